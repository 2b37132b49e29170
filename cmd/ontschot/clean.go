//go:build !dirty

package main

// mark is part of the version of a program that was made from what is not in a commit.
const mark = ""
