//go:build !race

package federation_test

const (
	questions = 1200
	underRace = false
)
