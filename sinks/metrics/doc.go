// Package metrics counts what the control plane does, for Prometheus.
//
// Every metric is a row of one table (family.go), from which docs/reference/metrics.md is written. The values that a
// label takes are in the table too: any other becomes "other", so that nobody from outside can make a series.
package metrics

//go:generate go run page_generate.go ../../docs/reference/metrics.md
