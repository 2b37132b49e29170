package result_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorsDir = "../../proto/testdata/verify"

const (
	releaser = "00000099000000119000"
	source   = "00000099000100001000"
	stranger = "00000099000005503000"
	logName  = "ontschot.nl/log/" + releaser
	itsLog   = "ontschot.nl/log/" + source
)

// trustFile is whose word counts, in JSON with the keys in it: what client.yaml and its trust
// file say together.
type trustFile struct {
	Releaser string  `json:"releaser"`
	Parties  []party `json:"parties"`
}

type party struct {
	Code    string      `json:"code"`
	OIN     string      `json:"oin"`
	Keys    []pinnedKey `json:"keys"`
	LogKeys []string    `json:"log_keys"`
}

type pinnedKey struct {
	ID      string        `json:"id"`
	Alg     string        `json:"alg"`
	Kinds   []signed.Kind `json:"kinds"`
	PEM     string        `json:"pem"`
	Retired string        `json:"retired,omitempty"`
	Lost    bool          `json:"lost,omitempty"`
}

// vector is one file and what every verifier says of it.
type vector struct {
	File  string `json:"file"`
	Of    string `json:"of"` // budget, account, dissolution
	Trust string `json:"trust"`
	// Reason is empty where it verifies.
	Reason result.Reason `json:"reason"`
	Says   string        `json:"says"`
}

// world are the parties of the vectors.
type world struct {
	t                                                    testing.TB
	es, retired, ps, lost, token, of, unknown, strangers key
	trusts                                               map[string]trustFile
}

func newWorld(t testing.TB) *world {
	t.Helper()
	results, tokens := []signed.Kind{signed.Result, signed.Statement}, []signed.Kind{signed.Token}
	w := &world{
		t: t, es: key{id: "sign-1", alg: "ES256", kinds: results, private: es256Key(t, "releaser")},
		retired: key{id: "sign-0", alg: "EdDSA", kinds: results, private: ed25519Key("releaser, retired"), retired: "2026-01-01T00:00:00Z"},
		ps:      key{id: "sign-2", alg: "PS256", kinds: results, private: ps256Key(t)},
		lost:    key{id: "lost-1", alg: "EdDSA", kinds: results, private: ed25519Key("releaser, lost"), lost: true},
		token:   key{id: "token-1", alg: "ES256", kinds: tokens, private: es256Key(t, "releaser, tokens")},
		of:      key{id: "sign-1", alg: "ES256", kinds: results, private: es256Key(t, "source")},
		unknown: key{id: "sign-9", alg: "EdDSA", private: ed25519Key("nobody")}, strangers: key{id: "sign-1", alg: "EdDSA", kinds: results, private: ed25519Key("stranger")},
	}
	pin := func(keys ...key) (all []pinnedKey) {
		for _, k := range keys {
			all = append(all, pinnedKey{ID: k.id, Alg: k.alg, Kinds: k.kinds, PEM: publicPEM(t, k.private), Retired: k.retired, Lost: k.lost})
		}
		return all
	}
	_, old := logKey(t, logName, "releaser's log, retired")
	_, now := logKey(t, logName, "releaser's log")
	_, sources := logKey(t, itsLog, "source's log")
	_, strangers := logKey(t, "ontschot.nl/log/"+stranger, "stranger's log")
	good := func() trustFile {
		return trustFile{"GM0119", []party{
			{"GM0119", releaser, pin(w.es, w.retired, w.ps, w.lost, w.token), []string{old, now}},
			{"UWV", source, pin(w.of), []string{sources}},
			{"ZK5503", stranger, pin(w.strangers), []string{strangers}},
		}}
	}
	nobody, noLog, noSourceLog, other := good(), good(), good(), good()
	nobody.Parties = nobody.Parties[:1]
	noLog.Parties[0].LogKeys = []string{}
	noSourceLog.Parties[1].LogKeys = []string{}
	other.Releaser = "ZK5503"
	w.trusts = map[string]trustFile{"trust.json": good(), "trust-without-the-source.json": nobody, "trust-without-log-keys.json": noLog,
		"trust-without-the-sources-log-keys.json": noSourceLog, "trust-in-another.json": other}
	return w
}

// trust is what a trust file says, as the verifier takes it.
func (f trustFile) trust(t testing.TB) result.Trust {
	t.Helper()
	keys, out := map[identity.OIN][]signed.Key{}, result.Trust{Sources: map[string]result.Source{}}
	for _, p := range f.Parties {
		for _, k := range p.Keys {
			public, err := publicKey(k.PEM)
			require.NoError(t, err)
			one := signed.Key{ID: k.ID, Alg: k.Alg, Public: public, Kinds: k.Kinds, Lost: k.Lost}
			if k.Retired != "" {
				one.Retired, err = time.Parse(time.RFC3339, k.Retired)
				require.NoError(t, err)
			}
			keys[identity.OIN(p.OIN)] = append(keys[identity.OIN(p.OIN)], one)
		}
		s := result.Source{OIN: identity.OIN(p.OIN)}
		if len(p.LogKeys) > 0 {
			var err error
			s.Log, err = audit.ParseKeys(p.LogKeys...)
			require.NoError(t, err)
		}
		out.Sources[p.Code] = s
		if p.Code == f.Releaser {
			out.Releaser, out.Log = s.OIN, s.Log
		}
	}
	var err error
	out.Keys, err = signed.NewVerifier(keys)
	require.NoError(t, err)
	return out
}

// base is a small budget with what is hard to write in it.
func base() *budgetv1.Budget {
	return &budgetv1.Budget{
		Contract: "ontschot.budget/1", Purpose: "integral_budget.compose", Window: &budgetv1.Window{From: "2026-01-01", To: "2026-12-31"}, Today: "2026-01-02", Requester: "GM0119",
		Lines: []*budgetv1.BudgetLine{{
			Id: "A3/WMO/02/2026-01-01", Person: "A3", Law: "WMO", Kind: "ENTITLEMENT", Funder: "GM0119", Fungibility: "POOLABLE", ValueCents: proto.Int64(1204800),
			Product: &budgetv1.Product{System: "WMO_JW", Code: "02", Label: "Begeleiding \"thuis\" \\ één keer\t\u2028<&> 😀"},
			Period:  &budgetv1.Period{Start: "2026-01-01", End: proto.String("")}, Amount: &budgetv1.Amount{Basis: "PERIOD_TOTAL", Cents: 1204800},
			Provenance: []*budgetv1.Provenance{{Source: "GM0119", RecordId: "r-1", FetchedAtMs: 1767348000123, Sha256: seed("record")}},
		}},
		Totals: &budgetv1.Totals{ByLaw: map[string]int64{"WMO": 1204800}}, CareTotalCents: proto.Int64(1204800), IncomeCents: proto.Int64(0), ContestedCents: proto.Int64(0),
		// In the order of UTF-16 the second stands before the third, in that of the bytes behind it.
		RemainingCents: map[string]int64{"A3/WMO/02/2026-01-01": -9007199254740993, "😀": 1, "ｅ": 2},
		Matrix:         []*budgetv1.MatrixRow{{Person: "A3"}},
		Gaps:           []*budgetv1.Gap{{Person: "A3", Source: "SVB", Reason: "NO_CONSENT"}},
		Sources: []*budgetv1.SourceReport{
			{Source: "GM0119", Person: "A3", Status: "OK", ElapsedMs: 12, Adapter: "municipality", Version: "1.0.0"},
			{Source: "UWV", Person: "A3", Status: "OK", ElapsedMs: 40},
		},
		PolicyRevision: fmt.Sprintf("%x", seed("policy")),
	}
}

// made is the budget of a release.
func (w *world) made(r release) *budgetv1.Budget {
	b := base()
	b.Sources[1].Disclosure = w.disclosure(r)
	if r.budget != nil {
		r.budget(b)
	}
	digest, err := result.Digest(b)
	require.NoError(w.t, err)
	l := r.log
	if l.signer == nil {
		l.signer, _ = logKey(w.t, logName, "releaser's log")
	}
	if l.name == "" {
		l.name, l.tenant, l.size = logName, releaser, 11
	}
	b.Receipt = l.records(w.t, digest, 6)
	c := result.Claims{
		Case: encode([32]byte(seed("case"))), Complete: b.GetComplete(), Digest: encode(digest), Expires: 1798884000, IssuedAt: 1767348000, Issuer: releaser,
		ID: "019b7e2c-1b00-7000-8000-000000000002", KeepUntil: 1830420000, PolicyRevision: b.GetPolicyRevision(), Receipt: canonicalSum(w.t, b.GetReceipt()),
	}
	if r.claims != nil {
		r.claims(&c)
	}
	s := r.statement
	if s.by.id == "" {
		s.by = w.es
	}
	s.claims = c
	b.Signature = s.jws(w.t)
	if r.after != nil {
		r.after(b)
	}
	return b
}

// disclosure is what the source's gateway says of its answer.
func (w *world) disclosure(r release) *budgetv1.Disclosure {
	l := r.sourceLog
	if l.signer == nil {
		l.signer, _ = logKey(w.t, itsLog, "source's log")
	}
	if l.name == "" {
		l.name, l.tenant, l.size = itsLog, source, 4
	}
	answer := [32]byte(seed("answer"))
	d := &budgetv1.Disclosure{Receipt: l.records(w.t, answer, 3)}
	c := result.Statement{
		Agreement: fmt.Sprintf("%x", seed("agreement")), Answer: encode(answer), Audience: releaser, Decision: 2, IssuedAt: 1767348000, Issuer: source,
		ID: "019b7e2c-1b00-7000-8000-000000000003", MaxAgeDays: 30, Permit: "019b7e2c-1b00-7000-8000-000000000004", PolicyRevision: fmt.Sprintf("%x", seed("its policy")),
		Request: encode([32]byte(seed("request"))), RetentionDays: 365, Trace: "4bf92f3577b34da6a3ce929d0e0e4736",
	}
	if r.said != nil {
		r.said(&c)
	}
	s := r.disclosed
	if s.by.id == "" {
		s.by = w.of
	}
	s.claims = c
	d.Statement = s.jws(w.t)
	if r.answered != nil {
		r.answered(d)
	}
	return d
}

// file is what is kept of a message.
func (w *world) file(m proto.Message, r release) []byte {
	raw, err := protojson.MarshalOptions{UseProtoNames: !r.plain, EmitDefaultValues: r.defaults}.Marshal(m)
	require.NoError(w.t, err)
	var plain, out bytes.Buffer
	require.NoError(w.t, json.Compact(&plain, raw)) // protojson's spaces are of chance
	require.NoError(w.t, json.Indent(&out, plain.Bytes(), "", " "))
	text := out.String() + "\n"
	if r.raw != nil {
		text = r.raw(text)
	}
	return []byte(text)
}

// said is what this verifier says of a file.
func said(raw []byte, of string, by result.Trust) result.Reason {
	var m proto.Message
	var err error
	switch of {
	case "budget":
		b := &budgetv1.Budget{}
		if m, err = b, protojson.Unmarshal(raw, b); err == nil {
			_, err = result.Verify(b, by)
			return result.ReasonOf(err)
		}
	case "account":
		a := &budgetv1.Account{}
		if m, err = a, protojson.Unmarshal(raw, a); err == nil {
			return result.ReasonOf(result.VerifyAccount(a, by))
		}
	case "dissolution":
		d := &budgetv1.Dissolution{}
		if m, err = d, protojson.Unmarshal(raw, d); err == nil {
			return result.ReasonOf(result.VerifyDissolution(d, by))
		}
	}
	_ = m
	return result.Malformed
}

// Every verifier says of every vector what stands in the list, this one too; and what is
// written is what is made today.
func TestTheVectorsOfVerifiers(t *testing.T) {
	w := newWorld(t)
	files, list := map[string][]byte{}, []vector{}
	trusts := map[string]result.Trust{}
	for name, f := range w.trusts {
		files[name], trusts[name] = indented(t, f), f.trust(t)
	}
	for _, c := range w.cases() {
		require.Nil(t, files[c.File], c.File)
		files[c.File] = c.raw
		list = append(list, c.vector)
	}
	files["vectors.json"], files["bytes.json"] = indented(t, list), indented(t, w.bytes())
	held(t, files)

	reasons := map[result.Reason]bool{}
	for _, v := range list {
		reasons[v.Reason] = true
		require.Equal(t, v.Reason, said(files[v.File], v.Of, trusts[v.Trust]), "%s: %s", v.File, v.Says)
	}
	for _, r := range result.Reasons() {
		if !slices.Contains([]result.Reason{result.UnknownField}, r) { // a file has no fields of a number
			require.True(t, reasons[r], "no vector for %s", r)
		}
	}
	require.Greater(t, len(list), 60)
}

// held holds the files against those that are there; with -update it writes them.
func held(t *testing.T, files map[string][]byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.RemoveAll(vectorsDir))
		require.NoError(t, os.MkdirAll(vectorsDir, 0o755))
		for name, raw := range files {
			require.NoError(t, os.WriteFile(filepath.Join(vectorsDir, name), raw, 0o644))
		}
	}
	there, err := os.ReadDir(vectorsDir)
	require.NoError(t, err)
	require.Len(t, there, len(files), "write them anew: go test ./gateway/result -run Vectors -update")
	for name, raw := range files {
		kept, err := os.ReadFile(filepath.Join(vectorsDir, name))
		require.NoError(t, err)
		require.Equal(t, string(kept), string(raw), "%s: write it anew: go test ./gateway/result -run Vectors -update", name)
	}
}

func indented(t testing.TB, v any) []byte {
	t.Helper()
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(v))
	return buf.Bytes()
}

func b64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }
