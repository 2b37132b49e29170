//go:build !race

package gateway_test

const (
	underRace = false
	stride    = 1 // every point
	requests  = 2500
)
