package sources

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

func meshConfigManifest(name, namespace, spec string) string {
	return fmt.Sprintf("apiVersion: config.flomesh.io/v1alpha2\nkind: MeshConfig\nmetadata: {name: %s, namespace: %s}\nspec:\n  %s", name, namespace, indented(spec))
}

// asJSON is a value as goldens show it.
func asJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const safestSettings = `{"meshName":"fsm","trustDomain":"cluster.local","permissive":false,"egress":false,` +
	`"tls":{"minimum":"1.2","maximum":"1.3"}`

func TestSettings(t *testing.T) {
	const from = `"from":{"kind":"MeshConfig","namespace":"fsm-system","name":"fsm-mesh-config"}}`
	tests := []struct {
		name  string
		spec  string
		want  string
		found []string
	}{
		{
			name: "nothing set is the safest",
			spec: "{}",
			want: safestSettings + "," + from,
		},
		{
			name: "modes",
			spec: "traffic: {enableEgress: true, enablePermissiveTrafficPolicyMode: true}",
			want: `{"meshName":"fsm","trustDomain":"cluster.local","permissive":true,"egress":true,"tls":{"minimum":"1.2","maximum":"1.3"},` + from,
		},
		{
			name: "TLS as written",
			spec: "sidecar: {tlsMinProtocolVersion: TLSv1_3, tlsMaxProtocolVersion: TLS_AUTO, cipherSuites: ['[AES256-SHA|AES128-SHA]', AES128-SHA], ecdhCurves: [P-256, X25519, P-256]}",
			want: `{"meshName":"fsm","trustDomain":"cluster.local","permissive":false,"egress":false,` +
				`"tls":{"minimum":"1.3","maximum":"1.3","ciphers":["[AES256-SHA|AES128-SHA]","AES128-SHA"],"curves":["P-256","X25519"]},` + from,
		},
		{
			name:  "TLS that is not safe is raised",
			spec:  "sidecar: {tlsMinProtocolVersion: TLSv1_0, tlsMaxProtocolVersion: TLSv1_1}",
			want:  `{"meshName":"fsm","trustDomain":"cluster.local","permissive":false,"egress":false,"tls":{"minimum":"1.2","maximum":"1.2"},` + from,
			found: []string{"FSM3003 fsm-mesh-config spec.sidecar.tlsMaxProtocolVersion", "FSM3003 fsm-mesh-config spec.sidecar.tlsMinProtocolVersion"},
		},
		{
			name:  "TLS versions that are none",
			spec:  "sidecar: {tlsMinProtocolVersion: TLSv1.3, tlsMaxProtocolVersion: '1.2'}",
			want:  safestSettings + "," + from,
			found: []string{"FSM3003 fsm-mesh-config spec.sidecar.tlsMaxProtocolVersion", "FSM3003 fsm-mesh-config spec.sidecar.tlsMinProtocolVersion"},
		},
		{
			name:  "TLS minimum above maximum",
			spec:  "sidecar: {tlsMinProtocolVersion: TLSv1_3, tlsMaxProtocolVersion: TLSv1_2}",
			want:  safestSettings + "," + from,
			found: []string{"FSM3003 fsm-mesh-config spec.sidecar.tlsMinProtocolVersion"},
		},
		{
			name:  "ciphers and curves that Envoy would refuse",
			spec:  "sidecar: {cipherSuites: [TLS_AES_128_GCM_SHA256, '[AES128-SHA|RC4]', '[]'], ecdhCurves: [P-224]}",
			want:  safestSettings + "," + from,
			found: []string{"FSM3003 fsm-mesh-config spec.sidecar.cipherSuites[0]", "FSM3003 fsm-mesh-config spec.sidecar.cipherSuites[1]", "FSM3003 fsm-mesh-config spec.sidecar.cipherSuites[2]", "FSM3003 fsm-mesh-config spec.sidecar.ecdhCurves[0]"},
		},
		{
			name: "interception, in order and without repetition",
			spec: `
traffic:
  outboundIPRangeExclusionList: [192.168.7.9/16, 10.0.0.0/8, 192.168.0.0/16, 'fd00::/8']
  outboundIPRangeInclusionList: [10.0.0.0/16, 10.0.0.0/8]
  outboundPortExclusionList: [443, 22, 443]
  inboundPortExclusionList: [65535, 1]
  networkInterfaceExclusionList: [eth1, docker0, 'veth+', eth1]`,
			want: safestSettings + `,"interception":{"outboundExcludedRanges":["10.0.0.0/8","192.168.0.0/16","fd00::/8"],"outboundIncludedRanges":["10.0.0.0/8","10.0.0.0/16"],` +
				`"outboundExcludedPorts":[22,443],"inboundExcludedPorts":[1,65535],"excludedInterfaces":["docker0","eth1","veth+"]},` + from,
		},
		{
			name: "interception that is invalid is left out",
			spec: `
traffic:
  outboundIPRangeExclusionList: [10.0.0.0/33, 10.0.0.0/8]
  outboundIPRangeInclusionList: [10.0.0.1, '*']
  outboundPortExclusionList: [0, 22]
  inboundPortExclusionList: [65536]
  networkInterfaceExclusionList: ['', '+', 'eth0 -j ACCEPT', a-name-that-is-too-long, '-i']`,
			want: safestSettings + `,"interception":{"outboundExcludedRanges":["10.0.0.0/8"],"outboundExcludedPorts":[22]},` + from,
			found: []string{
				"FSM3003 fsm-mesh-config spec.traffic.outboundIPRangeExclusionList[0]",
				"FSM3003 fsm-mesh-config spec.traffic.outboundIPRangeInclusionList[0]", "FSM3003 fsm-mesh-config spec.traffic.outboundIPRangeInclusionList[1]",
				"FSM3003 fsm-mesh-config spec.traffic.outboundPortExclusionList[0]",
				"FSM3003 fsm-mesh-config spec.traffic.inboundPortExclusionList[0]",
				"FSM3003 fsm-mesh-config spec.traffic.networkInterfaceExclusionList[0]", "FSM3003 fsm-mesh-config spec.traffic.networkInterfaceExclusionList[1]",
				"FSM3003 fsm-mesh-config spec.traffic.networkInterfaceExclusionList[2]", "FSM3003 fsm-mesh-config spec.traffic.networkInterfaceExclusionList[3]",
				"FSM3003 fsm-mesh-config spec.traffic.networkInterfaceExclusionList[4]",
			},
		},
		{
			name: "values for the control plane",
			spec: `
sidecar: {logLevel: warn, localProxyMode: PodIP, configResyncInterval: 30s, maxDataPlaneConnections: 5}
certificate: {serviceCertValidityDuration: 36h, certKeyBitSize: 4096}
observability: {fsmLogLevel: DEBUG, osmLogLevel: debug, enableDebugServer: true}
traffic: {inboundExternalAuthorization: {timeout: 1s, port: 9191}}`,
			want: safestSettings + `,"controlPlane":{"maxProxies":5,"resync":30000000000,"logLevel":"debug","debugServer":true,` +
				`"certificateValidity":129600000000000,"keyBits":4096},` + from,
		},
		{
			name: "values that are the default anyway",
			spec: `
sidecar: {configResyncInterval: 0s, maxDataPlaneConnections: 0}
certificate: {serviceCertValidityDuration: 1440m}
observability: {osmLogLevel: INFO, enableDebugServer: false}`,
			want: safestSettings + "," + from,
		},
		{
			name: "the older spelling of the log level",
			spec: "observability: {osmLogLevel: trace}",
			want: safestSettings + `,"controlPlane":{"logLevel":"trace"},` + from,
		},
		{
			name:  "two log levels",
			spec:  "observability: {fsmLogLevel: warn, osmLogLevel: trace}",
			want:  safestSettings + `,"controlPlane":{"logLevel":"warn"},` + from,
			found: []string{"FSM1108 fsm-mesh-config spec.observability.osmLogLevel"},
		},
		{
			name:  "a control plane that would do nothing else",
			spec:  "sidecar: {configResyncInterval: 29s}",
			want:  safestSettings + "," + from,
			found: []string{"FSM3003 fsm-mesh-config spec.sidecar.configResyncInterval"},
		},
		{
			name: "values that whoever reads them would find invalid",
			spec: `
sidecar: {logLevel: verbose, localProxyMode: localhost, configResyncInterval: -1s, maxDataPlaneConnections: -5}
certificate: {serviceCertValidityDuration: 1 day, certKeyBitSize: 1024, ingressGateway: {validityDuration: 0s}}
observability: {fsmLogLevel: loud, osmLogLevel: louder, tracing: {port: 70000}}
traffic: {inboundExternalAuthorization: {timeout: soon, port: -1}}`,
			want: safestSettings + `,"controlPlane":{"keyBits":2048},` + from,
			found: []string{
				"FSM3003 fsm-mesh-config spec.sidecar.logLevel", "FSM3003 fsm-mesh-config spec.sidecar.localProxyMode",
				"FSM3003 fsm-mesh-config spec.sidecar.configResyncInterval", "FSM3003 fsm-mesh-config spec.sidecar.maxDataPlaneConnections",
				"FSM3003 fsm-mesh-config spec.certificate.serviceCertValidityDuration", "FSM3003 fsm-mesh-config spec.certificate.certKeyBitSize",
				"FSM3003 fsm-mesh-config spec.certificate.ingressGateway.validityDuration",
				"FSM3003 fsm-mesh-config spec.observability.fsmLogLevel", "FSM3003 fsm-mesh-config spec.observability.osmLogLevel",
				"FSM3003 fsm-mesh-config spec.observability.tracing.port",
				"FSM3003 fsm-mesh-config spec.traffic.inboundExternalAuthorization.timeout", "FSM3003 fsm-mesh-config spec.traffic.inboundExternalAuthorization.port",
				"FSM3005 fsm-mesh-config spec.certificate.ingressGateway",
			},
		},
		{
			name:  "authorization that does not happen is an error",
			spec:  "traffic: {inboundExternalAuthorization: {enable: true, address: opa.opa, port: 9191}}",
			want:  safestSettings + `,"httpClosed":true,` + from,
			found: []string{"FSM3003 fsm-mesh-config spec.traffic.inboundExternalAuthorization.enable"},
		},
		{
			name:  "what has no effect yet is told once",
			spec:  "observability: {tracing: {enable: true}}\nfeatureFlags: {enableWASMStats: true, enableRetryPolicy: true}",
			want:  safestSettings + `,"controlPlane":{"flags":["enableRetryPolicy","enableWASMStats"]},` + from,
			found: []string{"FSM3005 fsm-mesh-config spec.featureFlags.enableRetryPolicy"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			settings, notes := resolveSettings(read(t, meshConfigManifest("fsm-mesh-config", "fsm-system", test.spec)))
			if diff := cmp.Diff(test.want, asJSON(t, settings)); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			slices.Sort(test.found)
			if diff := cmp.Diff(test.found, noted(notes)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			complete(t, notes)
		})
	}
}

func TestWhichMeshConfigCounts(t *testing.T) {
	open := "traffic: {enableEgress: true}"
	broken := func(namespace, name string) model.Ref {
		return model.Ref{Kind: "MeshConfig", Namespace: namespace, Name: name}
	}
	tests := []struct {
		name    string
		configs []string
		broken  []model.Ref
		from    string
		egress  bool
		found   []string
	}{
		{name: "none", found: []string{"FSM3001"}},
		{name: "any name, when it is the only one", configs: []string{meshConfigManifest("x", "where", open)}, from: "MeshConfig where/x", egress: true},
		{
			name:    "by its name",
			configs: []string{meshConfigManifest("a", "a", "{}"), meshConfigManifest("fsm-mesh-config", "z", open), meshConfigManifest("osm-mesh-config", "b", "{}")},
			from:    "MeshConfig z/fsm-mesh-config", egress: true,
			found: []string{"FSM3004 a", "FSM3004 osm-mesh-config"},
		},
		{
			name:    "by its name, then the control plane's namespace",
			configs: []string{meshConfigManifest("fsm-mesh-config", "fsm-system", "{}"), meshConfigManifest("fsm-mesh-config", "a", open)},
			from:    "MeshConfig fsm-system/fsm-mesh-config",
			found:   []string{"FSM3004 fsm-mesh-config"},
		},
		{
			name:    "the older spelling",
			configs: []string{meshConfigManifest("a", "fsm-system", "{}"), meshConfigManifest("osm-mesh-config", "osm-system", open), meshConfigManifest("osm-mesh-config", "a", "{}")},
			from:    "MeshConfig osm-system/osm-mesh-config", egress: true,
			found: []string{"FSM3004 a", "FSM3004 osm-mesh-config"},
		},
		{
			name:    "the first by namespace and name",
			configs: []string{meshConfigManifest("a", "b", "{}"), meshConfigManifest("c", "a", open)},
			from:    "MeshConfig a/c", egress: true,
			found: []string{"FSM3004 a"},
		},
		{
			name:   "a broken one is the safest",
			broken: []model.Ref{broken("fsm-system", "fsm-mesh-config")},
			from:   "MeshConfig fsm-system/fsm-mesh-config",
			found:  []string{"FSM3002 fsm-mesh-config"},
		},
		{
			name:    "a broken one still counts before another",
			configs: []string{meshConfigManifest("a", "fsm-system", open)},
			broken:  []model.Ref{broken("fsm-system", "fsm-mesh-config"), {Kind: "Service", Name: "x"}},
			from:    "MeshConfig fsm-system/fsm-mesh-config",
			found:   []string{"FSM3002 fsm-mesh-config", "FSM3004 a"},
		},
		{
			name:    "a broken one that does not count",
			configs: []string{meshConfigManifest("fsm-mesh-config", "fsm-system", open)},
			broken:  []model.Ref{broken("fsm-system", "a")},
			from:    "MeshConfig fsm-system/fsm-mesh-config", egress: true,
			found: []string{"FSM3004 a"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				objects := read(t, test.configs...)
				objects.Broken = test.broken
				settings, notes := resolveSettings(objects)
				if from := settings.From.String(); from != test.from && settings.From != (model.Ref{}) {
					t.Errorf("it is %s, want %s", from, test.from)
				}
				if settings.Egress != test.egress || settings.Permissive || settings.TLS.Minimum != "1.2" || settings.TLS.Maximum != "1.3" {
					t.Errorf("settings are %s", asJSON(t, settings))
				}
				if diff := cmp.Diff(test.found, noted(notes)); diff != "" {
					t.Errorf("findings (-want +got):\n%s", diff)
				}
				complete(t, notes)
				slices.Reverse(test.configs)
			}
		})
	}
}

func TestMeshName(t *testing.T) {
	if settings, _ := resolveSettings(Objects{MeshName: "other"}); settings.MeshName != "other" {
		t.Errorf("it is %q", settings.MeshName)
	}
}
