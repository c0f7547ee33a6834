package ads

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sebdah/goldie/v2"
	"go.yaml.in/yaml/v3"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// script is a story of a proxy and the planner, as testdata/plans has them. A resource is written as its version, and
// for those that use clusters "version -> cluster, cluster"; a listener leads to route tables: "version -> cluster / table".
type script struct {
	Shows string `yaml:"shows"`
	// Whole is the state of the world.
	Whole bool `yaml:"whole"`
	// Has is what the proxy has and is to have in the beginning; nothing is asked for without it.
	Has   tables `yaml:"has"`
	Steps []step `yaml:"steps"`
}

type tables map[string]map[string]string

type step struct {
	// Publish changes what the proxy is to have; "gone" removes.
	Publish tables `yaml:"publish"`
	// Ask and Forget are names by kind; * is everything.
	Ask    map[string][]string `yaml:"ask"`
	Forget map[string][]string `yaml:"forget"`
	// Acknowledge and Reject answer the oldest message of a kind.
	Acknowledge string `yaml:"acknowledge"`
	Reject      string `yaml:"reject"`
	Reason      string `yaml:"reason"`
	// Wait lets time pass.
	Wait time.Duration `yaml:"wait"`
	// Reconnect begins another stream of the proxy, which has what it acknowledged; Ask follows for each kind.
	Reconnect bool `yaml:"reconnect"`
}

func TestPlans(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/plans/*.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("only %d plans, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s script
			decoder := yaml.NewDecoder(bytes.NewReader(text))
			decoder.KnownFields(true)
			if err := decoder.Decode(&s); err != nil {
				t.Fatal(err)
			}
			golden := goldie.New(t, goldie.WithFixtureDir("testdata/plans"), goldie.WithNameSuffix(".steps"), goldie.WithDiffEngine(goldie.ColoredDiff))
			golden.Assert(t, name, []byte(newPlayer(t, s).play()))
		})
	}
}

// player plays a script and writes down what happens.
type player struct {
	t        *testing.T
	script   script
	progress *progress
	now      time.Time
	written  strings.Builder
}

var (
	playTime = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	playPace = Limits{}.filled().pace()
)

func newPlayer(t *testing.T, s script) *player {
	p := &player{t: t, script: s, progress: newProgress(s.Whole), now: playTime}
	if s.Has == nil {
		return p
	}
	p.publish(s.Has)
	for k := range kinds {
		p.progress.kinds[k].started = p.now
		p.progress.kinds[k].everything = k.whole()
	}
	return p
}

func (p *player) play() string {
	p.line("%s", p.script.Shows)
	for _, s := range p.script.Steps {
		p.line("")
		p.step(s)
		p.plan()
	}
	return p.written.String()
}

func (p *player) line(format string, args ...any) { fmt.Fprintf(&p.written, format+"\n", args...) }

func (p *player) step(s step) {
	if s.Reconnect {
		p.line("The proxy comes again.")
		p.reconnect(s)
		return
	}
	if s.Publish != nil {
		p.line("Publish%s", describe(s.Publish))
		p.publish(s.Publish)
	}
	for k := range kinds {
		if names, ok := s.Ask[k.String()]; ok {
			p.line("The proxy asks for %s %s.", k, strings.Join(names, ", "))
			p.ask(k, names)
		}
		if names, ok := s.Forget[k.String()]; ok {
			p.line("The proxy forgets %s %s.", k, strings.Join(names, ", "))
			p.progress.take(request{kind: k, unsubscribe: names}, p.now)
		}
	}
	p.answer(s)
	if s.Wait > 0 {
		p.now = p.now.Add(s.Wait)
		p.line("%s pass.", s.Wait)
	}
}

func (p *player) ask(k kind, names []string) {
	if p.script.Whole {
		p.progress.takeState(request{kind: k, names: names}, p.now)
		return
	}
	p.progress.take(request{kind: k, subscribe: names}, p.now)
}

func (p *player) answer(s step) {
	for name, failed := range map[string]bool{s.Acknowledge: false, s.Reject: true} { //ordered: at most one is there
		i := slices.Index(kindNames[:], name)
		if i < 0 {
			continue
		}
		flight := p.progress.kinds[i].flight
		if len(flight) == 0 {
			p.t.Fatalf("no message of %s is under way", name)
		}
		m, _ := p.progress.flown(kind(i), flight[0].nonce)
		if failed {
			p.line("The proxy rejects [%d] %s: %s.", m.nonce, name, s.Reason)
			p.progress.reject(m, s.Reason)
			continue
		}
		p.line("The proxy acknowledges [%d] %s.", m.nonce, name)
		p.progress.acknowledge(m, p.now)
	}
}

func (p *player) plan() {
	messages, look := p.progress.plan(p.now, playPace)
	for _, m := range messages {
		p.line("  [%d] %-9s %s", m.nonce, m.kind, p.content(m))
	}
	switch {
	case p.progress.settled():
		p.line("  settled")
	case !look.IsZero():
		p.line("  look again in %s", look.Sub(p.now))
	}
	for k := range kinds {
		for _, d := range p.progress.kinds[k].differences() {
			if d.Rejected != "" {
				p.line("  %s %s: %s is rejected: %s", k, d.Name, d.Wanted, d.Rejected)
			}
		}
	}
}

func (p *player) content(m message) string {
	var words []string
	if p.script.Whole && m.kind.whole() {
		for _, r := range p.progress.kinds[m.kind].holdings() {
			words = append(words, r.Name+"="+r.Version)
		}
		return "all: " + strings.Join(words, " ")
	}
	for _, r := range m.puts {
		words = append(words, "+"+r.Name+"="+r.Version)
	}
	for _, name := range m.removes {
		words = append(words, "-"+name)
	}
	if len(words) == 0 {
		words = []string{"nothing"}
	}
	return strings.Join(words, " ") + " (" + m.reason + ")"
}

func describe(change tables) string {
	var b strings.Builder
	for k := range kinds {
		for _, name := range slices.Sorted(maps.Keys(change[k.String()])) {
			fmt.Fprintf(&b, " %s %s=%s;", k, name, change[k.String()][name])
		}
	}
	return strings.TrimSuffix(b.String(), ";") + "."
}

func (p *player) publish(change tables) {
	for k := range kinds {
		edit, ok := change[k.String()]
		if !ok {
			continue
		}
		kp := &p.progress.kinds[k]
		next, cause := edited(k, kp.want, edit), sinks.PushSnapshot
		if k == secrets {
			cause = sinks.PushCertificate
		}
		if kp.retarget(next, changed(kp.want, next), cause, p.now) {
			p.line("  a state of %s is passed over", k)
		}
	}
}

// edited is a table with some resources replaced and removed.
func edited(k kind, before *table, edit map[string]string) *table {
	all := map[string]*compiler.Resource{}
	for r := range before.resources.Values() {
		all[r.Name] = r
	}
	for name, text := range edit { //ordered: each is for itself
		if text == "gone" {
			delete(all, name)
			continue
		}
		all[name] = written(k, name, text)
	}
	var list []*compiler.Resource
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[name])
	}
	return newTable(model.ListOf(list...))
}

// written is a resource as scripts write it.
func written(k kind, name, text string) *compiler.Resource {
	version, rest, _ := strings.Cut(text, " -> ")
	uses, leads, _ := strings.Cut(rest, "/")
	return &compiler.Resource{
		Type: kindURLs[k], Name: name, Version: version, Bytes: []byte(name + "\n" + leads), Uses: model.ListOf(words(uses)...),
		From: model.ListOf(model.Ref{Kind: "Test", Name: name}),
	}
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// reconnect begins another stream: the proxy tells the versions of what it has, kind by kind.
func (p *player) reconnect(s step) {
	before := p.progress
	p.progress = newProgress(p.script.Whole)
	for k := range kinds {
		p.progress.kinds[k].want = before.kinds[k].want
	}
	for k := range kinds {
		if edit, ok := s.Publish[k.String()]; ok {
			p.progress.kinds[k].want = edited(k, before.kinds[k].want, edit)
		}
	}
	for k := range kinds {
		r := request{kind: k, versions: map[string]string{}}
		if k.whole() {
			r.subscribe = []string{anything}
		}
		for _, held := range before.kinds[k].holdings() {
			r.versions[held.Name] = held.Version
			if !k.whole() {
				r.subscribe = append(r.subscribe, held.Name)
			}
		}
		if p.script.Whole {
			p.progress.takeState(request{kind: k, names: r.subscribe, version: before.kinds[k].stateVersion()}, p.now)
		} else {
			p.progress.take(r, p.now)
		}
		if k < kinds-1 {
			p.plan() // each request is planned for when it comes
		}
	}
}
