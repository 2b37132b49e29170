package gateway_test

import (
	"context"
	"io/fs"
	"regexp"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// twoPeople is the policy of the program, but that every operation takes two people.
func twoPeople(t *testing.T) *policy.Engine {
	t.Helper()
	files := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, path)
		if path == "rules/catalog/operations/data.yaml" {
			changed := regexp.MustCompile(`persons: 1`).ReplaceAll(raw, []byte("persons: 2"))
			require.NotEqual(t, raw, changed)
			raw = changed
		}
		files[path] = &fstest.MapFile{Data: raw}
		return err
	}))
	e, err := policy.New(context.Background(), policy.Config{FS: files, Timeout: 10 * time.Second})
	require.NoError(t, err)
	return e
}

// Where a cell asks for two people, another case worker's token goes with the call, and
// one person's two tokens are of one person.
func TestTwoPeopleWhereTheCellAsksForTwo(t *testing.T) {
	h := newHouse(t, func(c *server.BrokerConfig) { c.Policy = policy.NewRules(twoPeople(t)) })
	list := func(second func(*token.Claims)) error {
		md := []string{}
		if second != nil {
			raw, err := h.family.Token(h.now(), second)
			require.NoError(t, err)
			md = append(md, "ontschot-second", raw)
		}
		_, err := h.ListAgreements(h.municipality().call(md...), &ontschotv1.ListAgreementsRequest{})
		return err
	}
	colleague := func(change func(*token.Claims)) func(*token.Claims) {
		return func(c *token.Claims) {
			c.Subject, c.ID = "a-colleague", newID()
			if change != nil {
				change(c)
			}
		}
	}
	requireRefused(t, list(nil), "ROL-02", "alone")
	require.NoError(t, list(colleague(nil)))
	requireRefused(t, list(colleague(func(c *token.Claims) { c.Role = "schoonmaker" })), "ROL-02", "a colleague who may not")
	for name, change := range map[string]func(*token.Claims){
		"the same person": func(c *token.Claims) { c.ID = newID() },
		"another case":    colleague(func(c *token.Claims) { c.Case = "another" }),
		"another client":  colleague(func(c *token.Claims) { c.Client = "another" }),
		"another purpose": colleague(func(c *token.Claims) { c.Details[0].Purposes = []string{"consents.keep"} }),
	} {
		require.Equal(t, "SECOND_PERSON", reasonOf(list(change)), name)
	}
	require.Equal(t, "TOKEN_EXPIRED", reasonOf(list(colleague(func(c *token.Claims) {
		c.IssuedAt, c.NotBefore, c.Expires = c.IssuedAt-900, c.NotBefore-900, c.Expires-900
	}))))
}
