package metrics

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sebdah/goldie/v2"

	"github.com/flomesh-io/fsmc/sinks"
)

// TestExposition holds names, help and labels of what a scrape sees to a golden file: they are an interface.
func TestExposition(t *testing.T) {
	m := New()
	m.Build("v1.2.3", "0123abc", "2026-01-02")
	m.CertificateExpiry(func() time.Time { return time.Unix(1_700_000_000, 0) })
	var ours []string
	for line := range strings.Lines(scrape(t, m)) {
		if strings.Contains(line, "fsm_") {
			ours = append(ours, line)
		}
	}
	goldie.New(t, goldie.WithNameSuffix(".txt")).Assert(t, "exposition", []byte(strings.Join(ours, "")))
}

func TestThePageIsUpToDate(t *testing.T) {
	written, err := os.ReadFile("../../docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Page(), string(written)); diff != "" {
		t.Errorf("run `make codegen`: %s", diff)
	}
}

// TestEveryCauseIsKnown reads the ADS server's: one that is not in the table would be counted as other.
func TestEveryCauseIsKnown(t *testing.T) {
	files, err := filepath.Glob("../ads/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?:(?:refuse\(|refusal\{)codes\.\w+, |(?m:^\t+return ))"([a-z-]+)"`).FindAllSubmatch(text, -1) {
			found++
			if cause := string(match[1]); !slices.Contains(causes, cause) {
				t.Errorf("%s refuses because of %s", file, cause)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d causes were found: they are written another way now", found)
	}
}

func TestNamesFollowTheRulesOfPrometheus(t *testing.T) {
	m := New()
	everything(m, "snapshot")
	problems, err := testutil.GatherAndLint(m.Registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// everything calls every method once, with one text for whatever is a text.
func everything(m *Metrics, text string) {
	for _, kind := range kinds {
		m.Observe(sinks.Event{Kind: kind, Type: text, Reason: text, Resources: 2, Bytes: 100, Took: time.Second})
	}
	m.Observe(sinks.Event{Kind: sinks.EventKind(text)})
	m.Source(text)
	m.Step(text, time.Second)
	m.Reuse(text, 1, 2)
	m.Queue(3)
	m.Mesh(text, 4)
	m.Diagnostics(text, 5)
	m.Certificate(time.Second, nil)
	m.Certificate(time.Second, errors.New(text))
	m.FeatureFlags([]string{text})
	m.Build("v1", "abc", "today")
	m.Proxies(func() int { return 7 })
	m.CertificateExpiry(func() time.Time { return time.Unix(1_700_000_000, 500_000_000) })
}

var kinds = []sinks.EventKind{
	sinks.StreamOpened, sinks.StreamClosed, sinks.StreamRefused, sinks.Pushed, sinks.Acknowledged, sinks.Rejected, sinks.Coalesced,
}

// TestNobodyOutsideMakesASeries feeds values that nobody foresaw: each label has one series for all of them.
func TestNobodyOutsideMakesASeries(t *testing.T) {
	m := New()
	m.Build("v1", "abc", "today")
	everything(m, "one that is not known")
	once := count(t, m)
	hostile := []string{"", "\xff\xfe", "a\"} 1\nfsm_forged 1", strings.Repeat("x", 1<<16), "OTHER"}
	for i := range 1000 {
		hostile = append(hostile, fmt.Sprintf("default/pod-%d", i))
	}
	for _, text := range hostile {
		everything(m, text)
	}
	if got := count(t, m); got != once {
		t.Errorf("of %d series there are %d now", once, got)
	}
	text := scrape(t, m)
	for _, h := range hostile[1:] {
		if strings.Contains(text, h) {
			t.Errorf("%.40q is in the metrics", h)
		}
	}
}

func count(t *testing.T, m *Metrics) int {
	t.Helper()
	n, err := testutil.GatherAndCount(m.Registry)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNothingMakesACounterFall gives sizes and times that cannot be.
func TestNothingMakesACounterFall(t *testing.T) {
	m := New()
	m.Observe(sinks.Event{Kind: sinks.Pushed, Type: "routes", Reason: sinks.PushSnapshot, Resources: -1, Bytes: -5})
	m.Observe(sinks.Event{Kind: sinks.Acknowledged, Type: "routes", Took: -time.Hour})
	m.Reuse("services", -2, -1)
	want(t, m, `fsm_proxy_response_bytes_total{reason="snapshot",type="routes"} 0`, `fsm_proxy_acknowledgement_seconds_sum{type="routes"} 0`,
		`fsm_reuse_wanted_total{kind="services"} 0`)
}

// TestWhatIsCounted names for each method what it changes.
func TestWhatIsCounted(t *testing.T) {
	for _, c := range []struct {
		name   string
		happen func(*Metrics)
		want   []string
	}{
		{"a stream opens", func(m *Metrics) { m.Observe(sinks.Event{Kind: sinks.StreamOpened, Reason: "delta"}) },
			[]string{`fsm_proxy_streams{protocol="delta"} 1`, `fsm_proxy_streams_opened_total{protocol="delta"} 1`}},
		{"a stream closes", func(m *Metrics) {
			m.Observe(sinks.Event{Kind: sinks.StreamOpened, Reason: "delta"})
			m.Observe(sinks.Event{Kind: sinks.StreamClosed, Reason: "delta"})
		}, []string{`fsm_proxy_streams{protocol="delta"} 0`, `fsm_proxy_streams_opened_total{protocol="delta"} 1`}},
		{"a stream is refused", func(m *Metrics) { m.Observe(sinks.Event{Kind: sinks.StreamRefused, Reason: "too-many-proxies"}) },
			[]string{`fsm_proxy_streams_refused_total{cause="too-many-proxies"} 1`}},
		{"a push", func(m *Metrics) {
			m.Observe(sinks.Event{Kind: sinks.Pushed, Type: "routes", Reason: sinks.PushSnapshot, Resources: 2, Bytes: 100})
		}, []string{
			`fsm_proxy_responses_total{reason="snapshot",type="routes"} 1`, `fsm_proxy_response_resources_total{reason="snapshot",type="routes"} 2`,
			`fsm_proxy_response_bytes_total{reason="snapshot",type="routes"} 100`}},
		{"an acknowledgement", func(m *Metrics) {
			m.Observe(sinks.Event{Kind: sinks.Acknowledged, Type: "secrets", Took: 20 * time.Millisecond})
		}, []string{`fsm_proxy_acknowledgement_seconds_bucket{type="secrets",le="0.01"} 0`, `fsm_proxy_acknowledgement_seconds_bucket{type="secrets",le="0.025"} 1`}},
		{"a rejection", func(m *Metrics) { m.Observe(sinks.Event{Kind: sinks.Rejected, Type: "listeners"}) },
			[]string{`fsm_proxy_rejections_total{type="listeners"} 1`}},
		{"a state is skipped", func(m *Metrics) { m.Observe(sinks.Event{Kind: sinks.Coalesced, Type: "routes"}) },
			[]string{`fsm_proxy_states_coalesced_total{type="routes"} 1`}},
		{"the source changes", func(m *Metrics) { m.Source("changed") }, []string{`fsm_source_events_total{event="changed"} 1`}},
		{"a step is done", func(m *Metrics) { m.Step("compile", 2*time.Second) }, []string{`fsm_step_seconds_sum{step="compile"} 2`}},
		{"specs are reused", func(m *Metrics) { m.Reuse("specs", 3, 4) },
			[]string{`fsm_reuse_reused_total{kind="specs"} 3`, `fsm_reuse_wanted_total{kind="specs"} 4`}},
		{"changes wait", func(m *Metrics) { m.Queue(3); m.Queue(2) }, []string{"fsm_events_queued 2"}},
		{"the mesh has services", func(m *Metrics) { m.Mesh("services", 4) }, []string{`fsm_mesh_entities{kind="services"} 4`}},
		{"findings", func(m *Metrics) { m.Diagnostics("error", 5) }, []string{`fsm_diagnostics{level="error"} 5`}},
		{"a certificate", func(m *Metrics) { m.Certificate(time.Second, nil) }, []string{"fsm_cert_issued_total 1", "fsm_cert_issue_failures_total 0", "fsm_cert_issue_seconds_count 1"}},
		{"no certificate", func(m *Metrics) { m.Certificate(time.Second, errors.New("no")) }, []string{"fsm_cert_issued_total 0", "fsm_cert_issue_failures_total 1"}},
		{"a flag goes off", func(m *Metrics) {
			m.FeatureFlags([]string{"enableRetryPolicy"})
			m.FeatureFlags([]string{"enableWASMStats"})
		},
			[]string{`fsm_feature_flag_enabled{feature_flag="enableRetryPolicy"} 0`, `fsm_feature_flag_enabled{feature_flag="enableWASMStats"} 1`}},
		{"a version", func(m *Metrics) { m.Build("v1", "a", "b"); m.Build("v2", "c", "d") }, []string{`fsm_version_info{build_date="d",git_commit="c",version="v2"} 1`}},
		{"proxies", func(m *Metrics) { m.Proxies(func() int { return 7 }) }, []string{"fsm_proxies_connected 7"}},
		{"an expiry", func(m *Metrics) {
			m.CertificateExpiry(func() time.Time { return time.Unix(1_700_000_000, 500_000_000) })
		},
			[]string{"fsm_cert_first_expiry_timestamp_seconds 1.7000000005e+09"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New()
			c.happen(m)
			want(t, m, c.want...)
		})
	}
}

// TestNoCertificateHasNoExpiry: a zero would read as one that ended long ago.
func TestNoCertificateHasNoExpiry(t *testing.T) {
	m := New()
	m.CertificateExpiry(func() time.Time { return time.Time{} })
	if strings.Contains(scrape(t, m), expiry) {
		t.Error("there is an expiry without a certificate")
	}
}

func TestFromSeveralGoroutines(t *testing.T) {
	m := New()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				everything(m, "snapshot")
			}
		})
		wait.Go(func() { scrape(t, m) })
	}
	wait.Wait()
	want(t, m, "fsm_cert_issued_total 800")
}

func want(t *testing.T, m *Metrics, lines ...string) {
	t.Helper()
	text := strings.Split(scrape(t, m), "\n")
	for _, line := range lines {
		if !slices.Contains(text, line) {
			t.Errorf("%s is missing", line)
		}
	}
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != 200 {
		t.Errorf("a scrape gives %d: %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}
