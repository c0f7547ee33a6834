// Package record is what is kept of a soak: tests/soak writes it, and tests/bench makes a section of the page of it.
package record

// Report is what came of a soak.
type Report struct {
	// Date and Commit say when and what was soaked, Processor and the rest where.
	Date      string `json:"date"`
	Commit    string `json:"commit"`
	Processor string `json:"processor"`
	CPUs      int    `json:"cpus"`
	Platform  string `json:"platform"`
	Go        string `json:"go"`
	Seed      uint64 `json:"seed"`

	// Seconds is how long there were edits, Passed how long everything took, rests included.
	Seconds float64 `json:"seconds"`
	Passed  float64 `json:"passedSeconds"`
	// Rate is how many edits a second there were to be.
	Rate  float64 `json:"rate"`
	Edits int     `json:"edits"`
	// Kinds are the edits by kind.
	Kinds map[string]int `json:"editsByKind"`
	// Published are the states that were published.
	Published int `json:"published"`
	// Wanted is how many simulated sidecars had to be connected at any time, Envoys how many real ones there were.
	Wanted int `json:"wantedStreams"`
	Envoys int `json:"envoys"`
	// WithoutEnvoys says why there were none.
	WithoutEnvoys string `json:"withoutEnvoys,omitempty"`
	// Reconnects are the streams that were broken off, and came again.
	Reconnects int `json:"reconnects"`
	// Responses and Resources are what simulated sidecars were sent, Repeated of them what they had, and Mangled what was not
	// as its version says. Rejected are those that any sidecar rejected.
	Responses int `json:"responses"`
	Resources int `json:"resources"`
	Repeated  int `json:"repeated"`
	Mangled   int `json:"mangled"`
	Rejected  int `json:"rejected"`

	// Asked are the requests, Lost those whose outcome must not be, by who asks whom and how.
	Asks  map[string]Ask `json:"asks"`
	Asked int            `json:"asked"`
	Lost  int            `json:"lost"`

	// HeapFirst and HeapLast are the medians of the heap in the first and the last third, the second of which may be greater
	// by HeapMore.
	HeapFirst float64  `json:"heapFirstBytes"`
	HeapLast  float64  `json:"heapLastBytes"`
	HeapMore  float64  `json:"heapMoreBytes"`
	Samples   []Sample `json:"samples"`
	Rests     []Rest   `json:"rests"`
	// Faults are in words; none is a good soak.
	Faults []string `json:"faults"`
}

// Ask is what came of the requests of one who asks.
type Ask struct {
	// Refused says that nothing was to be allowed.
	Refused bool `json:"refused,omitempty"`
	Allowed int  `json:"allowed"`
	Denied  int  `json:"denied"`
	Failed  int  `json:"failed"`
	// Connections is how many there were; of those that are kept open, two at a time.
	Connections int            `json:"connections"`
	Longest     float64        `json:"longestSeconds"`
	Reasons     map[string]int `json:"reasons,omitempty"`
}

// Sample is how everything was at a moment, while there were edits or in a rest.
type Sample struct {
	Second float64 `json:"second"`
	// Streams are the simulated sidecars that were connected, Envoys the real ones.
	Streams int `json:"streams"`
	Envoys  int `json:"envoys"`
	// Asked and Lost are all requests until then.
	Asked int `json:"asked"`
	Lost  int `json:"lost"`
	Use
}

// Rest is a moment at which the mesh was what it was at the others: the manifests of the beginning, the same streams,
// which have just come again, and nothing under way. Only what was left over may differ.
type Rest struct {
	Second float64 `json:"second"`
	// Edits is how many there were until then.
	Edits int `json:"edits"`
	// Settled is how long it took from the last edit until every sidecar had just what a fresh compilation gives it.
	Settled float64 `json:"settledSeconds"`
	// Again is how long it took until all streams that were broken off at once were back and had everything, and Pushed
	// what they were sent.
	Again  float64 `json:"againSeconds"`
	Pushed int     `json:"pushed"`
	Use
	// EnvoyBytes are what each real Envoy has allocated, by pod.
	EnvoyBytes map[string]float64 `json:"envoyBytes,omitempty"`
}

// Use is what the server needs.
type Use struct {
	// HeapBytes are those of living objects, after garbage was collected; ResidentBytes are those of the process.
	HeapBytes     float64 `json:"heapBytes"`
	ResidentBytes float64 `json:"residentBytes"`
	Goroutines    float64 `json:"goroutines"`
	OpenFiles     float64 `json:"openFiles"`
	CPUSeconds    float64 `json:"cpuSeconds"`
}
