// Package certs keeps the certificates of a mesh: who has which one, when it is renewed, and which authorities are
// trusted meanwhile. Each package below it is one kind of authority.
package certs
