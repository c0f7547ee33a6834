package sources

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

func TestProtocolOf(t *testing.T) {
	for name, row := range map[string]struct {
		appProtocol, portName string
		want                  model.Protocol
		unknown               bool
	}{
		"nothing":                       {"", "", model.HTTP, false},
		"http":                          {"http", "", model.HTTP, false},
		"any case":                      {"GrPC", "", model.GRPC, false},
		"kubernetes h2c":                {"kubernetes.io/h2c", "", model.H2C, false},
		"kubernetes ws":                 {"kubernetes.io/ws", "", model.HTTP, false},
		"kubernetes wss":                {"kubernetes.io/wss", "", model.TLSPassthrough, false},
		"ws":                            {"ws", "", model.HTTP, false},
		"http2":                         {"http2", "", model.H2C, false},
		"https":                         {"https", "", model.TLSPassthrough, false},
		"tls":                           {"tls", "", model.TLSPassthrough, false},
		"tcp":                           {"TCP", "", model.TCP, false},
		"server first":                  {"tcp-server-first", "", model.TCPServerFirst, false},
		"grpc-web":                      {"grpc-web", "", model.HTTP, false},
		"unknown":                       {"mongo", "http", model.TCP, true},
		"unknown with a domain":         {"example.com/http", "", model.TCP, true},
		"appProtocol beats the name":    {"tcp", "http-web", model.TCP, false},
		"name, whole":                   {"", "grpc", model.GRPC, false},
		"name with suffix":              {"", "tcp-db", model.TCP, false},
		"name, any case":                {"", "Tcp-db", model.TCP, false},
		"name, the longest":             {"", "tcp-server-first-db", model.TCPServerFirst, false},
		"name, nearly the longest":      {"", "tcp-server-firsts", model.TCP, false},
		"name, grpc-web before grpc":    {"", "grpc-web-1", model.HTTP, false},
		"name, https is not http":       {"", "https-admin", model.TLSPassthrough, false},
		"name, http2":                   {"", "http2-x", model.H2C, false},
		"name, only the letters":        {"", "tcpish", model.HTTP, false},
		"name, not at the beginning":    {"", "my-tcp", model.HTTP, false},
		"name, that nobody knows":       {"", "mongo", model.HTTP, false},
		"name, kubernetes' are no name": {"", "ws-x", model.HTTP, false},
	} {
		t.Run(name, func(t *testing.T) {
			port := corev1.ServicePort{Name: row.portName}
			if row.appProtocol != "" {
				port.AppProtocol = &row.appProtocol
			}
			got, diagnostics := protocolOf(port, model.Ref{Kind: "Service", Field: "spec.ports[2]"})
			if got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
			if unknown := len(diagnostics) == 1 && diagnostics[0].Code == model.UnknownProtocol &&
				diagnostics[0].At.Field == "spec.ports[2].appProtocol"; unknown != row.unknown {
				t.Errorf("got diagnostics %v", diagnostics)
			}
		})
	}
}

func TestPortNamesAreLongestFirst(t *testing.T) {
	for i, name := range portNames {
		if _, ok := appProtocols[name]; !ok {
			t.Errorf("%s has no protocol", name)
		}
		for _, later := range portNames[i+1:] {
			if len(later) > len(name) && later[:len(name)+1] == name+"-" {
				t.Errorf("%s hides %s", name, later)
			}
		}
	}
}
