package mapping_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/csv"
	"github.com/ontschot/ontschot/adapters/graphql"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/rest"
	"github.com/ontschot/ontschot/adapters/soap"
	"github.com/ontschot/ontschot/adapters/sql"
)

// The mappings in the documentation are whole, and their tests pass.
func TestMappingsInTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/mapping.md")
	require.NoError(t, err)
	kinds := map[string]mapping.Kind{
		"mapping": rest.Kind{}, "graphql": graphql.Kind{}, "soap": soap.Kind{}, "sql": sql.Kind{Database: sql.PostgreSQL{}}, "csv": csv.Kind{},
	}
	found := regexp.MustCompile("(?s)```yaml ([a-z]+)\n(.*?)```").FindAllSubmatch(page, -1)
	require.Len(t, found, len(kinds))
	for _, f := range found {
		_, err := mapping.Validate(kinds[string(f[1])], f[2])
		require.NoError(t, err, "%s", f[1])
	}
}
