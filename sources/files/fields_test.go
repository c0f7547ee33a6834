package files

import (
	"reflect"
	"testing"

	"github.com/flomesh-io/fsmc/sources"
)

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"port", "ports", 1}, {"prots", "ports", 1}, {"selecter", "selector", 1},
		{"abc", "cba", 2}, {"replica", "replicas", 1}, {"kitten", "sitting", 3},
	}
	for _, test := range tests {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q and %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestNearest(t *testing.T) {
	fields := map[string]reflect.Type{"port": nil, "ports": nil, "protocol": nil, "targetPort": nil, "pathRegex": nil}
	tests := []struct{ name, want string }{
		{"prt", "port"}, {"portss", "ports"}, {"protoocl", "protocol"}, {"targetport", "targetPort"}, {"target-port", "targetPort"}, {"PORT", "port"},
		{"pathRegexp", "pathRegex"}, {"color", ""}, {"x", ""}, {"", ""}, {"portportportportport", ""},
	}
	for _, test := range tests {
		if got := nearest(test.name, fields); got != test.want {
			t.Errorf("%q: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestKindsDecode says that every kind of the table can be read and examined: an object with nothing but a name, and one
// in which everything is wrong.
func TestKindsDecode(t *testing.T) {
	for k := range sources.Kinds() {
		head := "apiVersion: " + k.APIVersion() + "\nkind: " + k.Kind + "\nmetadata: {name: a}\n"
		t.Run(k.APIVersion()+" "+k.Kind, func(t *testing.T) {
			r := ReadBytes("in.yaml", []byte(head))
			if len(refs(r.Objects)) != 1 || len(r.Diagnostics) != 0 {
				t.Errorf("%v %v", refs(r.Objects), places(r.Diagnostics))
			}
			r = ReadBytes("in.yaml", []byte(head+"nonsense: {a: b}\nspec: 7\nmatches: 7\nstatus: 7\n"))
			if len(r.Diagnostics) == 0 {
				t.Error("nothing was found")
			}
		})
	}
}
