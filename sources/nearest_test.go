package sources

import "testing"

func TestNearest(t *testing.T) {
	tests := []struct {
		name       string
		given      string
		candidates []string
		want       string
	}{
		{"nothing to choose from", "a", nil, ""},
		{"one letter changed", "bookstore-v3", []string{"bookbuyer", "bookstore-v2"}, "bookstore-v2"},
		{"letters swapped", "wbe", []string{"app", "web"}, "web"},
		{"letter case aside", "tcproute", []string{"TCPRoute", "UDPRoute"}, "TCPRoute"},
		{"the nearest", "reader", []string{"raeders", "readers"}, "readers"},
		{"the first of equally near ones", "v3", []string{"v1", "v2"}, "v1"},
		{"too far", "bookstore", []string{"warehouse"}, ""},
		{"too short to guess", "", []string{"abc"}, ""},
		{"much longer", "web", []string{"web-frontend"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := nearest(test.given, test.candidates); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 3, 0},
		{"abc", "abc", 3, 0},
		{"abc", "", 3, 3},
		{"abc", "acb", 3, 1},
		{"abcd", "badc", 3, 2},
		{"kitten", "sitting", 5, 3},
		{"kitten", "sitting", 2, 3},
		{"abcdefgh", "zyxwvuts", 2, 3},
	}
	for _, test := range tests {
		if got := distance(test.a, test.b, test.limit); got != test.want {
			t.Errorf("%q to %q within %d is %d, want %d", test.a, test.b, test.limit, got, test.want)
		}
	}
}
