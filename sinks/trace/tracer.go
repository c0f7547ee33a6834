package trace

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/credentials"

	"github.com/flomesh-io/fsmc/sinks"
)

// Options say where traces go. The zero value is nowhere.
type Options struct {
	// Endpoint is an OTLP receiver that speaks gRPC, as http://host:port in the clear or https://host:port. Without a scheme it
	// is in the clear; empty is no traces. What else OpenTelemetry has in its variables, such as
	// OTEL_EXPORTER_OTLP_HEADERS, counts too.
	Endpoint string
	// TLS is how https verifies the receiver and shows itself; nil trusts what the machine trusts.
	TLS *tls.Config
	// Service is the name that traces carry, such as fsm-controller, and Version its version.
	Service, Version string
	// Ratio is the share of snapshots that are traced, above 0 and up to 1; 0 is all of them.
	Ratio float64
	// Log is told when traces are lost; nil is nobody.
	Log *slog.Logger
}

// Tracer makes traces. A nil one makes none. All methods can be called from several goroutines.
type Tracer struct {
	tracer    oteltrace.Tracer
	processor sdktrace.SpanProcessor
	exporter  sdktrace.SpanExporter
	pushes    *pushes
}

// New makes a tracer, which is nil if there is no endpoint. It does not wait for the receiver to be up.
func New(ctx context.Context, o Options) (*Tracer, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	target, err := endpoint(o)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracegrpc.New(ctx, target...)
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", o.Endpoint, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return newTracer(o, &honest{SpanExporter: exporter, log: o.Log}), nil
}

// endpoint are the options that lead to the receiver.
func endpoint(o Options) ([]otlptracegrpc.Option, error) {
	address := o.Endpoint
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Port() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no endpoint for traces: it is http://host:port or https://host:port", o.Endpoint)
	}
	if u.Scheme == "http" {
		return []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(u.Host), otlptracegrpc.WithInsecure()}, nil
	}
	return []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(u.Host), otlptracegrpc.WithTLSCredentials(credentials.NewTLS(o.TLS))}, nil
}

func newTracer(o Options, exporter sdktrace.SpanExporter) *Tracer {
	processor := sdktrace.NewBatchSpanProcessor(exporter)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(processor),
		// What belongs to a snapshot is traced if the snapshot is.
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cmp.Or(o.Ratio, 1)))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", o.Service), attribute.String("service.version", o.Version))),
	)
	tracer := provider.Tracer("github.com/flomesh-io/fsmc")
	return &Tracer{tracer, processor, exporter, newPushes(tracer)}
}

// Spans begins a span; what it returns ends the span, with the error that the step failed with or nil. Spans that are
// begun with the context that it returns are within this one. A span called snapshot is what pushes belong to that follow.
func (t *Tracer) Spans(ctx context.Context, name string) (context.Context, func(error)) {
	if t == nil {
		return ctx, nothing
	}
	ctx, span := t.tracer.Start(ctx, name)
	if name == snapshot {
		t.pushes.follow(span.SpanContext())
	}
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

const snapshot = "snapshot"

func nothing(error) {}

// Annotate adds attributes to the span that the context is of, such as why a snapshot was made.
func (t *Tracer) Annotate(ctx context.Context, attributes ...slog.Attr) {
	if t == nil {
		return
	}
	span := oteltrace.SpanFromContext(ctx)
	for _, a := range attributes {
		span.SetAttributes(keyValue(a))
	}
}

// keyValue is an attribute as OpenTelemetry has it. Times are seconds.
func keyValue(a slog.Attr) attribute.KeyValue {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindBool:
		return attribute.Bool(a.Key, v.Bool())
	case slog.KindInt64:
		return attribute.Int64(a.Key, v.Int64())
	case slog.KindFloat64:
		return attribute.Float64(a.Key, v.Float64())
	case slog.KindDuration:
		return attribute.Float64(a.Key, v.Duration().Seconds())
	default:
		return attribute.String(a.Key, v.String())
	}
}

// Observe traces pushes; it is a sinks.Observer.
func (t *Tracer) Observe(e sinks.Event) {
	if t != nil {
		t.pushes.observe(e)
	}
}

// Shutdown sends what was not sent yet, until the context ends. Nothing is sent afterwards.
func (t *Tracer) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	t.pushes.stop()
	if err := t.processor.Shutdown(ctx); err != nil {
		_ = t.exporter.Shutdown(ctx) // it would go on trying otherwise
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}
