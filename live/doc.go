// Package live keeps sinks the way a source is: what changes is held off for a moment, compiled anew from what it was
// before, and published.
//
//	Input ──Pipeline.Next──▶ *Round ──Loop.Publish──▶ sinks
//
// A Round is one passage through the pure functions of sources and compiler, with how long each step took. The command
// line makes one round, a control plane one after another. Nothing here knows a file, a cluster, or Envoy.
package live
