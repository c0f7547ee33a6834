// Package trace sends OpenTelemetry traces of what a control plane does to a collector: a trace for each snapshot, with
// a span for each step, and one for each type of resource that is pushed then.
//
//	snapshot
//	├── complete, resolve, compile, publish
//	└── push (type=routes, reason=snapshot, responses=12, …)
//
// Others need not know OpenTelemetry: spans begin and end with plain functions (Tracer.Spans), and pushes are made of the
// events that a sink tells anyway (Tracer.Observe). Without a collector all of it does nothing, and costs nothing.
package trace
