package local

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

func TestNames(t *testing.T) {
	var many []netip.Addr
	for i := range 100 {
		many = append(many, netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
	}
	n := newNames([]Name{
		{Name: "web.shop.svc.cluster.local", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")}},
		{Name: "many.shop.svc.cluster.local.", Addresses: many},
		{Name: "none.shop.svc.cluster.local"},
	})
	for _, c := range []struct {
		name, question string
		kind           dnsmessage.Type
		most           int
		want           string
	}{
		{"IPv4", "web.shop.svc.cluster.local.", dnsmessage.TypeA, 512, "RCodeSuccess 1: 10.0.0.1"},
		{"IPv6", "web.shop.svc.cluster.local.", dnsmessage.TypeAAAA, 512, "RCodeSuccess 1: 2001:db8::1"},
		{"any case", "WEB.shop.SVC.cluster.local.", dnsmessage.TypeA, 512, "RCodeSuccess 1: 10.0.0.1"},
		{"another kind of record", "web.shop.svc.cluster.local.", dnsmessage.TypeMX, 512, "RCodeSuccess 0:"},
		{"no address", "none.shop.svc.cluster.local.", dnsmessage.TypeA, 512, "RCodeSuccess 0:"},
		{"no such name", "web.shop.", dnsmessage.TypeA, 512, "RCodeNameError 0:"},
		{"more than fit", "many.shop.svc.cluster.local.", dnsmessage.TypeA, 512, "RCodeSuccess 29: 10.0.0.0"},
		{"as many over TCP", "many.shop.svc.cluster.local.", dnsmessage.TypeA, 1<<16 - 1, "RCodeSuccess 100: 10.0.0.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			query := dnsmessage.Message{
				Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
				Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(c.question), Type: c.kind, Class: dnsmessage.ClassINET}},
			}
			packed, err := query.Pack()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, described(t, n.answer(packed, c.most))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if reply := n.answer([]byte("no query"), 512); reply != nil {
		t.Errorf("what is no query got an answer: %q", reply)
	}
}

// described is the code, the number of answers and the first of them.
func described(t *testing.T, reply []byte) string {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(reply); err != nil {
		t.Fatal(err)
	}
	if m.ID != 7 || !m.Response || m.Truncated || len(m.Questions) != 1 {
		t.Errorf("the head of the answer is %+v", m.Header)
	}
	text := fmt.Sprintf("%s %d:", m.RCode, len(m.Answers))
	if len(m.Answers) == 0 {
		return text
	}
	switch body := m.Answers[0].Body.(type) {
	case *dnsmessage.AResource:
		return text + " " + netip.AddrFrom4(body.A).String()
	case *dnsmessage.AAAAResource:
		return text + " " + netip.AddrFrom16(body.AAAA).String()
	}
	return text + " ?"
}
