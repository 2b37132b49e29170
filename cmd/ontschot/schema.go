package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/setup"
)

// jsonFiles are the kinds of file that are JSON.
func jsonFiles() map[string]reflect.Type {
	return map[string]reflect.Type{"case": reflect.TypeFor[casefile.Case]()}
}

func schemaCommand() *cobra.Command {
	names := append(setup.Schemas(jsonFiles()), "mapping")
	return &cobra.Command{
		Use:   "schema KIND",
		Short: "Print the JSON Schema of a kind of file that people write",
		Long: `Print the JSON Schema (draft 2020-12) of a kind of file, for an editor that completes and checks while you write: the keys
that are read, and no others, with their explanation. What they must be further says config check, or the command that reads the
file. Kinds: ` + strings.Join(names, ", ") + ".",
		Example:   "  ontschot schema gateway > gateway.schema.json",
		Args:      oneArg("a kind of file: " + strings.Join(names, ", ")),
		ValidArgs: names,
		RunE: func(c *cobra.Command, args []string) error {
			raw, err := mapping.Schema(), error(nil)
			if args[0] != "mapping" {
				raw, err = setup.Schema(args[0], jsonFiles())
			}
			if errors.Is(err, setup.ErrInput) {
				return fmt.Errorf("%w: no kind of file %q; there are: %s", errUsage, args[0], strings.Join(names, ", "))
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), strings.TrimSpace(string(raw)))
			return err
		},
	}
}
