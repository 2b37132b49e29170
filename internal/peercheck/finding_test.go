package peercheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// everyCode are the constants of what can be found, as they stand in the file.
func everyCode(t *testing.T) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "finding.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		one, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := one.Type.(*ast.Ident); !ok || of.Name != "code" {
			return true
		}
		switch v := one.Values[0].(type) {
		case *ast.BasicLit:
			text, err := strconv.Unquote(v.Value)
			require.NoError(t, err)
			all = append(all, text)
		case *ast.SelectorExpr:
			all = append(all, map[string]string{"ReasonNoAgreement": budgetv1.ReasonNoAgreement, "ReasonNoAdapter": budgetv1.ReasonNoAdapter}[v.Sel.Name])
		}
		return true
	})
	return all
}

// Whatever can be found has its words, and there are none for what cannot; of every fault but
// those of a policy it is known who repairs it.
func TestEveryFindingHasItsWords(t *testing.T) {
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(t, err)
	all := everyCode(t)
	require.Len(t, all, 45)
	for _, c := range all {
		for _, lang := range []string{"nl", "en"} {
			text := texts.Hop(c, lang, "EEN", "TWEE", "DRIE")
			require.NotEqual(t, c, text, lang)
			require.NotContains(t, text, "{", lang)
		}
	}
	raw, err := fs.ReadFile(policies.FS, "reasons/peer.nl.yaml")
	require.NoError(t, err)
	require.Equal(t, len(all), strings.Count(string(raw), ": \""), "words for what cannot be found")
	require.Len(t, repairs(), 31-2)
}
