package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// version of the program.
const version = "0.1.0" + mark

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  ontschot version", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), versionLine())
			return err
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("ontschot %s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
