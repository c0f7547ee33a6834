package local

// Options are how a mesh is started.
type Options struct {
	// Name tells the meshes of one user apart; DefaultName when empty.
	Name string
	// Logs is a folder for the logs of sidecars and commands, Scratch one for short-lived files. Both must be there.
	Logs, Scratch string
	// Level is Envoy's log level; warning when empty.
	Level string
	// Restart has sidecars started again that end by themselves: after a second, and later if it happens again and again.
	Restart bool
	// Progress is told how far the start is, from one goroutine at a time; nil for nobody.
	Progress func(doing string, done, total int)
	// Trouble is told what goes wrong in pods later, such as a sidecar or a command that ends; nil for nobody.
	Trouble func(text string)
}

// DefaultName is the name of a mesh that was given none.
const DefaultName = "mesh"
