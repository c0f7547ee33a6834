// Package v1alpha2 holds the Go types of the API group config.flomesh.io.
package v1alpha2
