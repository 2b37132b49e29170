//go:build !race

package budget_test

const underRace = false
