//go:build linux

package local

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/verdict"
)

// TestPromisedStatistics: after some traffic every series that the reference promises is there, and none of those that would
// fill the memory of a sidecar which sees many services.
func TestPromisedStatistics(t *testing.T) {
	r := up(t, bookstore)
	t.Run("traffic", func(t *testing.T) {
		r.askAll(t, []question{
			{name: "a request", from: "bookbuyer/bookbuyer-0", to: "bookstore-v1.bookstore:14001", request: get("/buy-a-book/new"), allowed: "bookstore-v1", status: 200},
			{name: "a request over HTTP/2", from: "bookbuyer/bookbuyer-0", to: "bookstore-v1.bookstore:14001", request: &verdict.Request{Protocol: "h2c", Method: "GET", Path: "/buy-a-book/new"}, allowed: "bookstore-v1", status: 200},
			{name: "a request that is refused", from: "bookbuyer/bookbuyer-0", to: "bookstore-v1.bookstore:14001", request: get("/secrets"), status: 403, reason: "rbac_access_denied"},
			{name: "a connection", from: "bookwarehouse/bookwarehouse-0", to: "mysql.bookwarehouse:3306", allowed: "mysql"},
		})
	})
	names, text := promised(t), ""
	var lacking []string
	within(t, 20*time.Second, "histograms are told every few seconds, and all is there", func() bool {
		text = ""
		for _, pod := range []string{"bookbuyer/bookbuyer-0", "bookstore/bookstore-v1-0", "bookwarehouse/bookwarehouse-0", "bookwarehouse/mysql-0"} {
			said, _ := r.exec(pod, "curl", "-sf", "localhost:15000/stats/prometheus")
			text += said
		}
		now := missing(names, text)
		if len(now) != len(lacking) {
			t.Logf("missing: %q", now)
		}
		lacking = now
		return len(lacking) == 0
	})
	for _, dear := range []string{
		"cluster_lb_", "cluster_circuit_breakers_", "cluster_external_", "cluster_internal_", "cluster_default_total_match_count", "cluster_assignment_", "cluster_update_",
		"cluster_ssl_ocsp_", "cluster_ssl_certificate_", "cluster_client_ssl_socket_factory_", "cluster_max_host_weight", "vhost_", "tcp_upstream_flush_", "listener_http_",
	} {
		if strings.Contains(text, "\nenvoy_"+dear) {
			t.Errorf("nobody was promised envoy_%s", dear)
		}
	}
}

// promised are the series that the reference promises.
func promised(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/reference/proxy-metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, item := range regexp.MustCompile("(?m)^- `(envoy_[a-z0-9_]+)`$").FindAllStringSubmatch(string(page), -1) {
		names = append(names, item[1])
	}
	const few = 50
	if len(names) < few {
		t.Fatalf("the reference promises only %q", names)
	}
	return names
}

// missing are the series of which a text for Prometheus has no value.
func missing(names []string, text string) []string {
	var list []string
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^` + name + `(_count)?[{ ]`).MatchString(text) {
			list = append(list, name)
		}
	}
	return list
}

// TestStatisticsAreKeptByTheList: an Envoy whose list lacks one pattern misses the series of that pattern, and no others.
func TestStatisticsAreKeptByTheList(t *testing.T) {
	all := compiler.SidecarStatistics()
	var pods []local.Pod
	for i := range len(all) + 1 { // the last lacks nothing
		pods = append(pods, podOf(fmt.Sprintf("p%d", i), byte(10+i), true))
	}
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	m := &mesh{t: t, plan: local.Plan{Folder: folder, Pods: pods}}
	for i, p := range pods {
		kept := slices.Clone(all)
		if i < len(all) {
			kept = slices.Delete(kept, i, i+1)
		}
		m.write(p.String(), passOn+"stats_config: "+matching(t, kept)+"\n")
	}
	m = start(t, m.plan, local.Options{})
	texts := make([]string, len(pods))
	for i, p := range pods {
		texts[i] = m.runs(p.Name, "curl", "-sf", "localhost:15000/stats/prometheus")
	}
	whole := texts[len(all)]
	lacking := 0
	for i, s := range all {
		had, has := missing(s.Series, whole), missing(s.Series, texts[i])
		if len(has) != len(s.Series) {
			t.Errorf("without %s there still are series of it, and only these are missing: %q", s.Names, has)
		}
		if len(had) < len(s.Series) {
			lacking++
		}
		for j, other := range all {
			if j != i && len(missing(other.Series, texts[i])) != len(missing(other.Series, whole)) {
				t.Errorf("without %s, series of %s are missing", s.Names, other.Names)
			}
		}
	}
	const few = 5 // the others take traffic, or a control plane
	if lacking < few {
		t.Errorf("only %d patterns keep anything here", lacking)
	}
}

// matching is the setting of Envoy that keeps some statistics.
func matching(t *testing.T, list []compiler.Statistics) string {
	t.Helper()
	patterns := &matcherv3.ListStringMatcher{}
	for _, s := range list {
		patterns.Patterns = append(patterns.Patterns, &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{
			SafeRegex: &matcherv3.RegexMatcher{Regex: s.Expression()},
		}})
	}
	text, err := protojson.Marshal(&metricsv3.StatsConfig{StatsMatcher: &metricsv3.StatsMatcher{
		StatsMatcher: &metricsv3.StatsMatcher_InclusionList{InclusionList: patterns},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
