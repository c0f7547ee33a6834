package compiler

import (
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

// A proxy is told who it is, and is administered from its own machine alone.
func TestBootstrap(t *testing.T) {
	output, _ := Compile(shop(smi()))
	b := output.Standalone(theSeller)
	if b.Node.Id != "shop/seller-0" || b.Node.Cluster != "seller.shop" {
		t.Errorf("the node is %v", b.Node)
	}
	if a := socketOf(b.Admin.GetAddress()); a != "127.0.0.1:15000" {
		t.Errorf("the administration is at %s", a)
	}
	if b.DynamicResources != nil {
		t.Errorf("something is asked for: %v", b.DynamicResources)
	}
}

// Certificates are files beside the configuration, and no key is in it.
func TestStandaloneNamesFiles(t *testing.T) {
	output, _ := Compile(shop(smi()))
	b := output.Standalone(theSeller)
	names := map[string]int{}
	for _, d := range only[*corev3.DataSource](flat(b)) {
		names[d.GetFilename()]++
		if d.GetFilename() == "" && d.GetInlineString() != "no backend of this service can be used by this client" {
			t.Errorf("something is inline: %v", d)
		}
	}
	n := len(find[*tlsv3.CommonTlsContext](b))
	want := map[string]int{"./tls.crt": n, "./tls.key": n, "./ca.crt": n}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files of %d TLS contexts (-want +got):\n%s", n, diff)
	}
}

// Names of servers survive when trust becomes a file.
func TestStandaloneStillChecksServers(t *testing.T) {
	output, _ := Compile(shop(smi()))
	class, _ := output.ClassOf(theBuyer)
	b := output.Standalone(theBuyer)
	for _, c := range b.StaticResources.Clusters {
		want := accepted(find[*tlsv3.CommonTlsContext](configurationOf(class).clusters[c.Name]))
		var got []string
		for _, v := range find[*tlsv3.CertificateValidationContext](c) {
			for _, m := range v.MatchTypedSubjectAltNames {
				got = append(got, m.Matcher.GetExact())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("cluster %s takes (-class +standalone):\n%s", c.Name, diff)
		}
	}
}

// A configuration that is taken out can be changed without touching what is left.
func TestStandaloneIsACopy(t *testing.T) {
	output, _ := Compile(shop(smi()))
	first := output.Standalone(theSeller)
	untouched := proto.CloneOf(first)
	spoil(first)
	if diff := cmp.Diff(marshal(untouched), marshal(output.Standalone(theSeller))); diff != "" {
		t.Error("the second copy has the edits of the first")
	}
}

func spoil(b *bootstrapv3.Bootstrap) {
	for _, l := range b.StaticResources.Listeners {
		l.FilterChains, l.Name = nil, "spoilt"
	}
	for _, c := range b.StaticResources.Clusters {
		if c.LoadAssignment != nil {
			c.LoadAssignment.ClusterName, c.LoadAssignment.Endpoints = "spoilt", nil
		}
	}
}
