package compiler

import (
	"regexp"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// Envoy keeps well over a hundred statistics for each cluster, used or not. In a sidecar that sees a thousand services they
// are more than a third of its memory. So a sidecar keeps those that somebody was promised (this file), and those of a
// cluster's traffic only once there is some.

// Statistics are statistics of a sidecar that dashboards may rely on: those of one pattern of Envoy's names.
type Statistics struct {
	// Names is the pattern: * stands for one word, which may be in two parts like shop/web|80, ** for anything, {a,b} for
	// either.
	Names string
	// Means says what they tell.
	Means string
	// Series are what they are called in Prometheus: those of them that are there once there was traffic of the kind. A
	// histogram has these names with _bucket, _sum and _count.
	Series []string
}

// SidecarStatistics are all that a sidecar keeps; what is not among them it does not have.
func SidecarStatistics() []Statistics {
	return []Statistics{
		{"cluster.*.upstream_rq_**", "requests to a service: by status and class of status, how long, in flight, failed, retried", series("cluster",
			"upstream_rq_total", "upstream_rq", "upstream_rq_xx", "upstream_rq_completed", "upstream_rq_time", "upstream_rq_active", "upstream_rq_pending_total",
			"upstream_rq_pending_active", "upstream_rq_pending_overflow", "upstream_rq_pending_failure_eject", "upstream_rq_cancelled", "upstream_rq_timeout",
			"upstream_rq_per_try_timeout", "upstream_rq_rx_reset", "upstream_rq_tx_reset", "upstream_rq_retry", "upstream_rq_retry_success", "upstream_rq_retry_overflow",
			"upstream_rq_retry_limit_exceeded", "upstream_rq_retry_backoff_exponential", "upstream_rq_maintenance_mode")},
		{"cluster.{*,*|direct}.upstream_cx_**", "connections to a service, or to its pods by their addresses, and their bytes", series("cluster",
			"upstream_cx_total", "upstream_cx_active", "upstream_cx_http1_total", "upstream_cx_http2_total", "upstream_cx_connect_fail", "upstream_cx_connect_timeout",
			"upstream_cx_connect_ms", "upstream_cx_length_ms", "upstream_cx_overflow", "upstream_cx_protocol_error", "upstream_cx_none_healthy", "upstream_cx_idle_timeout",
			"upstream_cx_destroy", "upstream_cx_destroy_local", "upstream_cx_destroy_remote", "upstream_cx_destroy_with_active_rq", "upstream_cx_close_notify",
			"upstream_cx_rx_bytes_total", "upstream_cx_rx_bytes_buffered", "upstream_cx_tx_bytes_total", "upstream_cx_tx_bytes_buffered")},
		{"cluster.*.membership_{total,healthy,change}", "endpoints of a service", series("cluster", "membership_total", "membership_healthy", "membership_change")},
		{"cluster.*.ssl.{handshake,connection_error,fail_verify_error,fail_verify_san}", "handshakes with a service, and why they failed", series("cluster",
			"ssl_handshake", "ssl_connection_error", "ssl_fail_verify_error", "ssl_fail_verify_san")},
		{"http.**", "requests and connections as they came from the application (rds-outbound) and from other sidecars (rds-inbound), what policies decided, and route tables", append(series("http",
			"downstream_rq_total", "downstream_rq_active", "downstream_rq_completed", "downstream_rq_xx", "downstream_rq_time", "downstream_rq_rx_reset", "downstream_rq_tx_reset",
			"downstream_rq_timeout", "downstream_rq_too_large", "downstream_cx_total", "downstream_cx_active", "downstream_cx_http1_total", "downstream_cx_http2_total",
			"downstream_cx_ssl_total", "downstream_cx_length_ms", "downstream_cx_destroy_remote", "downstream_cx_protocol_error", "downstream_cx_rx_bytes_total",
			"downstream_cx_tx_bytes_total", "no_route", "no_cluster", "rq_direct_response"), series("http", "rbac_allowed", "rbac_denied", "rbac_policy_allowed", "rds_update_success", "rds_update_rejected", "rds_update_time")...)},
		{"tcp.**.downstream_cx_{total,no_route,rx_bytes_total,tx_bytes_total}", "connections that are not HTTP, and their bytes", series("tcp",
			"downstream_cx_total", "downstream_cx_no_route", "downstream_cx_rx_bytes_total", "downstream_cx_tx_bytes_total")},
		{"network-.rbac.**", "what policies decided about connections that are not HTTP", []string{"envoy_rbac_allowed", "envoy_rbac_denied"}},
		{"listener.*.{downstream_cx_**,no_filter_chain_match,ssl.**}", "connections to the sidecar, those that nobody was meant by, and handshakes", series("listener",
			"downstream_cx_total", "downstream_cx_active", "downstream_cx_destroy", "downstream_cx_length_ms", "downstream_cx_overflow", "no_filter_chain_match",
			"ssl_handshake", "ssl_connection_error", "ssl_fail_verify_error", "ssl_fail_verify_no_cert", "ssl_fail_verify_san")},
		{"listener_manager.**", "listeners, and how configuration for them was taken", series("listener_manager",
			"total_listeners_active", "total_listeners_draining", "total_filter_chains_draining", "listener_create_success", "listener_create_failure",
			"listener_in_place_updated", "lds_update_success", "lds_update_rejected", "lds_update_time")},
		{"cluster_manager.**", "clusters, and how configuration for them was taken", series("cluster_manager",
			"active_clusters", "warming_clusters", "cluster_added", "cluster_modified", "cluster_removed", "cds_update_success", "cds_update_rejected", "cds_update_time")},
		{"control_plane.**", "the stream to the control plane", series("control_plane", "connected_state", "rate_limit_enforced", "pending_requests")},
		{"sds.**", "certificates and roots, and how they were taken", series("sds", "update_success", "update_rejected", "update_time", "key_rotation_failed")},
		{"server.**", "the sidecar itself", series("server",
			"live", "state", "uptime", "version", "concurrency", "memory_allocated", "memory_heap_size", "memory_physical_size", "total_connections",
			"days_until_first_cert_expiring", "initialization_time_ms")},
	}
}

// series are names in Prometheus.
func series(scope string, names ...string) []string {
	for i, name := range names {
		names[i] = "envoy_" + scope + "_" + name
	}
	return names
}

// Expression is the pattern of the names as an expression for the whole of a name.
func (s Statistics) Expression() string {
	return strings.NewReplacer(`.`, `\.`, `|`, `\|`, `**`, `.+`, `*`, `[^.|]+(?:\|[^.|]+)?`, `{`, `(?:`, `,`, `|`, `}`, `)`).Replace(s.Names)
}

// statistics has Envoy keep what is promised. It is one expression, as Envoy tries one after the other. The names of route
// tables and policies become labels: left alone, each port and each policy would have metrics of its own.
func statistics() *metricsv3.StatsConfig {
	var all []string
	for _, s := range SidecarStatistics() {
		all = append(all, s.Expression())
	}
	return &metricsv3.StatsConfig{
		StatsMatcher: &metricsv3.StatsMatcher{StatsMatcher: &metricsv3.StatsMatcher_InclusionList{
			InclusionList: &matcherv3.ListStringMatcher{Patterns: []*matcherv3.StringMatcher{expression(strings.Join(all, "|"))}},
		}},
		StatsTags: []*metricsv3.TagSpecifier{
			label("route_table", "^http"+regexp.QuoteMeta("."+connectionsPrefix)+`((rds-[a-z]+\.\d+)\.)`),
			label("rds", `^http\..+\.rds\.((rds-[a-z]+\.\d+)\.)`),
			label("policy", `rbac\.policy\.((.+)\.)(?:shadow_)?(?:allowed|denied)$`),
		},
	}
}

// label takes what the first group of an expression matches out of a name, and makes a label of what the second does.
func label(name, expression string) *metricsv3.TagSpecifier {
	return &metricsv3.TagSpecifier{TagName: name, TagValue: &metricsv3.TagSpecifier_Regex{Regex: expression}}
}

// whenUsed has Envoy make the statistics of a cluster's traffic when there is some.
func whenUsed() *bootstrapv3.Bootstrap_DeferredStatOptions {
	return &bootstrapv3.Bootstrap_DeferredStatOptions{EnableDeferredCreationStats: true}
}
