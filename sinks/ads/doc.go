// Package ads serves the compiled mesh to its Envoys: xDS v3 over one gRPC stream for each proxy (ADS), incremental or
// as the state of the world, with its certificates on the same stream.
//
//	Publish ──▶ targets (one for each class) ──▶ progress (one for each stream) ──plan──▶ messages
//
// A target is what a class of proxies is to have: lists of names into the one set of marshalled resources that the
// compiler has made. A stream keeps only where its proxy differs from its target. What is sent next is decided by the
// planner (plan.go, hold.go), which knows no connection and no clock: it makes before it breaks.
package ads
