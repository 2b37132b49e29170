package result_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// What is here signs as a gateway does, byte by byte, and the same bytes every time; and it can
// lie at each place, which a gateway's own code cannot.

// key is a private key of a party that does not exist.
type key struct {
	id, alg string
	kinds   []signed.Kind
	private crypto.Signer
	retired string
	lost    bool
}

func seed(name string) []byte {
	sum := sha256.Sum256([]byte("ontschot/vectors/" + name))
	return sum[:]
}

func ed25519Key(name string) crypto.Signer { return ed25519.NewKeyFromSeed(seed(name)) }

func es256Key(t testing.TB, name string) crypto.Signer {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed(name))
	require.NoError(t, err)
	return k
}

func ps256Key(t testing.TB) crypto.Signer {
	t.Helper()
	raw, err := os.ReadFile("testdata/ps256.pem")
	require.NoError(t, err)
	block, _ := pem.Decode(raw)
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return k.(*rsa.PrivateKey)
}

func publicPEM(t testing.TB, k crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// sign gives the JWS signature over an input.
func (k key) sign(t testing.TB, input string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(input))
	switch private := k.private.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(private, []byte(input))
	case *ecdsa.PrivateKey:
		der, err := private.Sign(nil, sum[:], crypto.SHA256) // RFC 6979
		require.NoError(t, err)
		var rs struct{ R, S *big.Int }
		_, err = asn1.Unmarshal(der, &rs)
		require.NoError(t, err)
		return append(rs.R.FillBytes(make([]byte, 32)), rs.S.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		return pss(private, sum[:], sha256.Size)
	}
	require.FailNow(t, "a key of another type")
	return nil
}

// pss is RSASSA-PSS (RFC 8017, section 8.1) with SHA-256 and a salt of so many zeros; a JWS has 32.
func pss(k *rsa.PrivateKey, digest []byte, zeros int) []byte {
	salt := make([]byte, zeros)
	h := sha256.Sum256(append(append(make([]byte, 8), digest...), salt...))
	em := make([]byte, k.Size())
	db := em[:len(em)-33]
	db[len(db)-zeros-1] = 1
	for i := 0; i*32 < len(db); i++ { // MGF1
		mask := sha256.Sum256(binary.BigEndian.AppendUint32(append([]byte{}, h[:]...), uint32(i)))
		for j := i * 32; j < min(len(db), i*32+32); j++ {
			db[j] ^= mask[j-i*32]
		}
	}
	db[0] &= 0x7f
	copy(em[len(em)-33:], h[:])
	em[len(em)-1] = 0xbc
	return new(big.Int).Exp(new(big.Int).SetBytes(em), k.D, k.N).FillBytes(make([]byte, k.Size()))
}

// statement is a compact JWS that is made up of what it is told.
type statement struct {
	by      key
	header  string // empty: as it should be
	claims  any
	payload func(string) string
	after   func(string) string
}

func (s statement) jws(t testing.TB) string {
	t.Helper()
	raw, err := signed.Canonical(s.claims)
	require.NoError(t, err)
	payload := string(raw)
	if s.payload != nil {
		payload = s.payload(payload)
	}
	if s.header == "" {
		s.header = fmt.Sprintf(`{"alg":"%s","kid":"%s","typ":"%s"}`, s.by.alg, s.by.id, signed.Result)
	}
	input := base64.RawURLEncoding.EncodeToString([]byte(s.header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	all := input + "." + base64.RawURLEncoding.EncodeToString(s.by.sign(t, input))
	if s.after != nil {
		all = s.after(all)
	}
	return all
}

// log is that of one gateway, with one record after its decision and others.
type log struct {
	name, tenant string
	signer       note.Signer
	origin       string                    // of the checkpoint; empty: the name
	leaf         func(*audit.Leaf)         // what it records
	raw          func(string) string       // the bytes of the leaf
	text         func(string) string       // of the checkpoint
	note         func(string) string       // signed
	receipt      func(r *budgetv1.Receipt) // what it gives out of it
	size         int64
}

// logKey is the secret and the public key of a log, in the form of C2SP signed-note.
func logKey(t testing.TB, name, of string) (note.Signer, string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(seed(of))
	public, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	require.NoError(t, err)
	hash := strings.Split(public, "+")[1]
	s, err := note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed(of)...)))
	require.NoError(t, err)
	return s, public
}

// records gives the receipt of a release with a digest at an index.
func (l log) records(t testing.TB, digest [32]byte, index int64) *budgetv1.Receipt {
	t.Helper()
	salt := sha256.Sum256([]byte("salt of " + l.name))
	sum := sha256.Sum256([]byte("ontschot/leaf/1/payload\x00" + string(salt[:]) + string(digest[:])))
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	leaf := audit.Leaf{
		Activity: "integral_budget.compose", Agreements: []string{fmt.Sprintf("%x", seed("agreement"))}, Case: hash("case"), Consents: []string{hash("consent")},
		Day: "2026-01-02", Decided: index - 1, Decision: "allow", ID: "019b7e2c-1b00-7000-8000-000000000001", Kind: audit.Release, Organisations: nil,
		Payload: base64.RawURLEncoding.EncodeToString(sum[:]), Policy: fmt.Sprintf("%x", seed("policy")), Rests: []string{hash("rests")}, RetryOf: -1,
		Status: "OK", Subjects: []string{hash("subject")}, Time: 1767348000123, Trace: "4bf92f3577b34da6a3ce929d0e0e4736", Version: 3,
	}
	require.NoError(t, json.Unmarshal([]byte(`"`+l.tenant+`"`), &leaf.Tenant))
	leaf.Organisations = append(leaf.Organisations, leaf.Tenant)
	if l.leaf != nil {
		l.leaf(&leaf)
	}
	raw, err := json.Marshal(leaf)
	require.NoError(t, err)
	if l.raw != nil {
		raw = []byte(l.raw(string(raw)))
	}
	proof, tree := grown(t, l.size, index, raw)
	r := &budgetv1.Receipt{Origin: l.name, Index: index, DecisionIndex: leaf.Decided, Leaf: raw, Salt: salt[:], Proof: proof, Checkpoint: l.checkpoint(t, tree)}
	if l.origin != "" {
		r.Origin = l.origin
	}
	if l.receipt != nil {
		l.receipt(r)
	}
	return r
}

func (l log) checkpoint(t testing.TB, tree tlog.Tree) string {
	t.Helper()
	origin := l.name
	if l.origin != "" {
		origin = l.origin
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, tree.Hash)
	if l.text != nil {
		text = l.text(text)
	}
	out, err := note.Sign(&note.Note{Text: text}, l.signer)
	require.NoError(t, err)
	if l.note != nil {
		return l.note(string(out))
	}
	return string(out)
}

// grown is a tree of a size with one record at an index, and the proof of that.
func grown(t testing.TB, size, index int64, record []byte) ([][]byte, tlog.Tree) {
	t.Helper()
	var hashes []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			out[i] = hashes[n]
		}
		return out, nil
	})
	for n := range size {
		data := fmt.Appendf(nil, "record %d", n)
		if n == index {
			data = record
		}
		more, err := tlog.StoredHashes(n, data, read)
		require.NoError(t, err)
		hashes = append(hashes, more...)
	}
	root, err := tlog.TreeHash(size, read)
	require.NoError(t, err)
	path, err := tlog.ProveRecord(size, index, read)
	require.NoError(t, err)
	proof := make([][]byte, len(path))
	for i := range path {
		proof[i] = path[i][:]
	}
	return proof, tlog.Tree{N: size, Hash: root}
}

// release is how a budget comes to be released: by the book, or not.
type release struct {
	budget    func(*budgetv1.Budget)
	claims    func(*result.Claims)
	statement statement
	log       log
	after     func(*budgetv1.Budget)
	// Of the source whose own gateway answered.
	said      func(*result.Statement)
	disclosed statement
	sourceLog log
	answered  func(*budgetv1.Disclosure)
	raw       func(string) string // the file
	plain     bool                // with camel case names and nothing that is not set
	defaults  bool                // with members of the zero value
}

func encode(sum [32]byte) string { return base64.RawURLEncoding.EncodeToString(sum[:]) }

func canonicalSum(t testing.TB, r *budgetv1.Receipt) string {
	t.Helper()
	raw, err := result.Canonical(r)
	require.NoError(t, err)
	return encode(sha256.Sum256(raw))
}
