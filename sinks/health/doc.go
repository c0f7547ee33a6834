// Package health answers whether this process works and whether it is ready, and for nobody else: neither answer depends
// on another server being up, so that the failure of one thing never restarts another.
package health
