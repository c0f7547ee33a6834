package disk

import (
	"fmt"
	"maps"
	"sync"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// standaloneTexts renders the static configurations of the proxies of one class. They differ in the id of the node
// only, so that the rest is rendered once, when the first of them is asked for.
type standaloneTexts struct {
	output *compiler.Output
	class  *compiler.Class

	once          sync.Once
	err           error
	node          map[string]any
	before, after []byte
}

// of is the text of one proxy.
func (t *standaloneTexts) of(id model.ProxyID) ([]byte, error) {
	t.once.Do(func() { t.err = t.render(id) })
	if t.err != nil {
		return nil, t.err
	}
	node := maps.Clone(t.node)
	node["id"] = id.String()
	b := fmt.Appendf(nil, "# Proxy %s, of class %s. To run it from this folder: envoy -c ./%s\n", printable(id.String()), printable(t.class.Name), ConfigFile)
	b = append(b, t.before...)
	b = appendMapping(b, map[string]any{"node": node}, 0)
	return append(b, t.after...), nil
}

// render takes the configuration of one proxy apart at its node.
func (t *standaloneTexts) render(id model.ProxyID) error {
	bootstrap := t.output.Standalone(id)
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
