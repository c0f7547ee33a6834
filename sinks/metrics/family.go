package metrics

import "github.com/flomesh-io/fsmc/sinks"

// A family is one metric: a row of the table.
type family struct {
	name   string
	kind   kind
	labels []label
	help   string
	// was is how OSM called what means the same, or nearly the same; empty if it had nothing like it.
	was string
}

// kind is what Prometheus does with the numbers of a family.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// A label and the values that it takes; any other value is written as "other".
type label struct {
	name   string
	values []string
}

// other stands for every value that a label does not have.
const other = "other"

// The names of the metrics. Dashboards read them, so they are part of the interface.
const (
	proxiesConnected = "fsm_proxies_connected"
	streams          = "fsm_proxy_streams"
	streamsOpened    = "fsm_proxy_streams_opened_total"
	streamsRefused   = "fsm_proxy_streams_refused_total"
	responses        = "fsm_proxy_responses_total"
	resources        = "fsm_proxy_response_resources_total"
	responseBytes    = "fsm_proxy_response_bytes_total"
	acknowledgement  = "fsm_proxy_acknowledgement_seconds"
	rejections       = "fsm_proxy_rejections_total"
	coalesced        = "fsm_proxy_states_coalesced_total"
	sourceEvents     = "fsm_source_events_total"
	eventsQueued     = "fsm_events_queued"
	steps            = "fsm_step_seconds"
	reuseWanted      = "fsm_reuse_wanted_total"
	reuseReused      = "fsm_reuse_reused_total"
	meshEntities     = "fsm_mesh_entities"
	diagnostics      = "fsm_diagnostics"
	issued           = "fsm_cert_issued_total"
	issueFailures    = "fsm_cert_issue_failures_total"
	issueTime        = "fsm_cert_issue_seconds"
	expiry           = "fsm_cert_first_expiry_timestamp_seconds"
	flagEnabled      = "fsm_feature_flag_enabled"
	versionInfo      = "fsm_version_info"
)

// families is the table of all metrics, in the order of the documentation.
func families() []family {
	var (
		protocol = label{"protocol", []string{"delta", "state-of-the-world"}}
		cause    = label{"cause", causes}
		types    = label{"type", []string{"clusters", "endpoints", "routes", "listeners", "secrets"}}
		reason   = label{"reason", []string{sinks.PushSubscription, sinks.PushSnapshot, sinks.PushCertificate, sinks.PushRetry}}
		event    = label{"event", []string{"changed", "failed", "polled"}}
		step     = label{"step", []string{"read", "complete", "resolve", "compile", "publish"}}
		reuse    = label{"kind", []string{"documents", "objects", "services", "identities", "policies", "entities", "specs", "views", "classes", "resources"}}
		entity   = label{"kind", []string{"services", "proxies", "permissions", "splits", "classes", "resources"}}
		level    = label{"level", []string{"error", "warning", "info"}}
		flag     = label{"feature_flag", flags}
	)
	return []family{
		{proxiesConnected, gauge, nil, "Proxies that are connected now.", "osm_proxy_connect_count"},
		{streams, gauge, []label{protocol}, "Streams of proxies that are open now.", ""},
		{streamsOpened, counter, []label{protocol}, "Streams that proxies opened. More than there are proxies: they came back.", "osm_proxy_reconnect_count"},
		{streamsRefused, counter, []label{cause}, "Streams that were not let in, or were ended, by cause. The bound of too-many-proxies is maxDataPlaneConnections.", "osm_proxy_max_connections_rejected"},
		{responses, counter, []label{types, reason}, "Responses that were sent to proxies, by type of resource and by what they follow.", "osm_proxy_response_send_success_count"},
		{resources, counter, []label{types, reason}, "Resources in those responses.", ""},
		{responseBytes, counter, []label{types, reason}, "Bytes of the resources in those responses.", ""},
		{acknowledgement, histogram, []label{types}, "Time from sending a response until the proxy took it.", "osm_proxy_config_update_time"},
		{rejections, counter, []label{types}, "Responses that a proxy did not take (NACK). Any is a bug or a proxy of another version.", ""},
		{coalesced, counter, []label{types}, "States of a type that a slow proxy was never sent, because a newer one was there.", ""},
		{sourceEvents, counter, []label{event}, "What the source of the mesh reported: it changed, it failed to be read, it was looked at without an event.", "osm_k8s_api_event_count"},
		{eventsQueued, gauge, nil, "Changes of the source that wait for being compiled.", "osm_events_queued"},
		{steps, histogram, []label{step}, "Time of one step from the source to the sinks.", "osm_proxy_config_update_time"},
		{reuseWanted, counter, []label{reuse}, "Things that were needed again in compiling, by kind.", ""},
		{reuseReused, counter, []label{reuse}, "Those of them that were taken over from before.", ""},
		{meshEntities, gauge, []label{entity}, "What the mesh has now, by kind.", ""},
		{diagnostics, gauge, []label{level}, "Findings in what the mesh is made of now.", "osm_error_err_code_count"},
		{issued, counter, nil, "Certificates that were issued.", "osm_cert_issued_count"},
		{issueFailures, counter, nil, "Certificates that could not be issued.", ""},
		{issueTime, histogram, nil, "Time of issuing one certificate.", "osm_cert_issued_time"},
		{expiry, gauge, nil, "When the first of all certificates in use ends, in seconds since 1970. Absent while there is none.", ""},
		{flagEnabled, gauge, []label{flag}, "Whether a feature flag is on (1) or off (0).", "osm_feature_flag_enabled"},
		{versionInfo, gauge, []label{{name: "version"}, {name: "build_date"}, {name: "git_commit"}}, "Which program this is; always 1.", "osm_version_info"},
	}
}

// flags are the fields of spec.featureFlags of a MeshConfig.
var flags = []string{
	"enableAsyncProxyServiceMapping", "enableEgressPolicy", "enableEnvoyActiveHealthChecks", "enableIngressBackendPolicy",
	"enableMeshRootCertificate", "enableMulticlusterMode", "enableRetryPolicy", "enableSnapshotCacheMode", "enableWASMStats",
}

// causes are why the ADS server refuses or ends streams.
var causes = []string{
	"unauthenticated", "no-certificate", "certificate-names", "trust-domain", "node-id", "foreign-proxy", "unknown-proxy", "gone-proxy",
	"no-snapshot", "too-many-proxies", "too-many-waiting", "draining", "superseded", "silent", "slow", "names", "nonce", "type", "garbage",
	"handshake", "certificate-expired", "certificate-unknown-authority", "certificate-invalid",
}

// bounds are the upper bounds of the buckets of every histogram, in seconds: from one resource to a large mesh.
var bounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
