package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// facts are what a schema says of its types, in order: a line for each type, field and
// argument, with what it is.
func facts(s *ast.Schema) (all []string) {
	for name, of := range s.Types {
		if of.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		all = append(all, name+" "+string(of.Kind))
		for _, f := range of.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			all = append(all, name+"."+f.Name+" "+f.Type.String())
			for _, argument := range f.Arguments {
				all = append(all, name+"."+f.Name+"("+argument.Name+") "+argument.Type.String())
			}
		}
	}
	slices.Sort(all)
	return all
}

// What the registers serve here is a part of their published schemas: testdata/registers.txt
// lists what those say of it, and where the schemas themselves are at hand they must still
// say so (ONTSCHOT_STANDARDS names the folder that holds iwlz/*.graphql). Every query that an
// adapter sends is held against our part when it comes in, and so against the whole.
func TestRegistersArePartOfWhatIsPublished(t *testing.T) {
	raw, err := os.ReadFile("testdata/registers.txt")
	require.NoError(t, err)
	listed := strings.Split(strings.TrimSpace(string(raw)), "\n")
	folder, used := os.Getenv("ONTSCHOT_STANDARDS"), []string{}
	for file, of := range map[string]register{"Indicatieregister.graphql": indications(), "Bemiddelingregister.graphql": mediations()} {
		ours := facts(gqlparser.MustLoadSchema(&ast.Source{Name: of.name, Input: of.schema}))
		require.Subset(t, listed, ours, file)
		used = append(used, ours...)
		if folder == "" {
			continue
		}
		schema, err := os.ReadFile(filepath.Join(folder, "iwlz", file))
		require.NoError(t, err)
		published, err := gqlparser.LoadSchema(&ast.Source{Name: file, Input: string(schema)})
		require.NoError(t, err)
		require.Subset(t, facts(published), ours, file)
	}
	slices.Sort(used)
	require.Equal(t, slices.Compact(used), listed, "nothing is listed that is not served")
}
