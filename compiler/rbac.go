package compiler

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	httprbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	networkrbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	mtlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/rbac/principals/mtls_authenticated/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/model"
)

// policySpec is one RBAC policy: some TrafficTarget as one door sees it. A request is allowed if one policy allows it.
type policySpec struct {
	Name string
	// Anyone stands for every authenticated caller (permissive mode); otherwise Principals are URIs.
	Anyone     bool
	Principals []string
	// Everything stands for every request or connection; otherwise one of Matches must accept it.
	Everything bool
	Matches    []matchSpec
}

// matchSpec accepts requests by path, method and headers. An empty Path, and no methods, mean any.
type matchSpec struct {
	Path    string
	Methods []string
	Headers []headerSpec
}

type headerSpec struct{ Name, Value string }

// newMatchSpecs leaves out matches that accept nothing: their missing path or method would read as any.
func newMatchSpecs(requests model.Requests) []matchSpec {
	var specs []matchSpec
	for m := range requests.Matches.Values() {
		if !m.IsZero() {
			specs = append(specs, newMatchSpec(m))
		}
	}
	return specs
}

func newMatchSpec(m model.Match) matchSpec {
	s := matchSpec{Path: m.Path}
	if m.Path == ".*" {
		s.Path = ""
	}
	if !m.AnyMethod {
		for method := range m.Methods.Values() {
			s.Methods = append(s.Methods, method)
		}
	}
	for h := range m.Headers.Values() {
		s.Headers = append(s.Headers, headerSpec{h.Name, h.Value})
	}
	return s
}

// rules allow what one of the policies allows, and so deny everything when there are none.
func rules(policies []policySpec) *rbacv3.RBAC {
	r := &rbacv3.RBAC{Action: rbacv3.RBAC_ALLOW, Policies: map[string]*rbacv3.Policy{}}
	for _, p := range policies {
		r.Policies[p.Name] = &rbacv3.Policy{Principals: principals(p), Permissions: permissions(p)}
	}
	return r
}

// principals match the URI of a verified certificate and nothing else of it: Envoy's older principal_name takes a DNS
// name or the subject for the name of a peer as well.
func principals(p policySpec) []*rbacv3.Principal {
	if p.Anyone {
		return []*rbacv3.Principal{{Identifier: &rbacv3.Principal_Any{Any: true}}}
	}
	var list []*rbacv3.Principal
	for _, uri := range p.Principals {
		list = append(list, &rbacv3.Principal{Identifier: &rbacv3.Principal_Custom{Custom: &corev3.TypedExtensionConfig{
			Name:        "envoy.rbac.principals.mtls_authenticated",
			TypedConfig: packed(&mtlsv3.Config{SanMatcher: uriName(uri)}),
		}}})
	}
	return list
}

func permissions(p policySpec) []*rbacv3.Permission {
	if p.Everything {
		return []*rbacv3.Permission{{Rule: &rbacv3.Permission_Any{Any: true}}}
	}
	var list []*rbacv3.Permission
	for _, m := range p.Matches {
		list = append(list, permission(m))
	}
	return list
}

func permission(m matchSpec) *rbacv3.Permission {
	var all []*rbacv3.Permission
	if m.Path != "" {
		all = append(all, &rbacv3.Permission{Rule: &rbacv3.Permission_UrlPath{UrlPath: &matcherv3.PathMatcher{
			Rule: &matcherv3.PathMatcher_Path{Path: expression(m.Path)},
		}}})
	}
	for _, h := range headerMatchers(m) {
		all = append(all, &rbacv3.Permission{Rule: &rbacv3.Permission_Header{Header: h}})
	}
	switch len(all) {
	case 0:
		return &rbacv3.Permission{Rule: &rbacv3.Permission_Any{Any: true}}
	case 1:
		return all[0]
	}
	return &rbacv3.Permission{Rule: &rbacv3.Permission_AndRules{AndRules: &rbacv3.Permission_Set{Rules: all}}}
}

// headerMatchers are the conditions of a match on method and headers. All must hold.
func headerMatchers(m matchSpec) []*routev3.HeaderMatcher {
	var list []*routev3.HeaderMatcher
	switch len(m.Methods) {
	case 0:
	case 1:
		list = append(list, header(":method", exactly(m.Methods[0])))
	default:
		list = append(list, header(":method", expression(alternatives(m.Methods))))
	}
	for _, h := range m.Headers {
		list = append(list, header(h.Name, expression(h.Value)))
	}
	return list
}

// alternatives is an expression for one of several methods, which are plain words.
func alternatives(words []string) string {
	e := words[0]
	for _, w := range words[1:] {
		e += "|" + w
	}
	return e
}

func header(name string, value *matcherv3.StringMatcher) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: name, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: value}}
}

func exactly(s string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: s}}
}

// expression matches an RE2 expression in full.
func expression(e string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: regex(e)}}
}

func regex(e string) *matcherv3.RegexMatcher { return &matcherv3.RegexMatcher{Regex: e} }

// httpRBAC is the filter of every inbound chain. Left alone it denies everything; the route table brings the policies,
// so that a change of policy binds open connections and drains none.
func httpRBAC() proto.Message { return &httprbacv3.RBAC{Rules: rules(nil)} }

// ambiguousPaths denies a path with a segment that is . or .. up to a semicolon. Envoy has resolved such segments where
// they were written plainly; what is left of them was encoded, and a servlet container would resolve it again.
func ambiguousPaths() proto.Message {
	return &httprbacv3.RBAC{Rules: &rbacv3.RBAC{Action: rbacv3.RBAC_DENY, Policies: map[string]*rbacv3.Policy{
		"ambiguous-path": {
			Principals:  principals(policySpec{Anyone: true}),
			Permissions: permissions(policySpec{Matches: []matchSpec{{Path: `.*/\.\.?(;.*)?`}}}),
		},
	}}}
}

// routeRBAC is the policy of a route table. Its statistics count per TrafficTarget.
func routeRBAC(policies []policySpec) proto.Message {
	return &httprbacv3.RBACPerRoute{Rbac: &httprbacv3.RBAC{Rules: rules(policies), TrackPerRuleStats: true}}
}

// networkRBAC decides once, when a connection that is not HTTP is made.
func networkRBAC(policies []policySpec) proto.Message {
	return &networkrbacv3.RBAC{StatPrefix: "network-", Rules: rules(policies)}
}
