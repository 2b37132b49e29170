//go:build race

package gateway_test

// Under the race detector everything takes ten times as long: fewer points, fewer
// questions.
const (
	underRace = true
	stride    = 7
	questions = 240
)
