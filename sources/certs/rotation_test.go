package certs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sebdah/goldie/v2"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// scenario is a file of testdata/rotation. Roots are written as name@Secret; the one that signs has a star.
type scenario struct {
	Begin  []string `yaml:"begin"`
	Events []event  `yaml:"events"`
}

// event is one thing that happens: an edit, an acknowledgement of everything by every proxy, or time that passes.
type event struct {
	Declare      *[]string     `yaml:"declare,omitempty"`
	Acknowledged bool          `yaml:"acknowledged,omitempty"`
	Waited       time.Duration `yaml:"waited,omitempty"`
}

// chapter is what comes of an event.
type chapter struct {
	Event *event   `yaml:"event,omitempty"`
	Step  string   `yaml:"step"`
	Signs string   `yaml:"signs"`
	Trust []string `yaml:"trust"`
}

// TestRotation plays every scenario, and compares what comes of each event with testdata/rotation/want.
func TestRotation(t *testing.T) {
	files, err := filepath.Glob("testdata/rotation/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	golden := goldie.New(t, goldie.WithFixtureDir("testdata/rotation/want"), goldie.WithNameSuffix(""))
	var made []string
	for _, file := range files {
		name := filepath.Base(file)
		made = append(made, name)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			var text bytes.Buffer
			encoder := yaml.NewEncoder(&text)
			encoder.SetIndent(2)
			if err := encoder.Encode(play(readScenario(t, file))); err != nil {
				t.Fatal(err)
			}
			golden.Assert(t, name, text.Bytes())
		})
	}
	wanted, err := os.ReadDir("testdata/rotation/want")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range wanted {
		if !slices.Contains(made, entry.Name()) {
			t.Errorf("%s has no scenario any more", entry.Name())
		}
	}
}

func readScenario(t *testing.T, file string) scenario {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s scenario
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// play makes steps after each event, until there is none to make.
func play(s scenario) []chapter {
	declared := rootsOf(s.Begin)
	state := Begin(declared)
	story := []chapter{chapterOf(nil, state, Step{Kind: Begins})}
	for _, e := range s.Events {
		if e.Declare != nil {
			declared = rootsOf(*e.Declare)
		}
		heard := Heard{Settled: e.Acknowledged, Waited: e.Waited, Patience: 5 * time.Minute}
		because := &e
		for {
			next, step := Next(state, declared, heard)
			state = next
			story = append(story, chapterOf(because, state, step))
			if !step.Moved() {
				break
			}
			// What was acknowledged is what there was before the step.
			heard, because = Heard{Patience: heard.Patience}, nil
		}
	}
	return story
}

func chapterOf(e *event, state State, step Step) chapter {
	c := chapter{Event: e, Step: string(step.Kind), Signs: rootName(state.Signs)}
	if step.Forced {
		c.Step += ", forced"
	}
	for _, trusted := range state.Trusts {
		text := rootName(trusted.Root)
		if trusted.Unknown {
			text += " (unknown)"
		}
		if trusted.Used {
			text += " (used)"
		}
		c.Trust = append(c.Trust, text)
	}
	return c
}

func rootsOf(names []string) []model.Root {
	var roots []model.Root
	for _, name := range names {
		name, signs := strings.CutSuffix(name, "*")
		name, secret, _ := strings.Cut(name, "@")
		roots = append(roots, model.Root{Name: name, Signs: signs, Provider: "tresor", SecretName: secret})
	}
	return roots
}

func rootName(root model.Root) string {
	switch {
	case root == model.Root{}:
		return "the control plane's own"
	case root.SecretName != "":
		return root.Name + "@" + root.SecretName
	default:
		return root.Name
	}
}

// peer is a proxy: what it trusts, and which root its certificate is of.
type peer struct {
	trusts []model.Root
	leaf   model.Root
}

// Whatever is edited, and in whatever order proxies take what they are sent, each trusts what every other presents; and
// in the end it is as declared.
func TestNobodyIsCutOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		declared := rapid.Custom(anyRoots).Draw(t, "declared")
		state := Begin(declared)
		peers := make([]peer, 3)
		for i := range peers {
			peers[i] = peer{bundle(state), state.Signs}
		}
		tick := func() Step {
			settled := !slices.ContainsFunc(peers, func(p peer) bool { return p.leaf != state.Signs || !slices.Equal(p.trusts, bundle(state)) })
			next, step := Next(state, declared, Heard{Settled: settled, Patience: time.Minute})
			state = next
			return step
		}
		check := func() {
			for _, p := range peers {
				for _, q := range peers {
					if !slices.Contains(p.trusts, q.leaf) {
						t.Fatalf("one trusts %s, another presents %s", fmt.Sprint(p.trusts), q.leaf.Name)
					}
				}
			}
		}
		everybody := func() {
			for i := range peers {
				peers[i].trusts = bundle(state)
				check()
				peers[i].leaf = state.Signs
				check()
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"edit":        func(t *rapid.T) { declared = rapid.Custom(anyRoots).Draw(t, "declared") },
			"tick":        func(*rapid.T) { tick() },
			"trust":       func(t *rapid.T) { peers[rapid.IntRange(0, 2).Draw(t, "peer")].trusts = bundle(state) },
			"certificate": func(t *rapid.T) { peers[rapid.IntRange(0, 2).Draw(t, "peer")].leaf = state.Signs },
			"reconnect":   func(t *rapid.T) { peers[rapid.IntRange(0, 2).Draw(t, "peer")] = peer{bundle(state), state.Signs} },
			"everybody":   func(*rapid.T) { everybody(); tick() },
			"":            func(*rapid.T) { check() },
		})
		for range 10 {
			everybody()
			tick()
		}
		if step := tick(); step.Kind != Rests || state.Signs != signing(declared) || !slices.Equal(bundle(state), keys(declared)) {
			t.Fatalf("%s with %+v, declared %+v", step.Kind, state, declared)
		}
	})
}

func bundle(state State) []model.Root {
	var roots []model.Root
	for _, t := range state.Trusts {
		roots = append(roots, t.Root)
	}
	return roots
}

func anyRoots(t *rapid.T) []model.Root {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 3, rapid.ID).Draw(t, "names")
	if len(names) > 0 {
		names[0] += "*"
	}
	return rootsOf(names)
}
