package audit_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func TestEveryByteOfAReceipt(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.exchange("c-1")
	p, digest := b.exchange("c-1")
	good := p.Receipt()
	require.NoError(t, audit.VerifyReceipt(good, digest, audit.Keys{b.key.Verifier}))
	refused := func(what string, change func(r *budgetv1.Receipt)) {
		r := proto.Clone(good).(*budgetv1.Receipt)
		change(r)
		require.ErrorIs(t, audit.VerifyReceipt(r, digest, audit.Keys{b.key.Verifier}), audit.ErrTampered, what)
	}
	for bit := range 63 {
		refused("index", func(r *budgetv1.Receipt) { r.Index ^= 1 << bit })
		refused("decision", func(r *budgetv1.Receipt) { r.DecisionIndex ^= 1 << bit })
	}
	flipped := func(s []byte, each func([]byte)) {
		for i := range s {
			for bit := range 8 {
				changed := bytes.Clone(s)
				changed[i] ^= 1 << bit
				each(changed)
			}
		}
		each(nil)
		each(append(bytes.Clone(s), 0))
		each(s[1:])
		each(s[:len(s)-1])
	}
	flipped(good.Leaf, func(s []byte) { refused("leaf", func(r *budgetv1.Receipt) { r.Leaf = s }) })
	flipped(good.Salt, func(s []byte) { refused("salt", func(r *budgetv1.Receipt) { r.Salt = s }) })
	flipped([]byte(good.Origin), func(s []byte) { refused("origin", func(r *budgetv1.Receipt) { r.Origin = string(s) }) })
	flipped([]byte(good.Checkpoint), func(s []byte) { refused("checkpoint", func(r *budgetv1.Receipt) { r.Checkpoint = string(s) }) })
	require.NotEmpty(t, good.Proof)
	for i, h := range good.Proof {
		flipped(h, func(s []byte) { refused("proof", func(r *budgetv1.Receipt) { r.Proof[i] = s }) })
		refused("proof shorter", func(r *budgetv1.Receipt) { r.Proof = slices.Delete(r.Proof, i, i+1) })
		refused("proof longer", func(r *budgetv1.Receipt) { r.Proof = slices.Insert(r.Proof, i, h) })
	}
	refused("much too long", func(r *budgetv1.Receipt) { r.Proof = make([][]byte, 1000) })
}

func TestReceiptsOfSomethingElse(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	p, digest := b.exchange("c-1")
	keys := audit.Keys{b.key.Verifier}
	require.ErrorIs(t, audit.VerifyReceipt(nil, digest, keys), audit.ErrTampered)
	require.ErrorIs(t, audit.VerifyReceipt(p.Receipt(), sha256.Sum256([]byte("other")), keys), audit.ErrTampered)
	require.ErrorIs(t, audit.VerifyReceipt(p.Receipt(), digest, nil), audit.ErrTampered)
	_, public, err := audit.GenerateKey("ontschot.nl/log/" + string(other))
	require.NoError(t, err)
	elsewhere := audit.Keys{verifierOf(t, public)}
	require.ErrorIs(t, audit.VerifyReceipt(p.Receipt(), digest, elsewhere), audit.ErrTampered)
	require.ErrorIs(t, audit.VerifyReceipt(p.Receipt(), digest, audit.Keys{newBench(t).key.Verifier}), audit.ErrTampered)
	e := decision(b.trace())
	e.Payload = digest[:]
	d := b.append(e)
	require.ErrorIs(t, audit.VerifyReceipt(d.Receipt(), digest, keys), audit.ErrTampered, "a decision is no release")
}

func FuzzVerifyReceipt(f *testing.F) {
	b := newBench(f)
	b.append(consent("c-1"))
	p, digest := b.exchange("c-1")
	raw, err := proto.Marshal(p.Receipt())
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte{})
	f.Add(raw[:len(raw)/2])
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r budgetv1.Receipt
		if proto.Unmarshal(raw, &r) != nil {
			return
		}
		if audit.VerifyReceipt(&r, digest, audit.Keys{b.key.Verifier}) != nil {
			return
		}
		r.ProtoReflect().SetUnknown(nil)
		if !proto.Equal(&r, p.Receipt()) {
			t.Fatal("accepted another receipt than the one that was given")
		}
	})
}

// The log key is announced, used and retired like any other: receipts of the old one
// still verify for who has pinned both.
func TestTheLogKeyIsRotated(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	p, digest := b.exchange("c-1")
	old := b.key.Verifier
	b.log.Close()
	b.key = newBench(t).key
	_, err := audit.Open(t.Context(), b.config(b.store))
	require.ErrorIs(t, err, audit.ErrTampered, "a head that a stranger signed")
	cfg := b.config(b.store)
	cfg.Earlier = audit.Keys{old, b.key.Verifier} // as they are in a trust file: the new one among them
	b.log, err = audit.Open(t.Context(), cfg)
	require.NoError(t, err)
	p2, digest2 := b.exchange("c-1")
	both := audit.Keys{old, b.key.Verifier}
	require.NoError(t, audit.VerifyReceipt(p.Receipt(), digest, both))
	require.NoError(t, audit.VerifyReceipt(p2.Receipt(), digest2, both))
	require.ErrorIs(t, audit.VerifyReceipt(p2.Receipt(), digest2, audit.Keys{old}), audit.ErrTampered, "not announced")
	_, err = b.verify()
	require.NoError(t, err)
	require.True(t, both.Hold(b.key))
	require.False(t, audit.Keys{old}.Hold(b.key))
}
