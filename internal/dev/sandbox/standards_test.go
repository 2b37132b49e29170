package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// What the registers serve here is a part of their published schemas, where those are at
// hand: ONTSCHOT_STANDARDS names the folder that holds iwlz/*.graphql. Every query that an
// adapter sends is held against our part when it comes in, and so against the whole.
func TestRegistersArePartOfWhatIsPublished(t *testing.T) {
	folder := os.Getenv("ONTSCHOT_STANDARDS")
	if folder == "" {
		t.Skip("SKIPPED, nothing was compared: ONTSCHOT_STANDARDS names no folder with the published schemas, which are not ours to keep here")
	}
	for file, of := range map[string]register{"Indicatieregister.graphql": indications(), "Bemiddelingregister.graphql": mediations()} {
		raw, err := os.ReadFile(filepath.Join(folder, "iwlz", file))
		require.NoError(t, err)
		published, err := gqlparser.LoadSchema(&ast.Source{Name: file, Input: string(raw)})
		require.NoError(t, err)
		ours := gqlparser.MustLoadSchema(&ast.Source{Name: of.name, Input: of.schema})
		for name, definition := range ours.Types {
			if definition.BuiltIn || strings.HasPrefix(name, "__") {
				continue
			}
			theirs := published.Types[name]
			require.NotNil(t, theirs, name)
			require.Equal(t, theirs.Kind, definition.Kind, name)
			for _, f := range definition.Fields {
				if strings.HasPrefix(f.Name, "__") {
					continue
				}
				same := theirs.Fields.ForName(f.Name)
				require.NotNil(t, same, "%s.%s", name, f.Name)
				require.Equal(t, same.Type.String(), f.Type.String(), "%s.%s", name, f.Name)
				for _, argument := range f.Arguments {
					require.NotNil(t, same.Arguments.ForName(argument.Name), "%s.%s(%s)", name, f.Name, argument.Name)
					require.Equal(t, same.Arguments.ForName(argument.Name).Type.String(), argument.Type.String(), "%s.%s(%s)", name, f.Name, argument.Name)
				}
			}
		}
	}
}
