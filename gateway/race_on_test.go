//go:build race

package gateway_test

// Under the race detector everything takes ten times as long: fewer points, fewer
// requests.
const (
	underRace = true
	stride    = 7
	requests  = 240
)
