package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// released makes a small budget that was recorded and signed, its account, and what is
// pinned of who released it.
func released(f *testing.F) (*budgetv1.Budget, *budgetv1.Account, result.Trust) {
	family := open(f, "meppel")
	own := family.Requester()
	keys, err := family.Verifier()
	require.NoError(f, err)
	pinned, err := audit.ParseKeys(own.LogPublic)
	require.NoError(f, err)
	b := &budgetv1.Budget{
		Purpose: family.Case.Purpose, Window: &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, CareTotalCents: proto.Int64(1234),
		Totals: &budgetv1.Totals{ByLaw: map[string]int64{"WMO": 1234}},
	}
	digest, err := result.Digest(b)
	require.NoError(f, err)
	require.NoError(f, result.Sign(b, result.Release{Digest: digest, Receipt: recorded(f, own, b), Case: family.CaseCommitment, Times: result.Times{Now: time.Now(), Expires: time.Now().Add(time.Hour), KeepUntil: time.Now().Add(time.Hour)}}, own.Sign))
	a := &budgetv1.Account{Funder: "GM0119"}
	require.NoError(f, result.SignAccount(a, b, own.Sign, time.Now()))
	return b, a, result.Trust{Keys: keys, Releaser: own.OIN, Log: pinned}
}

// recorded gives the receipt of a release in a log of its own.
func recorded(f *testing.F, own *family.Organisation, b *budgetv1.Budget) *budgetv1.Receipt {
	kept, err := sqlite.Open(context.Background(), filepath.Join(f.TempDir(), server.RecordFile))
	require.NoError(f, err)
	key, err := audit.ParseKey(own.LogSigner)
	require.NoError(f, err)
	log, err := audit.Open(context.Background(), audit.Config{Store: kept, Origin: key.Signer.Name(), Tenant: own.OIN, Key: key})
	require.NoError(f, err)
	f.Cleanup(func() { log.Close(); kept.Close() })
	e := audit.Entry{Kind: audit.Decision, Decision: "allow", Trace: "0123456789abcdef0123456789abcdef", Organisations: []identity.OIN{own.OIN}}
	asked, err := log.Append(context.Background(), e)
	require.NoError(f, err)
	digest, err := result.Digest(b)
	require.NoError(f, err)
	e.Kind, e.Decided, e.Payload = audit.Release, asked.Index, digest[:]
	proof, err := log.Append(context.Background(), e)
	require.NoError(f, err)
	return proof.Receipt()
}

// seeds are the honest message and hostile ones made of it.
func seeds(f *testing.F, honest proto.Message, signature string, change func(signature string) proto.Message) {
	add := func(m proto.Message) {
		raw, err := protojson.Marshal(m)
		require.NoError(f, err)
		f.Add(string(raw))
	}
	add(honest)
	for _, other := range []string{"", signature + ".", signature[:len(signature)-1], "eyJhbGciOiJub25lIn0.e30.", "..", signature + "\n"} {
		add(change(other))
	}
	f.Add("{}")
	f.Add(`{"signature":1}`)
}

// FuzzVerifyResult: a budget is believed only as it was released, to the last field.
func FuzzVerifyResult(f *testing.F) {
	b, _, trust := released(f)
	_, err := result.Verify(b, trust)
	require.NoError(f, err)
	seeds(f, b, b.GetSignature(), func(signature string) proto.Message {
		other := proto.CloneOf(b)
		other.Signature = signature
		return other
	})
	more := proto.CloneOf(b)
	*more.CareTotalCents++
	raw, err := protojson.Marshal(more)
	require.NoError(f, err)
	f.Add(string(raw))
	f.Fuzz(func(t *testing.T, text string) {
		read := new(budgetv1.Budget)
		if protojson.Unmarshal([]byte(text), read) != nil {
			return
		}
		_, err := result.Verify(read, trust)
		if (err == nil) != proto.Equal(read, b) {
			t.Fatalf("believed what was not released, or the reverse: %v", err)
		}
	})
}

// FuzzVerifyAccount: the same for an account.
func FuzzVerifyAccount(f *testing.F) {
	_, a, trust := released(f)
	require.NoError(f, result.VerifyAccount(a, trust))
	seeds(f, a, a.GetSignature(), func(signature string) proto.Message {
		other := proto.CloneOf(a)
		other.Signature = signature
		return other
	})
	f.Fuzz(func(t *testing.T, text string) {
		read := new(budgetv1.Account)
		if protojson.Unmarshal([]byte(text), read) != nil {
			return
		}
		err := result.VerifyAccount(read, trust)
		if (err == nil) != proto.Equal(read, a) {
			t.Fatalf("believed what was not signed, or the reverse: %v", err)
		}
	})
}
