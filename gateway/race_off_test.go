//go:build !race

package gateway_test

const (
	underRace = false
	stride    = 1 // every point
	questions = 2500
)
