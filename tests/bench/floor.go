package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// A floor is what the result of a compilation costs when everything is known before: each distinct resource of it, once.
//
// Outside of the measurement, every resource is decoded, and so is every configuration that is packed in it as an Any,
// however deep. Inside of it, each of these messages is built anew by a maker; packed ones are marshalled
// deterministically and put into the message that holds them; the resource is marshalled deterministically and hashed
// with SHA-256, and the hash is written as hexadecimal digits. So the floor does all that a straightforward compiler must
// do at the least, and nothing else: it looks nothing up, decides nothing, makes no names, and does not know which proxy
// gets what.
//
// It builds whole resources. What two resources have in common, such as a virtual host or a packed access log, is built
// for each; a compiler that builds it once for both can be faster than this floor.
type floor []func() []byte

func newFloor(output *compiler.Output) (floor, error) {
	var f floor
	for _, resource := range distinct(output) {
		message, err := resource.Message()
		if err != nil {
			return nil, fmt.Errorf("resource %s: %w", resource.Name, err)
		}
		f = append(f, newBuild(message))
	}
	return f, nil
}

// distinct are the resources of all classes, each once.
func distinct(output *compiler.Output) []*compiler.Resource {
	var resources []*compiler.Resource
	known := map[*compiler.Resource]bool{}
	for class := range output.Classes.Values() {
		for _, list := range []model.List[*compiler.Resource]{class.Listeners, class.Routes, class.Clusters, class.Endpoints} {
			for resource := range list.Values() {
				if !known[resource] {
					known[resource] = true
					resources = append(resources, resource)
				}
			}
		}
	}
	return resources
}

// built is a resource of the floor.
type built struct {
	bytes   []byte
	version string
}

// build is what is measured.
func (f floor) build() []built {
	result := make([]built, 0, len(f))
	for _, build := range f {
		b := build()
		sum := sha256.Sum256(b)
		result = append(result, built{b, hex.EncodeToString(sum[:])})
	}
	return result
}
