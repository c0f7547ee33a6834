package shapes

// Graph is the applications of a mesh and who calls whom.
type Graph struct {
	// Name says shape and size, such as star/100.
	Name string
	Apps []App
}

// App is an application: one identity, which others call by its Service.
type App struct {
	Namespace string
	Name      string
	// Calls are the applications that this one calls, as indices into Graph.Apps, in order and without repetition.
	Calls []int
	// Matches is the number of matches of the HTTPRouteGroup that callers are restricted to; 0 admits every request.
	Matches int
	// Versioned applications run in two versions, each with a Service of its own beside the application's, over which a
	// TrafficSplit spreads the requests.
	Versioned bool
	// ClientOnly applications have no Service.
	ClientOnly bool
}

// versions are the Deployments of an application, by name.
func (a App) versions() []string {
	if a.Versioned {
		return []string{a.Name + "-v1", a.Name + "-v2"}
	}
	return []string{a.Name}
}

// services are the names of the application's Services.
func (a App) services() []string {
	switch {
	case a.ClientOnly:
		return nil
	case a.Versioned:
		return append([]string{a.Name}, a.versions()...)
	}
	return []string{a.Name}
}

// callers are the applications that call each, in order.
func (g Graph) callers() [][]int {
	callers := make([][]int, len(g.Apps))
	for from, app := range g.Apps {
		for _, to := range app.Calls {
			callers[to] = append(callers[to], from)
		}
	}
	return callers
}
