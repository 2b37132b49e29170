//go:build dirty

package main

const mark = "-dirty"
