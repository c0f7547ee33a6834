// Package parts holds what tests need of real parts: the Envoy binary, the fsmc binary, certificates to load.
package parts
