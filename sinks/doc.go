// Package sinks says what becomes of a compiled mesh: it is published to a Sink, with certificates from an Issuer.
//
// This package holds only the two interfaces and the value they speak of. Each package below it does the work towards
// one thing outside: a folder, a stream to Envoy, the status of an object. Sinks and sources never import each other.
package sinks
