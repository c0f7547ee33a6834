package shapes

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/flomesh-io/fsmc/sources"
)

// JSON writes the objects of a generated mesh as one List, as a cluster is dumped.
func JSON(o sources.Objects) []byte {
	var text bytes.Buffer
	text.WriteString(`{"apiVersion":"v1","kind":"List","items":[`)
	for i, d := range documents(o) {
		if i > 0 {
			text.WriteByte(',')
		}
		b, err := json.Marshal(d)
		if err != nil {
			panic(fmt.Sprintf("shapes: %v", err)) // every type of the API can be marshalled
		}
		text.WriteByte('\n')
		text.Write(b)
	}
	text.WriteString("\n]}\n")
	return text.Bytes()
}

// Count is how many objects a generated mesh has.
func Count(o sources.Objects) int { return len(documents(o)) }
