package disk

import (
	"cmp"
	"fmt"
	"sync"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

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

	shapes *shapes

	once          sync.Once
	err           error
	node          *corev3.Node
	before, after []byte
}

// of is the text of one proxy.
func (t *bootstrapTexts) of(id model.ProxyID) ([]byte, error) {
	t.once.Do(func() { t.err = t.render(id) })
	if t.err != nil {
		return nil, t.err
	}
	b := make([]byte, 0, len(t.before)+len(t.after)+1<<10)
	b = fmt.Appendf(b, "# Proxy %s", printable(id.String()))
	if t.class != "" {
		b = fmt.Appendf(b, ", of class %s", printable(t.class))
	}
	b = fmt.Appendf(b, ". To run it from this folder: envoy -c ./%s\n", ConfigFile)
	node := proto.CloneOf(t.node)
	node.Id = id.String()
	b, err := t.shapes.appendMessage(append(append(b, t.before...), "node:"...), node, spot{2, true})
	return append(b, t.after...), err
}

// render takes the configuration of one proxy apart at its node.
func (t *bootstrapTexts) render(id model.ProxyID) error {
	bootstrap := t.bootstrap(id)
	if bootstrap == nil {
		return fmt.Errorf("proxy %s has no configuration", id)
	}
	var err error
	t.node = cmp.Or(bootstrap.Node, &corev3.Node{})
	t.before, err = t.renderFields(bootstrap, func(name string) bool { return name < "node" })
	if err == nil {
		t.after, err = t.renderFields(bootstrap, func(name string) bool { return name > "node" })
	}
	if err != nil {
		return fmt.Errorf("proxy %s: %w", id, err)
	}
	return nil
}

// renderFields is the text of some fields of a configuration.
func (t *bootstrapTexts) renderFields(bootstrap *bootstrapv3.Bootstrap, wanted func(name string) bool) ([]byte, error) {
	part, empty := (&bootstrapv3.Bootstrap{}).ProtoReflect(), true
	bootstrap.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if wanted(string(f.Name())) {
			part.Set(f, v)
			empty = false
		}
		return true
	})
	if empty {
		return nil, nil
	}
	return t.shapes.appendMessage(nil, part.Interface(), spot{})
}
