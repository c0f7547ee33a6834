package sources

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// ProtocolOf is what is spoken on a service port, for those who run it.
func ProtocolOf(port corev1.ServicePort) model.Protocol {
	protocol, _ := protocolOf(port, model.Ref{})
	return protocol
}

// protocolOf is what is spoken on a service port: appProtocol says it, then the port's name, and without either it is
// HTTP. What an appProtocol means that is not known cannot be guessed: it is carried as opaque TCP.
func protocolOf(port corev1.ServicePort, at model.Ref) (model.Protocol, []model.Diagnostic) {
	if port.AppProtocol == nil || *port.AppProtocol == "" {
		return protocolOfName(port.Name), nil
	}
	if protocol, ok := appProtocols[strings.ToLower(*port.AppProtocol)]; ok {
		return protocol, nil
	}
	return model.TCP, []model.Diagnostic{model.Note(model.UnknownProtocol, at.At(at.Field+".appProtocol"),
		fmt.Sprintf("protocol %q is not known", *port.AppProtocol)).Did("carried as opaque TCP")}
}

// appProtocols are the values of appProtocol, in lower case: Kubernetes' own, and those that people write.
var appProtocols = map[string]model.Protocol{
	"http":              model.HTTP,
	"grpc-web":          model.HTTP,
	"ws":                model.HTTP,
	"kubernetes.io/ws":  model.HTTP,
	"h2c":               model.H2C,
	"http2":             model.H2C,
	"kubernetes.io/h2c": model.H2C,
	"grpc":              model.GRPC,
	"tcp":               model.TCP,
	"tcp-server-first":  model.TCPServerFirst,
	"tls":               model.TLSPassthrough,
	"https":             model.TLSPassthrough,
	"wss":               model.TLSPassthrough,
	"kubernetes.io/wss": model.TLSPassthrough,
}

// portNames are what a port's name can begin with, the longer before what it begins with itself.
var portNames = []string{"tcp-server-first", "grpc-web", "https", "http2", "http", "h2c", "grpc", "tcp", "tls"}

// protocolOfName is the protocol that a port's name is, or begins with up to a hyphen.
func protocolOfName(name string) model.Protocol {
	name = strings.ToLower(name)
	for _, known := range portNames {
		if name == known || strings.HasPrefix(name, known+"-") {
			return appProtocols[known]
		}
	}
	return model.HTTP
}
