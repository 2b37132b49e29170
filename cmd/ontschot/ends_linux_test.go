package main

import "syscall"

// endsWithThis has a process that a test starts end with the test, however that ends.
func endsWithThis() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
