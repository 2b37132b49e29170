package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/cak"
	"github.com/ontschot/ontschot/adapters/careoffice"
	"github.com/ontschot/ontschot/adapters/education"
	"github.com/ontschot/ontschot/adapters/insurer"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/municipality"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/transport"
	"github.com/ontschot/ontschot/adapters/uwv"
)

// docs/interfaces.md lists the members of every format that an adapter reads, from the
// tables that the adapters themselves go by.
func TestMembersAreListed(t *testing.T) {
	const page, mark = "../../docs/interfaces.md", "## Members\n"
	var listed strings.Builder
	listed.WriteString(mark + "\nFrom the tables of the adapters; `go test ./cmd/ontschot -run TestMembersAreListed -update` writes them. `[]` is a list, `/*` is\n" +
		"all that is in it. Any other member of these formats is noticed (UNKNOWN_ELEMENT), and changes no amount.\n")
	for _, tables := range [][]native.Table{
		municipality.Tables(), message.Tables(), careoffice.Tables(), uwv.Tables(), insurer.Tables(), cak.Tables(), education.Tables(), transport.Tables(),
	} {
		for _, table := range tables {
			fmt.Fprintf(&listed, "\n### %s\n\nRead: %s\n", table.Format, memberPaths(table.Read))
			if len(table.Ignored) > 0 {
				fmt.Fprintf(&listed, "\nKnown and not read: %s\n", memberPaths(table.Ignored))
			}
		}
	}
	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	above, have, ok := strings.Cut(string(raw), mark)
	require.True(t, ok, "the page has no list of members")
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(above+listed.String()), 0o600))
		return
	}
	require.Equal(t, listed.String(), mark+have)
}

// memberPaths writes paths one after the other.
func memberPaths(paths []string) string {
	names := slices.Clone(paths)
	for i, name := range names {
		names[i] = "`" + name + "`"
	}
	return strings.Join(names, ", ")
}
