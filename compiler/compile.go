package compiler

import "github.com/flomesh-io/fsmc/model"

// Compile makes the configuration of every proxy of a mesh.
func Compile(mesh *model.Mesh) (*Output, []model.Diagnostic) {
	return &Output{settings: mesh.Settings(), proxies: map[model.ProxyID]placed{}}, nil
}
