package shapes

import "fmt"

// Shapes are the shapes by name. Each makes a graph of as many Services as it is asked for; trees need a multiple of 20.
var Shapes = []Shape{{"star", Star}, {"trees", Trees}, {"power-law", PowerLaw}}

// Shape makes graphs of one shape.
type Shape struct {
	Name string
	Make func(services int) Graph
}

// Star is one client that calls every server, each of which restricts it to the three requests of a route group.
func Star(services int) Graph {
	g := Graph{Name: fmt.Sprintf("star/%d", services)}
	client := App{Namespace: "client", Name: "client", ClientOnly: true}
	for i := range services {
		client.Calls = append(client.Calls, i)
		g.Apps = append(g.Apps, App{Namespace: "servers", Name: fmt.Sprintf("server-%d", i), Matches: 3})
	}
	g.Apps = append(g.Apps, client)
	return g
}

// treeSize is the number of applications in a tree.
const treeSize = 20

// Trees are trees of 20 services, each in a namespace of its own: a root that calls 10 children, 9 of which call one
// more. Callers may send any request.
func Trees(services int) Graph {
	g := Graph{Name: fmt.Sprintf("trees/%d", services)}
	const children = 10
	for t := range services / treeSize {
		first := len(g.Apps)
		for i := range treeSize {
			app := App{Namespace: fmt.Sprintf("tree-%d", t), Name: fmt.Sprintf("service-%d", i)}
			switch {
			case i == 0:
				app.Calls = span(first+1, children)
			case i < treeSize-children:
				app.Calls = span(first+i+children, 1)
			}
			g.Apps = append(g.Apps, app)
		}
	}
	return g
}

// span is count numbers from the first.
func span(first, count int) []int {
	numbers := make([]int, count)
	for i := range numbers {
		numbers[i] = first + i
	}
	return numbers
}
