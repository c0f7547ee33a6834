package local

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// names answers questions for names and their addresses. It knows nothing else and asks nobody.
type names map[string][]netip.Addr

func newNames(list []Name) names {
	n := names{}
	for _, name := range list {
		key := strings.ToLower(strings.TrimSuffix(name.Name, ".")) + "."
		n[key] = append(n[key], name.Addresses...)
	}
	return n
}

// How long an answer may be kept, in seconds: the mesh can change at any time.
const timeToLive = 1

// answer answers a query in at most the given number of bytes; addresses that do not fit are left out, for a client with
// a sidecar has no other way to ask. What is no query gets no answer.
func (n names) answer(query []byte, most int) []byte {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil || header.Response {
		return nil
	}
	question, err := parser.Question()
	if err != nil {
		return nil
	}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, OpCode: header.OpCode, RecursionDesired: header.RecursionDesired},
		Questions: []dnsmessage.Question{question},
	}
	addresses, known := n[strings.ToLower(question.Name.String())]
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, address := range addresses {
		if record, ok := recordOf(question, address); ok {
			reply.Answers = append(reply.Answers, record)
		}
	}
	return pack(reply, most)
}

// recordOf is an address as a record, if it is of the kind that was asked for.
func recordOf(question dnsmessage.Question, address netip.Addr) (dnsmessage.Resource, bool) {
	header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: timeToLive}
	switch {
	case question.Type == dnsmessage.TypeA && address.Is4():
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}}, true
	case question.Type == dnsmessage.TypeAAAA && address.Is6():
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}}, true
	}
	return dnsmessage.Resource{}, false
}

func pack(reply dnsmessage.Message, most int) []byte {
	for {
		text, err := reply.Pack()
		if err != nil {
			return nil
		}
		if len(text) <= most || len(reply.Answers) == 0 {
			return text
		}
		reply.Answers = reply.Answers[:len(reply.Answers)-1]
	}
}
