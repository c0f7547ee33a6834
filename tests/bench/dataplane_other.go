//go:build !linux

package main

import (
	"errors"
	"net/netip"
	"syscall"
)

// Networks of their own, and what /proc tells, are Linux's.

func apartNetwork() *syscall.SysProcAttr { return nil }

func endsWithParent() *syscall.SysProcAttr { return nil }

func raiseNetwork(...netip.Addr) error { return errors.New("sidecars are measured on Linux only") }
