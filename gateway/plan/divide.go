package plan

import (
	"cmp"
	"math/big"
	"slices"
)

// divide cuts cents in proportion to weights that are not negative, so that the
// parts add up to the cent: each is rounded down, and what is left goes a cent
// each to the largest remainders, the first of equals first. Weights that are all
// zero are equal weights. No weights, no parts.
func divide(cents int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	sum := new(big.Int)
	for _, w := range weights {
		sum.Add(sum, big.NewInt(w))
	}
	if len(weights) == 0 {
		return parts
	}
	if sum.Sign() == 0 {
		return divide(cents, slices.Repeat([]int64{1}, len(weights)))
	}
	rests, order, left := make([]*big.Int, len(weights)), make([]int, len(weights)), cents
	for i, w := range weights {
		product := new(big.Int).Mul(big.NewInt(cents), big.NewInt(w))
		whole, rest := product.QuoRem(product, sum, new(big.Int))
		parts[i], rests[i], order[i] = whole.Int64(), rest, i
		left -= parts[i]
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(rests[b].Cmp(rests[a]), cmp.Compare(a, b)) })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}
