package trace

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/flomesh-io/fsmc/sinks"
)

// collector is an OTLP receiver in this process.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer
	mu      sync.Mutex
	spans   map[string]*tracev1.Span // by name, and type for pushes
	service string
	refuses bool
}

func (c *collector) Export(_ context.Context, r *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuses {
		return nil, status.Error(codes.InvalidArgument, "no")
	}
	for _, resource := range r.ResourceSpans {
		c.service = strings.Join(texts(resource.Resource.Attributes), " ")
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				c.spans[span.Name] = span
			}
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

func (c *collector) refuse(so bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuses = so
}

// texts are attributes as key=value.
func texts(attributes []*commonv1.KeyValue) []string {
	var all []string
	for _, a := range attributes {
		value := strings.TrimSpace(strings.SplitN(a.Value.String(), ":", 2)[1])
		all = append(all, a.Key+"="+strings.Trim(value, `"`))
	}
	return all
}

func collect(t *testing.T) (*collector, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{spans: map[string]*tracev1.Span{}}
	server := grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(server, c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c, listener.Addr().String()
}

// TestSpansArrive sends a snapshot, its steps and its pushes to a receiver of the real protocol.
func TestSpansArrive(t *testing.T) {
	c, address := collect(t)
	tracer, err := New(t.Context(), Options{Endpoint: address, Service: "fsm-controller", Version: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := tracer.Spans(t.Context(), "snapshot")
	tracer.Annotate(ctx, slog.String("reason", "changed"), slog.Int("proxies", 3), slog.Bool("first", true), slog.Duration("waited", 1500*time.Millisecond), slog.Any("error", errors.New("none")), slog.Float64("reuse", 0.5))
	_, compiled := tracer.Spans(ctx, "compile")
	compiled(nil)
	_, published := tracer.Spans(ctx, "publish")
	published(errors.New("no space left"))
	end(nil)
	tracer.Observe(sinks.Event{Kind: sinks.Pushed, Type: "routes", Reason: sinks.PushSnapshot, Resources: 2, Bytes: 100})
	tracer.Observe(sinks.Event{Kind: sinks.Acknowledged, Type: "routes", Reason: sinks.PushSnapshot})
	if err := tracer.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.service != "service.name=fsm-controller service.version=v1.2.3" {
		t.Errorf("the service is %q", c.service)
	}
	root := c.spans["snapshot"]
	for _, name := range []string{"compile", "publish", "push"} {
		if span := c.spans[name]; span == nil || string(span.ParentSpanId) != string(root.GetSpanId()) || string(span.TraceId) != string(root.TraceId) {
			t.Errorf("%s is not within the snapshot: %v", name, span)
		}
	}
	if diff := cmp.Diff([]string{"reason=changed", "proxies=3", "first=true", "waited=1.5", "error=none", "reuse=0.5"}, texts(root.GetAttributes())); diff != "" {
		t.Error(diff)
	}
	if got := c.spans["publish"].GetStatus(); got.GetCode() != tracev1.Status_STATUS_CODE_ERROR || got.GetMessage() != "no space left" {
		t.Errorf("the failed step has status %v", got)
	}
	want := []string{"type=routes", "reason=snapshot", "responses=1", "resources=2", "bytes=100", "acknowledged=1", "rejected=0"}
	if diff := cmp.Diff(want, texts(c.spans["push"].GetAttributes())); diff != "" {
		t.Error(diff)
	}
}

// TestLostTracesAreSaidOnce has a receiver that takes nothing for a while.
func TestLostTracesAreSaidOnce(t *testing.T) {
	c, address := collect(t)
	var log strings.Builder
	tracer, err := New(t.Context(), Options{Endpoint: "http://" + address, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, refuses := range []bool{true, true, false, false} {
		c.refuse(refuses)
		_, end := tracer.Spans(t.Context(), "compile")
		end(nil)
		if err := tracer.processor.ForceFlush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := tracer.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if lost, again := strings.Count(log.String(), "traces are lost"), strings.Count(log.String(), "arrive again"); lost != 1 || again != 1 {
		t.Errorf("said %d times that traces are lost, and %d times that they arrive:\n%s", lost, again, &log)
	}
}

// TestNobodyWaitsForAReceiver: none is there, and all goes on, until the end of the context in the end.
func TestNobodyWaitsForAReceiver(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	tracer, err := New(t.Context(), Options{Endpoint: listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		_, end := tracer.Spans(t.Context(), "snapshot")
		tracer.Observe(sinks.Event{Kind: sinks.Pushed, Type: "routes", Reason: sinks.PushSnapshot})
		end(nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tracer.Shutdown(ctx); err == nil {
		t.Error("what could not be sent was sent")
	}
}

func TestEndpoints(t *testing.T) {
	for address, ok := range map[string]bool{
		"": true, "localhost:4317": true, "http://jaeger.fsm-system:4317": true, "https://collector:4317": true, "[::1]:4317": true,
		"localhost": false, "ftp://collector:21": false, "http://": false, "://": false, "a b:1": false,
	} {
		tracer, err := New(t.Context(), Options{Endpoint: address})
		if ok != (err == nil) {
			t.Errorf("%q: %v", address, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = tracer.Shutdown(ctx) // there is nothing to send
	}
}

// TestOffCostsNothing counts what is allocated without an endpoint.
func TestOffCostsNothing(t *testing.T) {
	tracer, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		_, end := tracer.Spans(ctx, "snapshot")
		tracer.Observe(sinks.Event{Kind: sinks.Pushed, Type: "routes", Reason: sinks.PushSnapshot})
		tracer.Annotate(ctx, slog.Int("proxies", 3))
		end(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if err := tracer.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// memory keeps spans as they are, for tests with a clock of their own.
type memory struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

func (m *memory) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spans = append(m.spans, spans...)
	return nil
}

func (m *memory) Shutdown(context.Context) error { return nil }

// described are the pushes: type, reason, how many responses, and how long.
func (m *memory) described(t *testing.T) []string {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, span := range m.spans {
		if span.Name() != "push" {
			continue
		}
		values := map[attribute.Key]string{}
		for _, a := range span.Attributes() {
			values[a.Key] = a.Value.String()
		}
		inside := "alone"
		if span.Parent().IsValid() {
			inside = "within"
		}
		all = append(all, strings.Join([]string{
			values["type"], values["reason"], values["responses"], values["acknowledged"], values["rejected"],
			span.EndTime().Sub(span.StartTime()).String(), inside,
		}, " "))
	}
	return all
}

// TestPushesBelongTogether tells events of many proxies at their times, and wants few spans.
func TestPushesBelongTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &memory{}
		tracer := newTracer(Options{}, kept)
		_, end := tracer.Spans(t.Context(), "snapshot")
		end(nil)
		tell := func(kind sinks.EventKind, types, reason string) {
			tracer.Observe(sinks.Event{Kind: kind, Type: types, Reason: reason})
		}
		for range 100 { // a hundred proxies, within a second
			tell(sinks.Pushed, "clusters", sinks.PushSnapshot)
			time.Sleep(10 * time.Millisecond)
			tell(sinks.Acknowledged, "clusters", sinks.PushSnapshot)
		}
		tell(sinks.Pushed, "routes", sinks.PushSnapshot)
		tell(sinks.Rejected, "routes", sinks.PushSnapshot)
		time.Sleep(2 * quiet) // all is said
		tell(sinks.Acknowledged, "routes", sinks.PushSnapshot)
		tell(sinks.StreamOpened, "", "delta")
		for range 150 { // proxies come and come
			tell(sinks.Pushed, "secrets", sinks.PushSubscription)
			time.Sleep(100 * time.Millisecond)
		}
		_, end = tracer.Spans(t.Context(), "snapshot")
		end(nil)
		tell(sinks.Pushed, "routes", sinks.PushSnapshot)
		if err := tracer.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		tell(sinks.Pushed, "routes", sinks.PushSnapshot)
		want := []string{
			"clusters snapshot 100 100 0 1s within",
			"routes snapshot 1 0 1 0s within",
			"secrets subscription 101 0 0 10s alone",
			"secrets subscription 49 0 0 4.8s alone",
			"routes snapshot 1 0 0 0s within",
		}
		if diff := cmp.Diff(want, kept.described(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestASnapshotThatIsNotTraced has no pushes either.
func TestASnapshotThatIsNotTraced(t *testing.T) {
	kept := &memory{}
	tracer := newTracer(Options{Ratio: 1e-18}, kept)
	_, end := tracer.Spans(t.Context(), "snapshot")
	tracer.Observe(sinks.Event{Kind: sinks.Pushed, Type: "routes", Reason: sinks.PushSnapshot})
	end(nil)
	if err := tracer.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if len(kept.spans) > 0 {
		t.Errorf("%d spans", len(kept.spans))
	}
}

// TestNothingIsLeftRunning looks for goroutines of OpenTelemetry after the end.
func TestNothingIsLeftRunning(t *testing.T) {
	_, address := collect(t)
	tracer, err := New(t.Context(), Options{Endpoint: address})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				_, end := tracer.Spans(t.Context(), "snapshot")
				tracer.Observe(sinks.Event{Kind: sinks.Pushed, Type: "routes", Reason: sinks.PushSnapshot})
				end(nil)
			}
		})
	}
	wait.Wait()
	if err := tracer.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	b := make([]byte, 1<<20)
	for end := time.Now().Add(time.Minute); ; runtime.Gosched() {
		stacks := string(b[:runtime.Stack(b, true)])
		if !strings.Contains(stacks, "go.opentelemetry.io/otel/") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it runs on:\n%s", stacks)
		}
	}
}
