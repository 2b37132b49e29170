//go:build race

package federation_test

// Under the race detector everything takes ten times as long.
const (
	questions = 160
	underRace = true
)
