package compiler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/flomesh-io/fsmc/model"
)

// configuration is a class with its resources decoded, by name.
type configuration struct {
	*Class
	listeners map[string]*listenerv3.Listener
	routes    map[string]*routev3.RouteConfiguration
	clusters  map[string]*clusterv3.Cluster
	endpoints map[string]*endpointv3.ClusterLoadAssignment
}

func configurationOf(c *Class) configuration {
	return configuration{
		Class:     c,
		listeners: decoded[*listenerv3.Listener](c.Listeners),
		routes:    decoded[*routev3.RouteConfiguration](c.Routes),
		clusters:  decoded[*clusterv3.Cluster](c.Clusters),
		endpoints: decoded[*endpointv3.ClusterLoadAssignment](c.Endpoints),
	}
}

func configurations(o *Output) []configuration {
	var list []configuration
	for c := range o.Classes.Values() {
		list = append(list, configurationOf(c))
	}
	return list
}

// compiled is the configuration of one proxy of a mesh.
func compiled(t *testing.T, mesh *model.Mesh, id model.ProxyID) configuration {
	t.Helper()
	output, _ := Compile(mesh)
	class, ok := output.ClassOf(id)
	if !ok {
		t.Fatalf("no proxy %s", id)
	}
	return configurationOf(class)
}

// resources are all resources of a class.
func (c configuration) resources() []*Resource {
	var list []*Resource
	for _, l := range []model.List[*Resource]{c.Listeners, c.Routes, c.Clusters, c.Endpoints} {
		list = slices.AppendSeq(list, l.Values())
	}
	return list
}

// messages are all resources of a class, decoded.
func (c configuration) messages() []proto.Message {
	var list []proto.Message
	for _, r := range c.resources() {
		list = append(list, decode[proto.Message](r))
	}
	return list
}

// walk visits a message and all messages in it, those that are packed in an Any included. What is inside of a Struct is
// data, such as the fields of the access log, and most of what there is.
func walk(m protoreflect.Message, visit func(protoreflect.Message)) {
	visit(m)
	switch known := m.Interface().(type) {
	case *structpb.Struct:
		return
	case *anypb.Any:
		inner, err := known.UnmarshalNew()
		if err != nil {
			panic(err)
		}
		walk(inner.ProtoReflect(), visit)
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, value protoreflect.Value) bool {
					walk(value.Message(), visit)
					return true
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				walk(v.List().Get(i).Message(), visit)
			}
		default:
			walk(v.Message(), visit)
		}
		return true
	})
}

// flat are messages and all messages in them.
func flat[M proto.Message](in ...M) []proto.Message {
	var all []proto.Message
	for _, m := range in {
		walk(m.ProtoReflect(), func(p protoreflect.Message) { all = append(all, p.Interface()) })
	}
	return all
}

// only are the messages of one type among others.
func only[M proto.Message](among []proto.Message) []M {
	var found []M
	for _, m := range among {
		if hit, ok := m.(M); ok {
			found = append(found, hit)
		}
	}
	return found
}

// find collects the messages of one type in others.
func find[M, N proto.Message](in ...N) []M { return only[M](flat(in...)) }

// clusterNames are the clusters that messages send calls to.
func clusterNames(among []proto.Message) []string {
	var names []string
	for _, m := range among {
		name := ""
		switch m := m.(type) {
		case *routev3.RouteAction:
			name = m.GetCluster()
		case *routev3.WeightedCluster_ClusterWeight:
			name = m.Name
		case *tcpproxyv3.TcpProxy:
			name = m.GetCluster()
		case *tcpproxyv3.TcpProxy_WeightedCluster_ClusterWeight:
			name = m.Name
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// chains are the filter chains of a listener, its default one included.
func chains(l *listenerv3.Listener) []*listenerv3.FilterChain {
	list := slices.Clone(l.GetFilterChains())
	if l.GetDefaultFilterChain() != nil {
		list = append(list, l.DefaultFilterChain)
	}
	return list
}

// destinationsOf are the addresses that a listener's matcher knows, each with the chain that takes it.
func destinationsOf(l *listenerv3.Listener) map[string]string {
	list := map[string]string{}
	for port, byAddress := range l.GetFilterChainMatcher().GetMatcherTree().GetExactMatchMap().GetMap() {
		for address, match := range byAddress.GetMatcher().GetMatcherTree().GetExactMatchMap().GetMap() {
			list[address+" "+port] = chainOf(match)
		}
	}
	return list
}

func chainOf(m *xdsmatcherv3.Matcher_OnMatch) string {
	var name wrapperspb.StringValue
	if err := m.GetAction().GetTypedConfig().UnmarshalTo(&name); err != nil {
		panic(err)
	}
	return name.Value
}

// policiesIn are the RBAC policies in a message that admit something, by name.
func policiesIn[M proto.Message](in ...M) map[string]*rbacv3.Policy {
	all := map[string]*rbacv3.Policy{}
	for _, r := range find[*rbacv3.RBAC](in...) {
		if r.Action == rbacv3.RBAC_ALLOW {
			maps.Copy(all, r.Policies)
		}
	}
	return all
}

// transcript is everything about an output, as lines to compare.
func transcript(o *Output, diagnostics []model.Diagnostic) []string {
	text := []string{fmt.Sprintf("%+v", o.Counters)}
	for _, c := range configurations(o) {
		text = append(text, lines(c)...)
		for id := range c.Proxies.Values() {
			text = append(text, fmt.Sprintf("proxy %s: %x", id, marshal(o.Standalone(id))))
		}
	}
	for _, d := range model.SortDiagnostics(diagnostics) {
		text = append(text, fmt.Sprint(d))
	}
	return text
}

// lines are everything about a class.
func lines(c configuration) []string {
	text := []string{fmt.Sprintf("class %s of %s: %v", c.Name, c.Identity, slices.Collect(c.Secrets.Values()))}
	for _, r := range c.resources() {
		text = append(text, fmt.Sprintf("%s %s %s %x %v %q", r.Type, r.Name, r.Version, r.Bytes,
			slices.Collect(r.From.Values()), slices.Collect(r.Uses.Values())))
	}
	return text
}

// shortType is the last word of a resource's type.
func shortType(r *Resource) string { return r.Type[strings.LastIndexByte(r.Type, '.')+1:] }

// endpointsOf are the addresses of an assignment, with a word for those that are called in plaintext.
func endpointsOf(a *endpointv3.ClusterLoadAssignment) []string {
	var list []string
	for _, e := range find[*endpointv3.LbEndpoint](a) {
		text := addressOf(e)
		if e.GetMetadata().GetFilterMetadata()["envoy.transport_socket_match"].GetFields()["plaintext"].GetBoolValue() {
			text += " plaintext"
		}
		list = append(list, text)
	}
	return list
}
