package compiler

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
)

// Names are kept as they are promised, and those that only look alike are not.
func TestStatisticsAreKept(t *testing.T) {
	patterns := statistics().StatsMatcher.GetInclusionList().Patterns
	if len(patterns) != 1 {
		t.Fatalf("%d patterns are tried one after the other", len(patterns))
	}
	kept := regexp.MustCompile(`^(?:` + patterns[0].GetSafeRegex().Regex + `)$`)
	for name, want := range map[string]bool{
		"cluster.shop/web|80.upstream_rq_total":                                                    true,
		"cluster.shop/web|80.upstream_rq_503":                                                      true,
		"cluster.shop/db-0_db|3306.upstream_cx_rx_bytes_total":                                     true,
		"cluster.8080|local.upstream_rq_time":                                                      true,
		"cluster.shop/web|80|direct.upstream_cx_total":                                             true,
		"cluster.shop/web|80|direct.upstream_rq_total":                                             false,
		"cluster.shop/web|80|direct.membership_healthy":                                            false,
		"cluster.fsm-controller.upstream_cx_connect_fail":                                          true,
		"cluster.shop/web|80.membership_healthy":                                                   true,
		"cluster.shop/web|80.membership_degraded":                                                  false,
		"cluster.shop/web|80.ssl.fail_verify_san":                                                  true,
		"cluster.shop/web|80.ssl.ocsp_staple_failed":                                               false,
		"cluster.shop/web|80.external.upstream_rq_total":                                           false,
		"cluster.shop/web|80.circuit_breakers.default.remaining_rq":                                false,
		"cluster.shop/web|80.lb_healthy_panic":                                                     false,
		"http.mesh-http-conn-manager.rds-inbound.8080.rbac.policy.shop/admit.allowed":              true,
		"http.mesh-http-conn-manager.rds-outbound.80.downstream_rq_2xx":                            true,
		"tcp.inbound-mesh-tcp-proxy.3306|local.downstream_cx_total":                                true,
		"tcp.outbound-mesh-tcp-proxy_outbound_shop/db-0.db_3306_tcp.downstream_cx_total":           true,
		"tcp.inbound-mesh-tcp-proxy.3306|local.upstream_flush_active":                              false,
		"network-.rbac.denied":                                                                     true,
		"listener.inbound-listener.ssl.fail_verify_error":                                          true,
		"listener.inbound-listener.no_filter_chain_match":                                          true,
		"listener.inbound-listener.http.mesh-http-conn-manager.rds-inbound.8080.downstream_rq_2xx": false,
		"listener_manager.lds.update_time":                                                         true,
		"cluster_manager.cds.update_time":                                                          true,
		"control_plane.connected_state":                                                            true,
		"sds.service-cert.update_time":                                                             true,
		"server.memory_allocated":                                                                  true,
		"vhost.outbound_virtual-host|web.vcluster.other.upstream_rq_total":                         false,
		"runtime.num_keys": false,
	} {
		if got := kept.MatchString(name); got != want {
			t.Errorf("%s: kept is %t", name, got)
		}
	}
}

// What is a name in Envoy's statistics and would be part of a metric's name becomes a label.
func TestNamesBecomeLabels(t *testing.T) {
	for _, row := range []struct{ name, label, without, value string }{
		{"http.mesh-http-conn-manager.rds-outbound.80.downstream_rq_2xx", "route_table", "http.mesh-http-conn-manager.downstream_rq_2xx", "rds-outbound.80"},
		{"http.mesh-http-conn-manager.rds-inbound.8080.rds.rds-inbound.8080.update_time", "rds", "http.mesh-http-conn-manager.rds-inbound.8080.rds.update_time", "rds-inbound.8080"},
		{"http.mesh-http-conn-manager.rds-inbound.8080.rbac.policy.shop/v1.2.allowed", "policy", "http.mesh-http-conn-manager.rds-inbound.8080.rbac.policy.allowed", "shop/v1.2"},
	} {
		tags := statistics().StatsTags
		i := slices.IndexFunc(tags, func(s *metricsv3.TagSpecifier) bool { return s.TagName == row.label })
		found := regexp.MustCompile(tags[i].GetRegex()).FindStringSubmatchIndex(row.name)
		if found == nil {
			t.Errorf("%s has no label %s", row.name, row.label)
			continue
		}
		if value, without := row.name[found[4]:found[5]], row.name[:found[2]]+row.name[found[3]:]; value != row.value || without != row.without {
			t.Errorf("%s is %s with %s=%s", row.name, without, row.label, value)
		}
	}
}

// Every series has a name that Prometheus takes, and is promised once.
func TestSeriesAreNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range SidecarStatistics() {
		if len(s.Series) == 0 || strings.TrimSpace(s.Means) == "" {
			t.Errorf("%s promises nothing", s.Names)
		}
		for _, name := range s.Series {
			if seen[name] || !regexp.MustCompile(`^envoy_[a-z][a-z0-9_]*$`).MatchString(name) {
				t.Errorf("%s has the series %q", s.Names, name)
			}
			seen[name] = true
		}
	}
}
