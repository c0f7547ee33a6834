package disk

import (
	"cmp"
	"errors"
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

	// several says that there is more than one such proxy.
	several bool
	shapes  *shapes

	once          sync.Once
	err           error
	before, after []byte
	node          *corev3.Node
}

// of appends the text of one proxy.
func (t *bootstrapTexts) of(b []byte, id model.ProxyID) ([]byte, error) {
	b = fmt.Appendf(b, "# Proxy %s", printable(id.String()))
	if t.class != "" {
		b = fmt.Appendf(b, ", of class %s", printable(t.class))
	}
	b = fmt.Appendf(b, ". To run it from this folder: envoy -c ./%s\n", ConfigFile)
	b, err := t.configuration(b, id)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", id, err)
	}
	return b, nil
}

func (t *bootstrapTexts) configuration(b []byte, id model.ProxyID) ([]byte, error) {
	if t.several {
		return t.shared(b, id)
	}
	bootstrap := t.bootstrap(id)
	if bootstrap == nil {
		return nil, errors.New("it has no configuration")
	}
	b, err := t.appendBefore(b, bootstrap)
	if err == nil {
		b, err = t.appendNode(b, bootstrap.Node, id)
	}
	if err == nil {
		b, err = t.appendAfter(b, bootstrap)
	}
	return b, err
}

// shared puts what the proxies have in common around what is one's own.
func (t *bootstrapTexts) shared(b []byte, id model.ProxyID) ([]byte, error) {
	t.once.Do(func() {
		bootstrap := t.bootstrap(id)
		if bootstrap == nil {
			t.err = errors.New("it has no configuration")
			return
		}
		t.node = bootstrap.Node
		if t.before, t.err = t.appendBefore(nil, bootstrap); t.err == nil {
			t.after, t.err = t.appendAfter(nil, bootstrap)
		}
	})
	if t.err != nil {
		return nil, t.err
	}
	b, err := t.appendNode(append(b, t.before...), t.node, id)
	return append(b, t.after...), err
}

// appendNode appends what a proxy says of itself.
func (t *bootstrapTexts) appendNode(b []byte, node *corev3.Node, id model.ProxyID) ([]byte, error) {
	node = proto.CloneOf(cmp.Or(node, &corev3.Node{}))
	node.Id = id.String()
	return t.shapes.appendMessage(append(b, "node:"...), node, spot{2, true})
}

func (t *bootstrapTexts) appendBefore(b []byte, bootstrap *bootstrapv3.Bootstrap) ([]byte, error) {
	return t.appendFields(b, bootstrap, func(name string) bool { return name < "node" })
}

func (t *bootstrapTexts) appendAfter(b []byte, bootstrap *bootstrapv3.Bootstrap) ([]byte, error) {
	return t.appendFields(b, bootstrap, func(name string) bool { return name > "node" })
}

// appendFields appends some fields of a configuration.
func (t *bootstrapTexts) appendFields(b []byte, bootstrap *bootstrapv3.Bootstrap, wanted func(name string) bool) ([]byte, error) {
	part, empty := (&bootstrapv3.Bootstrap{}).ProtoReflect(), true
	bootstrap.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if wanted(string(f.Name())) {
			part.Set(f, v)
			empty = false
		}
		return true
	})
	if empty {
		return b, nil
	}
	return t.shapes.appendMessage(b, part.Interface(), spot{})
}
