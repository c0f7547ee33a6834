//go:build linux

package local

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// A sidecar is ready when the control plane has answered, finds it again when it has died and come back, and runs on
// meanwhile.
func TestTheControlPlaneIsReached(t *testing.T) {
	folder := t.TempDir()
	socket := filepath.Join(folder, "ads")
	first := serveADS(t, socket)
	tree := filepath.Join(folder, "tree")
	for _, f := range []string{filepath.Dir(folder), folder} {
		if err := os.Chmod(f, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	plan := local.Plan{Folder: tree, ControlPlane: socket, Pods: []local.Pod{podOf("web-0", 1, true), podOf("web-1", 2, false)}}
	m := &mesh{t: t, plan: plan}
	m.write("shop/web-0", bootstrapOf("shop/web-0"))
	m = start(t, plan, local.Options{})
	if n := first.streams.Load(); n != 1 {
		t.Errorf("%d streams were opened", n)
	}
	pods, err := m.Pods(t.Context())
	if err != nil || pods[0].Sidecar != local.Ready || pods[0].Configured.Before(first.answered()) {
		t.Errorf("answered at %s, and %+v, %v", first.answered(), pods, err)
	}
	first.Stop()
	within(t, 5*time.Second, "the sidecar knows that nobody is there", func() bool {
		return strings.Contains(m.runs("web-0", "curl", "-s", "localhost:15000/stats?filter=control_plane"), "control_plane.connected_state: 0")
	})
	if got := m.runs("web-1", "curl", "-s", "-m", "2", "-w", "%{http_code}", fmt.Sprint("http://", local.ControlPlaneAddress())); !strings.HasSuffix(got, "000") {
		t.Errorf("nobody is there, and answers %q", got)
	}
	second := serveADS(t, socket)
	within(t, 30*time.Second, "the sidecar comes back", func() bool { return second.streams.Load() == 1 })
}

// A pod that does not become ready keeps nobody from the next change, and has new addresses wait for a few seconds only.
func TestNobodyWaitsForASidecarForLong(t *testing.T) {
	client, web, stuck := podOf("client-0", 1, true), podOf("web-0", 2, true), podOf("stuck-0", 3, true)
	with := func(plan local.Plan) local.Plan {
		plan.ControlPlane = "/no/such/socket"
		return plan
	}
	m := start(t, with(shop([]local.Pod{client, web}, web)), local.Options{})
	m.write("shop/stuck-0", bootstrapOf("shop/stuck-0"))
	plan := m.prepare(with(shop([]local.Pod{client, web, stuck}, client)))
	first := make(chan error)
	go func() { first <- m.Apply(t.Context(), plan) }()
	within(t, 20*time.Second, "the address leads elsewhere", func() bool { return m.asks("web-0", webAddress, get("/")).Echo.Pod == "client-0" })
	select {
	case err := <-first:
		t.Errorf("a sidecar without a control plane was not waited for: %v", err)
	default:
	}
	second := make(chan error)
	go func() { second <- m.Apply(t.Context(), plan) }()
	if err := <-first; err != nil {
		t.Error(err)
	}
	began := time.Now()
	m.apply(with(shop([]local.Pod{client, web}, web)))
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
	if said := m.said.String(); said != "" {
		t.Errorf("there was trouble: %s", said)
	}
}

// adsServer answers every subscription with nothing.
type adsServer struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	*grpc.Server
	streams atomic.Int32
	// last is when an answer was about to be sent, in milliseconds.
	last atomic.Int64
}

// answered is when it sent the last answer, at the earliest.
func (s *adsServer) answered() time.Time { return time.UnixMilli(s.last.Load()) }

func serveADS(t *testing.T, socket string) *adsServer {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &adsServer{Server: grpc.NewServer()}
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s.Server, s)
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
	return s
}

// StreamAggregatedResources implements discoveryv3.AggregatedDiscoveryServiceServer.
func (s *adsServer) StreamAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	s.streams.Add(1)
	for {
		request, err := stream.Recv()
		if err != nil {
			return err
		}
		if request.VersionInfo != "" {
			continue
		}
		s.last.Store(time.Now().UnixMilli())
		if err := stream.Send(&discoveryv3.DiscoveryResponse{TypeUrl: request.TypeUrl, VersionInfo: "1", Nonce: "1"}); err != nil {
			return err
		}
	}
}

// bootstrapOf leads a sidecar to the control plane.
func bootstrapOf(node string) string {
	at := local.ControlPlaneAddress()
	return fmt.Sprintf(`
node: {id: %s, cluster: test}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 15000}}}
dynamic_resources:
  ads_config: {api_type: GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: ads}}]}
  cds_config: {resource_api_version: V3, initial_fetch_timeout: 0s, ads: {}}
  lds_config: {resource_api_version: V3, initial_fetch_timeout: 0s, ads: {}}
static_resources:
  clusters:
  - name: ads
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment: {cluster_name: ads, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %d}}}}]}]}
`, node, at.Addr(), at.Port())
}
