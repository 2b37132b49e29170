package agreement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
)

// hostile documents that every verifier here meets first; more lie in testdata/fuzz.
func hostile(f *testing.F, good []byte) {
	f.Add(string(good))
	f.Add(string(good) + " ")
	f.Add(`{"payload":"","signatures":[]}`)
	f.Add(`{"payload":"e30","signatures":[{"protected":"e30","signature":""}]}`)
	f.Add("a.b.c")
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	raw := w.together(f, terms(), meppel, uwv)
	hostile(f, raw)
	f.Fuzz(func(t *testing.T, doc string) {
		if _, err := agreement.Verify(w.keys, []byte(doc)); err == nil && doc != string(raw) {
			t.Fatal("accepted what was never signed")
		}
	})
}

func FuzzVerifyProposal(f *testing.F) {
	w := newWorld(f)
	raw := w.together(f, terms(), meppel)
	hostile(f, raw)
	f.Fuzz(func(t *testing.T, doc string) {
		if _, err := agreement.VerifyProposal(w.keys, []byte(doc)); err == nil && doc != string(raw) {
			t.Fatal("accepted what was never signed")
		}
		if both, err := agreement.Accept([]byte(doc), w.by[uwv]); err == nil {
			if _, err := agreement.Verify(w.keys, both); err == nil && doc != string(raw) {
				t.Fatal("a signature on anything made it an agreement")
			}
		}
	})
}

func FuzzVerifyStatement(f *testing.F) {
	w := newWorld(f)
	raw, err := agreement.NewStatement(statement(terms()), w.by[uwv])
	require.NoError(f, err)
	hostile(f, raw)
	f.Fuzz(func(t *testing.T, doc string) {
		if _, err := agreement.VerifyStatement(w.keys, []byte(doc)); err == nil && doc != string(raw) {
			t.Fatal("accepted what was never signed")
		}
	})
}

// FuzzReadDraft: what is read can be written and is read again as the same.
func FuzzReadDraft(f *testing.F) {
	f.Add(string(agreement.WriteDraft(draft(), nil)))
	f.Add(string(agreement.WriteDraft(draft(back, another), nil)))
	f.Add(bomb())
	f.Add("version: 1\nparties: [{oin: x, role: y}]\n? [a]\n: !!binary x\n--- &a *a")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := agreement.ReadDraft([]byte(raw))
		if err != nil {
			require.ErrorIs(t, err, agreement.ErrDraft)
			return
		}
		again, err := agreement.ReadDraft(agreement.WriteDraft(got, nil))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}
