// Package logs makes the logger of a control plane, and a level that changes while it runs.
package logs
