//go:build race

package budget_test

// The race detector allocates for itself too.
const underRace = true
