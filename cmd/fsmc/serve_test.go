package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// server is an `fsmc serve` in this process.
type server struct {
	t         *testing.T
	manifests string
	out       string
	address   string
	metrics   string
	debug     string
	output    *parts.Output
	stop      context.CancelFunc
	code      chan int
}

// free is an address that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// serve starts a server whose debug server is on and that logs everything.
func serve(t *testing.T) *server {
	t.Helper()
	return serveWith(t, "--enable-debug-server", "--log-level", "trace")
}

func serveWith(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{
		t: t, manifests: t.TempDir(), out: filepath.Join(t.TempDir(), "out"), address: free(t), metrics: free(t), debug: free(t),
		output: &parts.Output{}, code: make(chan int, 1),
	}
	for _, name := range []string{"apps.yaml", "mesh.yaml", "policy.yaml"} {
		s.write(name, readFile(t, filepath.Join("../../demo/bookstore/split", name)))
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(t.Context())
	args = append([]string{
		"serve", s.manifests, "-o", s.out, "--listen", s.address, "--metrics-address", s.metrics, "--debug-address", s.debug, "--drain", "100ms",
	}, args...)
	go func() {
		s.code <- execute(ctx, args, world{in: strings.NewReader(""), out: s.output, err: s.output, getenv: func(string) string { return "" }, now: time.Now})
	}()
	s.await("it serves", func() bool { return strings.Contains(s.output.String(), "serving:") })
	return s
}

// end interrupts the server and returns its exit code.
func (s *server) end() int {
	s.stop()
	return <-s.code
}

func (s *server) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.manifests, name)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		s.t.Fatal(err)
	}
}

// await waits for a condition.
func (s *server) await(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("it is not so after 20 s that %s:\n%s", what, s.output)
		}
	}
}

// get is a page, and its status.
func (s *server) get(url string) (string, int) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html, */*") // As a browser does.
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text), response.StatusCode
}

// proxy opens a stream as the sidecar of a pod would, with the certificate in its folder.
func (s *server) proxy(namespace, name string) discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient {
	s.t.Helper()
	folder := filepath.Join(s.out, "proxies", namespace, name)
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(readFile(s.t, filepath.Join(folder, "ca.crt"))))
	connection, err := grpc.NewClient(s.address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair},
		InsecureSkipVerify: true, // #nosec G402 -- the server is known by its URI, which is verified here
		VerifyConnection: func(c tls.ConnectionState) error {
			_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
			if err == nil && c.PeerCertificates[0].URIs[0].String() != "spiffe://cluster.local/ns/fsm-system/sa/fsm-controller" {
				err = fmt.Errorf("the server is %s", c.PeerCertificates[0].URIs[0])
			}
			return err
		},
	})))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = connection.Close() })
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(connection).DeltaAggregatedResources(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return stream
}

const (
	clusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	secretType  = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
)

// ask subscribes to resources of a type and acknowledges the answer.
func ask(t *testing.T, stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient, kind string, names ...string) *discoveryv3.DeltaDiscoveryResponse {
	t.Helper()
	if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{
		Node: &corev3.Node{Id: "bookbuyer/bookbuyer-0"}, TypeUrl: kind, ResourceNamesSubscribe: names,
	}); err != nil {
		t.Fatal(err)
	}
	return receive(t, stream, kind)
}

func receive(t *testing.T, stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient, kind string) *discoveryv3.DeltaDiscoveryResponse {
	t.Helper()
	for {
		response, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce}); err != nil {
			t.Fatal(err)
		}
		if response.TypeUrl == kind {
			return response
		}
	}
}

func TestServe(t *testing.T) {
	s := serve(t)
	stream := s.proxy("bookbuyer", "bookbuyer-0")
	if n := len(ask(t, stream, clusterType).Resources); n == 0 {
		t.Error("it has no clusters")
	}
	secrets := ask(t, stream, secretType, "service-cert")
	if len(secrets.Resources) != 1 {
		t.Fatalf("it has %d secrets", len(secrets.Resources))
	}
	s.await("the proxy is there", func() bool {
		text, _ := s.get("http://" + s.debug + "/debug/proxies?format=json")
		return strings.Contains(text, `"bookbuyer-0"`)
	})

	s.write("broken.yaml", "apiVersion: v1\nkind: [Service\n")
	s.await("the mistake is told", func() bool { return strings.Contains(s.output.String(), "FSM1001") })
	s.write("more.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: more, namespace: bookstore}\nspec: {selector: {app: bookstore}, ports: [{port: 80, targetPort: 14001}]}\n")
	s.await("the edit is served", func() bool {
		text, _ := s.get("http://" + s.debug + "/debug/mesh?format=json")
		return strings.Contains(text, `"more"`)
	})

	for path, want := range map[string]int{"/health/alive": 200, "/health/ready": 200, "/version": 200, "/metrics": 200} {
		if text, status := s.get("http://" + s.metrics + path); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for _, series := range []string{
		`fsm_proxies_connected 1`, `fsm_proxy_responses_total{reason="subscription",type="clusters"} 1`, `fsm_proxy_acknowledgement_seconds_count{type="clusters"}`,
		`fsm_cert_issued_total `, `fsm_cert_first_expiry_timestamp_seconds `, `fsm_step_seconds_count{step="compile"}`, `fsm_reuse_reused_total{kind="classes"}`,
		`fsm_source_events_total{event="changed"}`, `fsm_diagnostics{level="error"} 1`, `fsm_mesh_entities{kind="proxies"} 6`,
	} {
		s.await("the metrics have "+series, func() bool {
			metrics, _ := s.get("http://" + s.metrics + "/metrics")
			return strings.Contains(metrics, series)
		})
	}
	s.keepsSecrets(secrets)
	if code := s.end(); code != exitFindings {
		t.Errorf("exit code %d: there is an error in the manifests\n%s", code, s.output)
	}
}

// TestSettingsOfTheControlPlaneAreFollowed: the debug server and the level of the log are what the MeshConfig says.
func TestSettingsOfTheControlPlaneAreFollowed(t *testing.T) {
	s := serveWith(t)
	answers := func() bool {
		c, err := net.Dial("tcp", s.debug)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}
	if answers() {
		t.Error("the debug server is on, and nobody asked for it")
	}
	observed := func(level string, debug bool) {
		s.write("mesh.yaml", fmt.Sprintf(`apiVersion: config.flomesh.io/v1alpha2
kind: MeshConfig
metadata: {name: fsm-mesh-config, namespace: fsm-system}
spec: {observability: {fsmLogLevel: %s, enableDebugServer: %t}}
`, level, debug))
	}
	observed("debug", true)
	s.await("the debug server is on", answers)
	level := func() string {
		text, _ := s.get("http://" + s.debug + "/debug/log-level?format=json")
		return text
	}
	s.await("the level is debug", func() bool { return strings.Contains(level(), "debug") })
	observed("error", false)
	s.await("the debug server is off", func() bool { return !answers() })
	before := len(s.output.String())
	s.write("more.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: more, namespace: bookstore}\nspec: {selector: {app: bookstore}, ports: [{port: 80, targetPort: 14001}]}\n")
	s.await("the edit is counted", func() bool {
		metrics, _ := s.get("http://" + s.metrics + "/metrics")
		return strings.Contains(metrics, `fsm_mesh_entities{kind="services"} 6`)
	})
	if text := s.output.String()[before:]; strings.Contains(text, "level=info") {
		t.Errorf("at level error it logs\n%s", text)
	}
	if code := s.end(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

// keepsSecrets looks for private keys in everything that the server writes.
func (s *server) keepsSecrets(secrets *discoveryv3.DeltaDiscoveryResponse) {
	s.t.Helper()
	var secret tlsv3.Secret
	if err := proto.Unmarshal(secrets.Resources[0].Resource.Value, &secret); err != nil {
		s.t.Fatal(err)
	}
	keys := [][]byte{secret.GetTlsCertificate().GetPrivateKey().GetInlineBytes()}
	for _, file := range []string{filepath.Join(s.out, "proxies/bookbuyer/bookbuyer-0/tls.key"), filepath.Join(s.out+"-ca", "ca.key")} {
		keys = append(keys, []byte(readFile(s.t, file)))
	}
	written := map[string]string{"the output": s.output.String()}
	page := "http://" + s.debug + "/debug/"
	index, _ := s.get(page)
	for _, link := range regexp.MustCompile(`href="(/[^"#]*)"`).FindAllStringSubmatch(index, -1) {
		if !strings.Contains(link[1], "pprof/profile") && !strings.Contains(link[1], "pprof/trace") {
			written[link[1]], _ = s.get("http://" + s.debug + link[1])
		}
	}
	if len(written) < 8 {
		s.t.Errorf("only %d pages were looked at", len(written))
	}
	for where, text := range written {
		for i, key := range keys {
			if fragment := middle(s.t, key); strings.Contains(text, fragment) || strings.Contains(text, "PRIVATE KEY") {
				s.t.Errorf("%s shows key %d", where, i)
			}
		}
	}
}

// middle is a part of a key that no other text has.
func middle(t *testing.T, key []byte) string {
	t.Helper()
	block, _ := pem.Decode(key)
	if block == nil {
		t.Fatal("it is no key")
	}
	text := base64.StdEncoding.EncodeToString(block.Bytes)
	return text[len(text)/2 : len(text)/2+24]
}

func TestServeRefusesWhatCannotWork(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	out := filepath.Join(t.TempDir(), "out")
	for name, row := range map[string]struct {
		args []string
		want string
	}{
		"no folder":         {[]string{"serve", "../../demo/bookstore/smi"}, "serve needs -o DIR"},
		"no manifests":      {[]string{"serve", "-o", out}, "needs a file, a folder"},
		"manifests missing": {[]string{"serve", "/nowhere", "-o", out, "--listen", "127.0.0.1:0", "--advertise", "localhost:1"}, "/nowhere"},
		"the port is taken": {[]string{"serve", "../../demo/bookstore/smi", "-o", out, "--listen", taken.Addr().String()}, "address already in use"},
		"no port":           {[]string{"serve", "../../demo/bookstore/smi", "-o", out, "--listen", "127.0.0.1:0"}, "--advertise"},
		"a level":           {[]string{"serve", "../../demo/bookstore/smi", "-o", out, "--listen", free(t), "--metrics-address", "", "--log-level", "loud"}, "--log-level"},
		"nobody serves": {
			[]string{"up", "../../demo/bookstore/smi", "--envoy", "/bin/true", "--server", out + ".sock", "--ca-dir", out + "-ca"}, "nobody serves at " + out + ".sock",
		},
		"manifests in a way": {[]string{"serve", out, "-o", filepath.Join(out, "x")}, "would be read as manifests"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "manifests in a way" {
				if err := os.MkdirAll(out, 0o750); err != nil {
					t.Fatal(err)
				}
			}
			var text bytes.Buffer
			code := execute(t.Context(), row.args, world{in: strings.NewReader(""), out: &text, err: &text, getenv: func(string) string { return "" }, now: time.Now})
			if code != exitFailed || !strings.Contains(text.String(), row.want) {
				t.Errorf("exit code %d: %s", code, text.String())
			}
		})
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
