// Package wording answers: in which words is it said? Gaps, findings, refusals, notices,
// receipts, and what changes in an agreement, in Dutch (B1) and in English, from the texts
// beside the rules.
package wording
