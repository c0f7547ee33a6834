// Package shop is a small mesh whose five sidecars are real Envoys, on one machine and served by an fsmc serve that others
// start. It can be edited at random without taking anything from those who ask: what the client asks for, and /public for
// the guest, is allowed all the time, and what is never allowed is asked for as well. Every single outcome counts; nothing
// is tried again, neither by those who ask nor by the sidecars.
package shop
