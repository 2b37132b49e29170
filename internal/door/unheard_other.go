//go:build !linux

package door

import "syscall"

func control(string, string, syscall.RawConn) error { return nil }
