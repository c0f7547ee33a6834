package disk

import (
	"fmt"
	"maps"
	"sync"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"

	"github.com/flomesh-io/fsmc/model"
)

// bootstrapTexts renders what the proxies of one class start with. It differs in the id of the node only, so that the
// rest is rendered once, when the first of them is asked for.
type bootstrapTexts struct {
	// class is its name, or empty where it does not matter: a proxy that is served stays as it was started when an edit
	// gives it another class.
	class string
	// bootstrap makes it; nil for a proxy that is not there.
	bootstrap func(model.ProxyID) *bootstrapv3.Bootstrap

	once          sync.Once
	err           error
	node          map[string]any
	before, after []byte
}

// of is the text of one proxy.
func (t *bootstrapTexts) of(id model.ProxyID) ([]byte, error) {
	t.once.Do(func() { t.err = t.render(id) })
	if t.err != nil {
		return nil, t.err
	}
	node := maps.Clone(t.node)
	node["id"] = id.String()
	b := fmt.Appendf(nil, "# Proxy %s", printable(id.String()))
	if t.class != "" {
		b = fmt.Appendf(b, ", of class %s", printable(t.class))
	}
	b = fmt.Appendf(b, ". To run it from this folder: envoy -c ./%s\n", ConfigFile)
	b = append(b, t.before...)
	b = appendMapping(b, map[string]any{"node": node}, 0)
	return append(b, t.after...), nil
}

// render takes the configuration of one proxy apart at its node.
func (t *bootstrapTexts) render(id model.ProxyID) error {
	bootstrap := t.bootstrap(id)
	if bootstrap == nil {
		return fmt.Errorf("proxy %s has no configuration", id)
	}
	decoded, err := decode(bootstrap)
	if err != nil {
		return fmt.Errorf("proxy %s: %w", id, err)
	}
	fields := decoded.(map[string]any)
	t.node, _ = fields["node"].(map[string]any)
	if t.node == nil {
		t.node = map[string]any{}
	}
	before, after := map[string]any{}, map[string]any{}
	for name, value := range fields { //ordered: sorted into two maps
		switch {
		case name < "node":
			before[name] = value
		case name > "node":
			after[name] = value
		}
	}
	t.before, t.after = appendMapping(nil, before, 0), appendMapping(nil, after, 0)
	return nil
}
