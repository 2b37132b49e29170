package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// version of the program.
const version = "0.1.0" + mark

func versionCommand() *cobra.Command {
	var say reply
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  ontschot version\n  ontschot version --format json", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return say.give(c, versionAnswer{version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}, versionLine()+"\n")
		},
	}
	say.flags(c)
	return c
}

func versionLine() string {
	return fmt.Sprintf("ontschot %s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
