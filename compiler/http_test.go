package compiler

import (
	"regexp"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// Inbound normalises paths before policy sees them, so that a rule cannot be walked around; outbound leaves the
// application's requests as they are.
func TestPathsAreNormalisedOnTheWayIn(t *testing.T) {
	in, out := inboundConnections("r"), outboundConnections("r")
	if !in.NormalizePath.GetValue() || !in.MergeSlashes || in.PathWithEscapedSlashesAction != hcmv3.HttpConnectionManager_REJECT_REQUEST {
		t.Errorf("inbound takes paths as they come: %v", in)
	}
	if out.NormalizePath != nil || out.MergeSlashes || out.PathWithEscapedSlashesAction != 0 {
		t.Errorf("outbound changes paths: %v", out)
	}
	if in.ForwardClientCertDetails != hcmv3.HttpConnectionManager_SANITIZE_SET || !in.SetCurrentClientCertDetails.GetUri() {
		t.Errorf("a client can say itself who it is: %v", in.ForwardClientCertDetails)
	}
}

// Websockets pass on every hop: over HTTP/1 by upgrade, over HTTP/2 by extended CONNECT.
func TestWebsocketsPass(t *testing.T) {
	for name, settings := range map[string]model.Settings{"SMI": smi(), "permissive": permissive()} {
		for _, id := range []model.ProxyID{theBuyer, theSeller} {
			c := compiled(t, shop(settings), id)
			for _, listener := range []string{outboundListener, inboundListener} {
				if c.listeners[listener] == nil {
					continue
				}
				for _, m := range find[*hcmv3.HttpConnectionManager](c.listeners[listener]) {
					if len(m.UpgradeConfigs) != 1 || m.UpgradeConfigs[0].UpgradeType != "websocket" || !m.Http2ProtocolOptions.GetAllowConnect() {
						t.Errorf("%s: %s of %s: %v", name, m.StatPrefix, id, m.UpgradeConfigs)
					}
				}
			}
			for _, cluster := range c.clusters {
				for _, o := range find[*httpv3.HttpProtocolOptions](cluster) {
					if !o.GetUseDownstreamProtocolConfig().GetHttp2ProtocolOptions().GetAllowConnect() {
						t.Errorf("%s: cluster %s of %s: %v", name, cluster.Name, id, o)
					}
				}
			}
		}
	}
}

// Clusters of HTTP ports speak the version of HTTP that the caller speaks; others pass bytes.
func TestClustersSpeakWhatTheirPortsSpeak(t *testing.T) {
	c := compiled(t, shop(permissive()), theSeller)
	got := map[string]bool{}
	for name, cluster := range c.clusters {
		got[name] = len(find[*httpv3.HttpProtocolOptions](cluster)) > 0
	}
	want := map[string]bool{
		"shop/web|80": true, "shop/web-v1|80": true, "shop/web-v2|80": true, "shop/web-v1|80|direct": true, "shop/web-v2|80|direct": true, "shop/web|80|direct": true,
		"shop/db|3306": false, "shop/db|3306|direct": false, "shop/seller-0.db|3306": false, "shop/old|9000": false, "passthrough-outbound": false,
		"8080|local": true, "3306|local": false, "envoy-metrics-cluster": true,
	}
	for name := range got {
		if _, direct := want[name]; !direct {
			t.Errorf("cluster %s was not expected", name)
		}
	}
	for name, http := range got {
		if want[name] != http {
			t.Errorf("cluster %s speaks HTTP: %t", name, http)
		}
	}
}

// How long a call takes and how many there are is the application's to say.
func TestNothingIsBounded(t *testing.T) {
	c := compiled(t, shop(smi()), theBuyer)
	all := flat(c.messages()...)
	for _, a := range only[*routev3.RouteAction](all) {
		if a.Timeout == nil || a.Timeout.AsDuration() != 0 {
			t.Errorf("a route ends calls after %v", a.Timeout)
		}
	}
	for _, m := range only[*hcmv3.HttpConnectionManager](all) {
		if m.StreamIdleTimeout == nil || m.StreamIdleTimeout.AsDuration() != 0 {
			t.Errorf("%s ends idle streams after %v", m.StatPrefix, m.StreamIdleTimeout)
		}
	}
	for _, cluster := range c.clusters {
		thresholds := cluster.GetCircuitBreakers().GetThresholds()
		if len(thresholds) != 1 || thresholds[0].MaxRequests.GetValue() != 1<<32-1 || thresholds[0].MaxConnections.GetValue() != 1<<32-1 {
			t.Errorf("cluster %s refuses calls: %v", cluster.Name, thresholds)
		}
	}
}

// Every connection and request is logged, and so is a connection that no chain takes.
func TestCallsAreLogged(t *testing.T) {
	for _, id := range []model.ProxyID{theBuyer, theSeller} {
		for name, l := range compiled(t, shop(smi()), id).listeners {
			if name == prometheusListener {
				continue
			}
			if len(l.AccessLog) != 1 || l.AccessLog[0].Filter == nil {
				t.Errorf("%s of %s: refused connections are not logged, or all are", name, id)
			}
			for _, m := range find[*hcmv3.HttpConnectionManager](l) {
				if len(m.AccessLog) != 1 || m.AccessLog[0].Filter != nil {
					t.Errorf("%s of %s: requests are not logged: %v", m.StatPrefix, id, m.AccessLog)
				}
			}
		}
	}
	if format := logFormat().Fields; len(format) != 28 || format["upstream_cluster"].GetStringValue() != "%UPSTREAM_CLUSTER%" {
		t.Errorf("the log has %d fields: %v", len(format), format)
	}
}

// Both listeners restore where a connection was going; only inbound looks into TLS, for its chains ask.
func TestListenerFilters(t *testing.T) {
	want := map[string][]string{
		outboundListener:   {"envoy.filters.listener.original_dst"},
		inboundListener:    {"envoy.filters.listener.original_dst", "envoy.filters.listener.tls_inspector"},
		prometheusListener: nil,
	}
	settings := permissive()
	for name, l := range compiled(t, shop(settings), theSeller).listeners {
		var got []string
		for _, f := range l.ListenerFilters {
			got = append(got, f.Name)
		}
		if diff := cmp.Diff(want[name], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		direction := corev3.TrafficDirection_INBOUND
		if name == outboundListener {
			direction = corev3.TrafficDirection_OUTBOUND
		}
		if l.TrafficDirection != direction {
			t.Errorf("%s is %s", name, l.TrafficDirection)
		}
	}
}

// Statistics are served to who asks, and nothing else of Envoy's administration is.
func TestPrometheusListenerServesStatisticsAlone(t *testing.T) {
	mesh := shop(smi())
	l := compiled(t, mesh, theSeller).listeners[prometheusListener]
	routes := find[*routev3.Route](l)
	if len(routes) != 1 || routes[0].Match.GetPath() != "/stats/prometheus" || routes[0].GetRoute().GetCluster() != metricsCluster {
		t.Errorf("the listener leads to %v", routes)
	}
	if c := compiled(t, mesh, theBuyer); c.listeners[prometheusListener] != nil || c.clusters[metricsCluster] != nil {
		t.Error("a proxy that nobody scrapes has the listener")
	}
	if n := len(find[*listenerv3.FilterChainMatch](l)); n > 0 {
		t.Errorf("the listener asks %d things of a connection", n)
	}
}

// Calls to a pod's own address go to that very pod.
func TestDirectClustersGoWhereTheyWereCalled(t *testing.T) {
	c := compiled(t, shop(smi()), theBuyer)
	for name, kind := range map[string]clusterv3.Cluster_DiscoveryType{
		"shop/db|3306|direct": clusterv3.Cluster_ORIGINAL_DST, "shop/web|80|direct": clusterv3.Cluster_ORIGINAL_DST,
		"shop/web|80": clusterv3.Cluster_EDS, "shop/db|3306": clusterv3.Cluster_EDS,
	} {
		cluster, ok := c.clusters[name]
		if name == "shop/web|80|direct" && !ok {
			continue // web-v1 and web-v2 have the addresses of the pods
		}
		if !ok || cluster.GetType() != kind {
			t.Errorf("cluster %s is %v", name, cluster.GetType())
		}
		if kind == clusterv3.Cluster_ORIGINAL_DST && cluster.LbPolicy != clusterv3.Cluster_CLUSTER_PROVIDED {
			t.Errorf("cluster %s balances by %v", name, cluster.LbPolicy)
		}
	}
}

// Statistics separate words by dots, so that a name with dots gets another one there.
func TestStatNames(t *testing.T) {
	c := compiled(t, shop(smi()), theBuyer)
	for name, want := range map[string]string{"shop/web|80": "", "shop/seller-0.db|3306": "shop/seller-0_db|3306"} {
		if got := c.clusters[name].GetAltStatName(); got != want {
			t.Errorf("cluster %s is %q in statistics", name, got)
		}
	}
}

// A path of which something is left that another reader would resolve is refused, whatever policies say.
func TestAmbiguousPaths(t *testing.T) {
	rules := find[*rbacv3.RBAC](ambiguousPaths())
	if len(rules) != 1 || rules[0].Action != rbacv3.RBAC_DENY || len(rules[0].Policies) != 1 {
		t.Fatalf("the filter is %v", rules)
	}
	paths := only[*matcherv3.PathMatcher](flat(rules[0]))
	if len(paths) != 1 {
		t.Fatalf("the filter looks at %d paths", len(paths))
	}
	whole := regexp.MustCompile("^(?:" + paths[0].GetPath().GetSafeRegex().GetRegex() + ")$")
	for path, refused := range map[string]bool{
		"/": false, "/a": false, "/a/b.html": false, "/a/...": false, "/.well-known/x": false, "/a;v=1/b": false, "/a/..b": false, "/a/b..": false,
		"/a/..": true, "/a/.": true, "/..;/b": true, "/a/..;v=1/b": true, "/a/.;/b": true, "/a/..;": true,
	} {
		if whole.MatchString(path) != refused {
			t.Errorf("%s is refused: %t", path, !refused)
		}
	}
}
