package result_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func publicKey(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}

// made is a vector with its file.
type made struct {
	vector
	raw []byte
}

// list gathers vectors.
type list struct {
	w   *world
	all []made
}

func (l *list) add(name string, reason result.Reason, says string, r release) {
	l.put(name, "budget", "trust.json", reason, says, l.w.file(l.w.made(r), r))
}

func (l *list) put(name, of, trust string, reason result.Reason, says string, raw []byte) {
	l.all = append(l.all, made{vector{name + ".json", of, trust, reason, says}, raw})
}

// in gives a change of a text, at its first place, that must be there.
func (w *world) in(from, to string) func(string) string {
	return func(s string) string {
		changed := strings.Replace(s, from, to, 1)
		require.NotEqual(w.t, s, changed, from)
		return changed
	}
}

func (w *world) cases() []made {
	l := &list{w: w}
	for _, some := range []func(*list){good, files, contents, headers, claims, leaves, checkpoints, proofs, disclosures, elsewhere, others} {
		some(l)
	}
	slices.SortFunc(l.all, func(a, b made) int { return strings.Compare(a.File, b.File) })
	return l.all
}

// good verify.
func good(l *list) {
	w := l.w
	l.add("good", "", "as a gateway releases it", release{})
	l.add("good-with-zeros", "", "members of the zero value written out, as a gateway's program writes a file", release{defaults: true})
	l.add("good-other-names", "", "the names of members in camel case, as the JSON mapping of protobuf has them", release{plain: true})
	l.add("good-numbers", "", "amounts as numbers instead of texts", release{raw: w.in(`"1204800"`, `1204800`)})
	l.add("good-null", "", "null is not set", release{raw: w.in(`{`, `{ "legal_basis": null,`)})
	l.add("good-retired-key", "", "by a key that is retired: what it signed stays good", release{statement: statement{by: w.retired}})
	l.add("good-ps256", "", "by an RSA key", release{statement: statement{by: w.ps}})
	l.add("good-x5t", "", "with the thumbprint of a certificate in the header", release{statement: statement{header: `{"alg":"ES256","kid":"sign-1","typ":"ontschot-result+jwt","x5t#S256":"AAAA"}`}})
	l.add("good-header-order", "", "the header in another order, with spaces: a header need not be canonical", release{statement: statement{header: `{ "typ":"ontschot-result+jwt", "kid":"sign-1", "alg":"ES256" }`}})
	l.add("good-not-kept", "", "without a time until which it may be kept", release{claims: func(c *result.Claims) { c.KeepUntil = 0 }})
	old, _ := logKey(w.t, logName, "releaser's log, retired")
	l.add("good-retired-log-key", "", "the checkpoint signed by the log's key before", release{log: log{signer: old}})
	l.add("good-second-epoch", "", "of the second epoch of the log: its number is behind the name", release{log: log{name: logName, tenant: releaser, size: 7, origin: logName + "/epoch-2"}})
	l.add("good-only-record", "", "a tree of as many records as the release's index and one", release{log: log{name: logName, tenant: releaser, size: 7}})
	l.add("good-leaf-version-2", "", "a leaf of the version before, without a day", release{log: log{leaf: func(l *audit.Leaf) { l.Version, l.Day = 2, "" }}})
	l.add("good-no-disclosure", "", "no source's own gateway answered", release{budget: func(b *budgetv1.Budget) { b.Sources = b.Sources[:1] }})
}

// files are no JSON of a budget.
func files(l *list) {
	w := l.w
	l.add("malformed-cut", result.Malformed, "a file that was cut", release{raw: func(s string) string { return s[:len(s)/2] }})
	l.add("malformed-empty", result.Malformed, "nothing", release{raw: func(string) string { return "" }})
	l.add("malformed-list", result.Malformed, "a list", release{raw: func(s string) string { return "[" + s + "]" }})
	l.add("malformed-two", result.Malformed, "two budgets in a file", release{raw: func(s string) string { return s + s }})
	l.add("malformed-unknown-member", result.Malformed, "a member that no message has", release{raw: w.in(`{`, `{"approved": true,`)})
	l.add("malformed-proto", result.Malformed, "a member of the name __proto__", release{raw: w.in(`{`, `{"__proto__": {"complete": true},`)})
	l.add("malformed-twice", result.Malformed, "a member twice", release{raw: w.in(`{`, `{"contract": "ontschot.budget/1",`)})
	l.add("malformed-twice-in-two-names", result.Malformed, "a member under both its names", release{raw: w.in(`{`, `{"careTotalCents": "1204800",`)})
	l.add("malformed-type", result.Malformed, "a text where a list is", release{raw: w.in(`"gaps": [`, `"gaps": "none", "findings": [`)})
	l.add("malformed-fraction", result.Malformed, "a half cent", release{raw: w.in(`"1204800"`, `"1204800.5"`)})
	l.add("malformed-too-large", result.Malformed, "more cents than 64 bits hold", release{raw: w.in(`"1204800"`, `"9223372036854775808"`)})
	l.add("malformed-surrogate", result.Malformed, "half a character", release{raw: w.in(`"A3/WMO`, `"\ud800A3/WMO`)})
	l.add("malformed-escape", result.Malformed, "an escape that JSON does not have", release{raw: w.in(`"A3/WMO`, `"\x41A3/WMO`)})
	l.add("malformed-base64", result.Malformed, "bytes that are no base64", release{raw: w.in(`"leaf": "`, `"leaf": "*`)})
	l.add("malformed-null-in-list", result.Malformed, "null in a list", release{raw: w.in(`"gaps": [`, `"gaps": [ null,`)})
}

// contents that were changed after they were signed.
func contents(l *list) {
	for name, c := range map[string]struct {
		says   string
		change func(*budgetv1.Budget)
	}{
		"contract":  {"another contract", func(b *budgetv1.Budget) { b.Contract = "ontschot.budget/2" }},
		"purpose":   {"another purpose", func(b *budgetv1.Budget) { b.Purpose = "integral_budget.other" }},
		"window":    {"another window", func(b *budgetv1.Budget) { b.Window.To = "2027-12-31" }},
		"today":     {"another day", func(b *budgetv1.Budget) { b.Today = "2026-01-03" }},
		"today-set": {"the day set by hand", func(b *budgetv1.Budget) { b.TodayIsSet = true }},
		"requester": {"another requester", func(b *budgetv1.Budget) { b.Requester = "UWV" }},
		"amount":    {"a cent more", func(b *budgetv1.Budget) { b.Lines[0].Amount.Cents++ }},
		"value":     {"a value that is gone: not known is not zero", func(b *budgetv1.Budget) { b.Lines[0].ValueCents = nil }},
		"end":       {"an empty end that is gone: open is not empty", func(b *budgetv1.Budget) { b.Lines[0].Period.End = nil }},
		"label": {"a label in another form of Unicode, which looks the same", func(b *budgetv1.Budget) {
			b.Lines[0].Product.Label = strings.ReplaceAll(b.Lines[0].Product.Label, "é", "e\u0301")
		}},
		"person":          {"another person", func(b *budgetv1.Budget) { b.Lines[0].Person = "A4" }},
		"line-gone":       {"a line that is gone", func(b *budgetv1.Budget) { b.Lines = nil }},
		"line-twice":      {"a line twice", func(b *budgetv1.Budget) { b.Lines = append(b.Lines, b.Lines[0]) }},
		"total":           {"another total", func(b *budgetv1.Budget) { b.CareTotalCents = proto.Int64(1204801) }},
		"zero-gone":       {"a zero that is gone: not known is not zero", func(b *budgetv1.Budget) { b.IncomeCents = nil }},
		"zero-more":       {"a zero that was not there", func(b *budgetv1.Budget) { b.OwnContributionCents = proto.Int64(0) }},
		"remaining":       {"a figure beyond what a floating point number holds, one cent off", func(b *budgetv1.Budget) { b.RemainingCents["A3/WMO/02/2026-01-01"]++ }},
		"map-key":         {"a key of a map", func(b *budgetv1.Budget) { b.Totals.ByLaw = map[string]int64{"JW": 1204800} }},
		"gap-gone":        {"a gap that is gone", func(b *budgetv1.Budget) { b.Gaps = nil }},
		"gap-reason":      {"another reason of a gap", func(b *budgetv1.Budget) { b.Gaps[0].Reason = "TIMEOUT" }},
		"complete":        {"said to be complete", func(b *budgetv1.Budget) { b.Complete = true }},
		"source-status":   {"another status of a source", func(b *budgetv1.Budget) { b.Sources[1].Status = "PARTIAL" }},
		"sources-order":   {"the sources in another order", func(b *budgetv1.Budget) { b.Sources[0], b.Sources[1] = b.Sources[1], b.Sources[0] }},
		"disclosure-gone": {"the statement of the source's gateway is gone", func(b *budgetv1.Budget) { b.Sources[1].Disclosure = nil }},
		"disclosure-moved": {"the statement of one source at another", func(b *budgetv1.Budget) {
			b.Sources[0].Disclosure, b.Sources[1].Disclosure = b.Sources[1].Disclosure, nil
		}},
		"policy":            {"another policy", func(b *budgetv1.Budget) { b.PolicyRevision = fmt.Sprintf("%x", seed("other")) }},
		"view":              {"said to be the view of a member", func(b *budgetv1.Budget) { b.ViewOf = "A3" }},
		"provenance":        {"another hash of a record", func(b *budgetv1.Budget) { b.Lines[0].Provenance[0].Sha256[0]++ }},
		"matrix":            {"a row more", func(b *budgetv1.Budget) { b.Matrix = append(b.Matrix, &budgetv1.MatrixRow{Person: "A4"}) }},
		"empty-message":     {"an empty message that was not there", func(b *budgetv1.Budget) { b.LegalBasis = &budgetv1.LegalBasis{} }},
		"empty-amount-gone": {"a message that is gone", func(b *budgetv1.Budget) { b.Lines[0].Amount = nil }},
	} {
		l.add("changed-"+name, result.Changed, c.says, release{after: c.change})
	}
	for name, c := range map[string]struct {
		says   string
		change func(*budgetv1.Receipt)
	}{
		"index":      {"another index", func(r *budgetv1.Receipt) { r.Index-- }},
		"decision":   {"another decision", func(r *budgetv1.Receipt) { r.DecisionIndex-- }},
		"leaf":       {"another leaf", func(r *budgetv1.Receipt) { r.Leaf[10]++ }},
		"salt":       {"another salt", func(r *budgetv1.Receipt) { r.Salt[0]++ }},
		"origin":     {"another origin", func(r *budgetv1.Receipt) { r.Origin += "x" }},
		"proof":      {"another hash in the proof", func(r *budgetv1.Receipt) { r.Proof[1][0]++ }},
		"proof-cut":  {"a proof that was cut", func(r *budgetv1.Receipt) { r.Proof = r.Proof[:2] }},
		"checkpoint": {"another checkpoint", func(r *budgetv1.Receipt) { r.Checkpoint = strings.Replace(r.Checkpoint, "\n11\n", "\n12\n", 1) }},
	} {
		l.add("receipt-changed-"+name, result.ReceiptChanged, "after it was signed: "+c.says, release{after: func(b *budgetv1.Budget) { c.change(b.Receipt) }})
	}
	l.add("receipt-changed-gone", result.ReceiptChanged, "after it was signed: no receipt", release{after: func(b *budgetv1.Budget) { b.Receipt = nil }})
}

// headers of the signature.
func headers(l *list) {
	w := l.w
	with := func(header string) release { return release{statement: statement{header: header}} }
	l.add("alg-none", result.SignatureKey, "no algorithm, with a signature", with(`{"alg":"none","kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("alg-none-no-signature", result.SignatureMalformed, "no algorithm and no signature", release{statement: statement{header: `{"alg":"none","kid":"sign-1","typ":"ontschot-result+jwt"}`,
		after: func(s string) string { return s[:strings.LastIndex(s, ".")+1] }}})
	l.add("alg-other", result.SignatureKey, "the algorithm of another key", with(`{"alg":"EdDSA","kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("alg-hmac", result.SignatureKey, "an algorithm with a shared secret, which the public key would be", with(`{"alg":"HS256","kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("alg-case", result.SignatureKey, "the algorithm in lower case", with(`{"alg":"es256","kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("alg-missing", result.SignatureMalformed, "no member alg", with(`{"kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("kid-unknown", result.SignatureKey, "a key that nobody pinned", release{statement: statement{by: w.unknown}})
	l.add("kid-missing", result.SignatureMalformed, "no member kid", with(`{"alg":"ES256","typ":"ontschot-result+jwt"}`))
	l.add("kid-lost", result.SignatureKey, "by a key that was lost", release{statement: statement{by: w.lost}})
	l.add("kid-for-tokens", result.SignatureKey, "by a key that may sign tokens only", release{statement: statement{by: w.token}})
	l.add("typ-other", result.SignatureMalformed, "a document of another kind", with(`{"alg":"ES256","kid":"sign-1","typ":"ontschot-consent+jwt"}`))
	l.add("typ-missing", result.SignatureMalformed, "a document of no kind", with(`{"alg":"ES256","kid":"sign-1"}`))
	l.add("header-jwk", result.SignatureMalformed, "a header that brings its own key", with(`{"alg":"ES256","jwk":{"kty":"EC"},"kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("header-crit", result.SignatureMalformed, "a header that asks for an extension", with(`{"alg":"ES256","crit":["exp"],"kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("header-twice", result.SignatureMalformed, "a member of the header twice", with(`{"alg":"none","alg":"ES256","kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("header-case", result.SignatureMalformed, "a member of the header in another case", with(`{"Alg":"ES256","kid":"sign-1","typ":"ontschot-result+jwt"}`))
	l.add("header-number", result.SignatureMalformed, "a number for a key", with(`{"alg":"ES256","kid":1,"typ":"ontschot-result+jwt"}`))
	l.add("signature-gone", result.SignatureMalformed, "no signature at all", release{after: func(b *budgetv1.Budget) { b.Signature = "" }})
	l.add("signature-two-parts", result.SignatureMalformed, "two parts", release{statement: statement{after: func(s string) string { return s[:strings.LastIndex(s, ".")] }}})
	l.add("signature-four-parts", result.SignatureMalformed, "four parts", release{statement: statement{after: func(s string) string { return s + ".AA" }}})
	l.add("signature-padding", result.SignatureMalformed, "base64 with padding", release{statement: statement{after: func(s string) string { return s + "==" }}})
	l.add("signature-line-end", result.SignatureMalformed, "a line end behind it", release{statement: statement{after: func(s string) string { return s + "\n" }}})
	l.add("signature-stray-bits", result.SignatureMalformed, "bits that base64url has no use for", release{statement: statement{after: func(s string) string { return s[:len(s)-1] + string(s[len(s)-1]+1) }}})
	l.add("signature-flipped", result.SignatureInvalid, "one bit of the signature", release{statement: statement{after: flipped}})
	l.add("signature-short", result.SignatureInvalid, "a signature of another length", release{statement: statement{after: func(s string) string {
		at := strings.LastIndex(s, ".")
		return s[:at+1] + base64.RawURLEncoding.EncodeToString([]byte("short"))
	}}})
	l.add("signature-der", result.SignatureInvalid, "an ECDSA signature in ASN.1, which JWS does not have", release{statement: statement{after: der}})
	l.add("signature-ps256-flipped", result.SignatureInvalid, "one bit of an RSA signature", release{statement: statement{by: w.ps, after: flipped}})
	l.add("signature-ps256-salt", result.SignatureInvalid, "an RSA signature with a salt of 20 bytes, which JWS does not have", release{statement: statement{by: w.ps, after: func(s string) string {
		input := s[:strings.LastIndex(s, ".")]
		sum := sha256.Sum256([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(pss(w.ps.private.(*rsa.PrivateKey), sum[:], 20))
	}}})
	l.add("signature-eddsa-flipped", result.SignatureInvalid, "one bit of an Ed25519 signature", release{statement: statement{by: w.retired, after: flipped}})
	l.add("signature-of-another-key", result.SignatureInvalid, "signed by another key than it names", release{statement: statement{
		by: w.of, header: `{"alg":"ES256","kid":"sign-1","typ":"ontschot-result+jwt"}`}})
	l.add("signature-payload", result.SignatureInvalid, "claims that were changed after they were signed", release{statement: statement{after: func(s string) string {
		parts := strings.Split(s, ".")
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(w.t, err)
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(w.in(`"complete":false`, `"complete":true`)(string(raw))))
		return strings.Join(parts, ".")
	}}})
}

func flipped(s string) string {
	at := strings.LastIndex(s, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(s[at+1:])
	raw[20] ^= 1
	return s[:at+1] + base64.RawURLEncoding.EncodeToString(raw)
}

// der writes an ECDSA signature as ASN.1.
func der(s string) string {
	at := strings.LastIndex(s, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(s[at+1:])
	number := func(b []byte) []byte {
		if b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	body := append(number(raw[:32]), number(raw[32:])...)
	return s[:at+1] + base64.RawURLEncoding.EncodeToString(append([]byte{0x30, byte(len(body))}, body...))
}

// claims that a releaser signs, and that are not as they should be.
func claims(l *list) {
	w := l.w
	for name, c := range map[string]struct{ says, from, to string }{
		"space":        {"claims with a space: not the canonical form", `,"complete"`, `, "complete"`},
		"order":        {"claims in another order", `{"case":`, `{"policy_revision":"","case":`},
		"unknown":      {"a claim that is not known", `"complete":false`, `"complete":false,"d":1`},
		"twice":        {"a claim twice", `"complete":false`, `"complete":false,"complete":false`},
		"case":         {"a claim in another case", `"complete"`, `"Complete"`},
		"missing":      {"a claim that is missing", `"complete":false,`, ``},
		"fraction":     {"a time as a fraction", `"exp":1798884000`, `"exp":1798884000.0`},
		"exponent":     {"a time with an exponent", `"exp":1798884000`, `"exp":1.798884e9`},
		"large":        {"a number beyond 2^53, where floating point is not exact", `"exp":1798884000`, `"exp":9007199254740993`},
		"minus-zero":   {"a time of minus zero", `"exp":1798884000`, `"exp":-0`},
		"text":         {"a time as a text", `"exp":1798884000`, `"exp":"1798884000"`},
		"null":         {"a claim that is null", `"complete":false`, `"complete":null`},
		"escape":       {"a claim with an escape that the canonical form does not have", `"complete":false`, `"complete":false,"\u0064":1`},
		"issuer":       {"an issuer of nineteen digits", `"iss":"0`, `"iss":"`},
		"kept-zero":    {"a time until which it may be kept of zero: then it is left out", `"kept":1830420000`, `"kept":0`},
		"no-digest":    {"a digest that is no text", `"receipt":"`, `"receipt":["`},
		"long-escapes": {"a text with an escape in upper case", `"receipt":"`, `"receipt":"\u001F`},
	} {
		l.add("claims-"+name, result.SignatureMalformed, c.says, release{statement: statement{payload: w.in(c.from, c.to)}})
	}
	l.add("claims-list", result.SignatureMalformed, "claims that are no object", release{statement: statement{payload: func(s string) string { return "[" + s + "]" }}})
	l.add("claims-too-large", result.SignatureMalformed, "a signature of more than 16 KiB", release{claims: func(c *result.Claims) { c.PolicyRevision = strings.Repeat("a", 13<<10) }})
	l.add("claims-digest", result.Changed, "signed over another budget", release{claims: func(c *result.Claims) { c.Digest = encode([32]byte(seed("other"))) }})
	l.add("claims-digest-padding", result.Changed, "the digest in another form of base64", release{claims: func(c *result.Claims) { c.Digest += "=" }})
	l.add("claims-receipt", result.ReceiptChanged, "signed over another receipt", release{claims: func(c *result.Claims) { c.Receipt = encode([32]byte(seed("other"))) }})
	l.add("issuer-another", result.OtherReleaser, "signed, rightly, by another party of the trust file", release{statement: statement{by: w.strangers}, claims: func(c *result.Claims) { c.Issuer = stranger }})
	l.add("issuer-nobody", result.SignatureKey, "signed by an organisation that nobody pinned", release{claims: func(c *result.Claims) { c.Issuer = "00000099000000000001" }})
}

// leaves that a log has, and that are no release of this budget.
func leaves(l *list) {
	w := l.w
	leaf := func(change func(*audit.Leaf)) release { return release{log: log{leaf: change}} }
	raw := func(from, to string) release { return release{log: log{raw: w.in(from, to)}} }
	l.add("leaf-decision", result.Reason(audit.NoRelease), "the leaf of a decision", leaf(func(l *audit.Leaf) { l.Kind, l.Decided = audit.Decision, -1 }))
	l.add("leaf-decided-later", result.Reason(audit.OtherDecision), "a decision that is not before the release", leaf(func(l *audit.Leaf) { l.Decided = 6 }))
	l.add("leaf-decided-other", result.Reason(audit.OtherDecision), "another decision than the receipt says", release{log: log{receipt: func(r *budgetv1.Receipt) { r.DecisionIndex = 4 }}})
	l.add("leaf-payload", result.Reason(audit.OtherPayload), "of another budget", leaf(func(l *audit.Leaf) { l.Payload = encode([32]byte(seed("other"))) }))
	l.add("leaf-salt", result.Reason(audit.BadSalt), "a salt of 31 bytes", release{log: log{receipt: func(r *budgetv1.Receipt) { r.Salt = r.Salt[1:] }}})
	l.add("leaf-salt-other", result.Reason(audit.OtherPayload), "another salt", release{log: log{receipt: func(r *budgetv1.Receipt) { r.Salt[0] ^= 1 }}})
	for name, c := range map[string]struct{ says, from, to string }{
		"space":       {"a leaf with a space", `{"activity"`, `{ "activity"`},
		"version":     {"a leaf of a version that is not known", `"version":3`, `"version":4`},
		"kind":        {"a leaf of a kind that is not known", `"kind":"release"`, `"kind":"other"`},
		"unknown":     {"a leaf with a member more", `"version":3`, `"version":3,"z":1`},
		"twice":       {"a leaf with a member twice", `"version":3`, `"version":3,"version":3`},
		"missing":     {"a leaf without a member", `"status":"OK",`, ``},
		"case":        {"a member in another case", `"status"`, `"Status"`},
		"escape":      {"a text with an escape", `"OK"`, `"\u004fK"`},
		"quote":       {"a text with a character that no leaf has", `"OK"`, `"O K"`},
		"trace":       {"a trace in upper case", `4bf92f35`, `4BF92F35`},
		"tenant":      {"a tenant that is no OIN", `"tenant":"0000`, `"tenant":"`},
		"day":         {"a day that is none", `2026-01-02`, `2026-02-30`},
		"no-day":      {"no day", `"day":"2026-01-02",`, ``},
		"time":        {"a time of zero", `"time":1767348000123`, `"time":0`},
		"time-text":   {"a time as a text", `"time":1767348000123`, `"time":"1767348000123"`},
		"exponent":    {"a time with an exponent", `"time":1767348000123`, `"time":1767348000123e0`},
		"retry":       {"a release that repeats", `"retry_of":-1`, `"retry_of":2`},
		"commitment":  {"a commitment with stray bits", `"case":"`, `"case":"_`},
		"null":        {"a list that is null", `"organisations":["00000099000000119000"]`, `"organisations":null`},
		"epoch":       {"a release that begins an epoch", `"id":`, `"epoch":2,"id":`},
		"empty-day":   {"a member that is left out when it is empty", `"consents"`, `"confirm":"","consents"`},
		"key":         {"a release that changes a key", `"kind":`, `"key":"` + strings.Repeat("a", 64) + `","kind":`},
		"snapshot":    {"a release with a snapshot", `"status"`, `"snapshot":"` + strings.Repeat("a", 64) + `","status"`},
		"uuid":        {"an id of another version", `1b00-7000-8`, `1b00-4000-8`},
		"agreement":   {"an agreement in upper case", `"agreements":["`, `"agreements":["A`},
		"two-objects": {"something behind it", `"version":3}`, `"version":3}{}`},
	} {
		l.add("leaf-malformed-"+name, result.Reason(audit.BadLeaf), c.says, raw(c.from, c.to))
	}
	l.add("leaf-malformed-list", result.Reason(audit.BadLeaf), "a leaf that is no object", release{log: log{raw: func(s string) string { return "[" + s + "]" }}})
	l.add("leaf-malformed-none", result.Reason(audit.BadLeaf), "no leaf", release{log: log{receipt: func(r *budgetv1.Receipt) { r.Leaf = nil }}})
}

// checkpoints of the log.
func checkpoints(l *list) {
	w := l.w
	old, _ := logKey(w.t, logName, "somebody's log of the same name")
	other, _ := logKey(w.t, "ontschot.nl/log/"+stranger, "stranger's log")
	text := func(change func(string) string) release { return release{log: log{text: change}} }
	signed := func(change func(string) string) release { return release{log: log{note: change}} }
	l.add("checkpoint-of-another-log", result.Reason(audit.NotSigned), "the whole receipt out of another party's log",
		release{log: log{name: "ontschot.nl/log/" + stranger, tenant: stranger, size: 11, signer: other}})
	l.add("checkpoint-other-key", result.Reason(audit.NotSigned), "by a key of the same name that nobody pinned", release{log: log{signer: old}})
	l.add("checkpoint-unsigned", result.Reason(audit.NotSigned), "without a signature", signed(func(s string) string { return s[:strings.Index(s, "\n\n")+1] }))
	l.add("checkpoint-empty", result.Reason(audit.NotSigned), "nothing", signed(func(string) string { return "" }))
	l.add("checkpoint-flipped", result.Reason(audit.NotSigned), "another size than was signed", signed(w.in("\n11\n", "\n12\n")))
	l.add("checkpoint-root", result.Reason(audit.NotSigned), "another root than was signed", signed(func(s string) string {
		lines := strings.Split(s, "\n")
		lines[2] = b64(seed("other"))
		return strings.Join(lines, "\n")
	}))
	l.add("checkpoint-two-signatures", result.Reason(audit.NotSigned), "with the signature of a stranger too", signed(func(s string) string { return s + "— log/c AAAAAAAA\n" }))
	l.add("checkpoint-same-twice", result.Reason(audit.NotSigned), "with its signature twice", signed(func(s string) string { return s + s[strings.Index(s, "— "):] }))
	l.add("checkpoint-line-more", result.Reason(audit.NotSigned), "a line behind it", signed(func(s string) string { return s + "\n" }))
	l.add("checkpoint-no-line-end", result.Reason(audit.NotSigned), "without its last line end", signed(func(s string) string { return s[:len(s)-1] }))
	l.add("checkpoint-carriage-return", result.Reason(audit.NotSigned), "with other line ends", signed(func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }))
	l.add("checkpoint-hyphen", result.Reason(audit.NotSigned), "a hyphen for the dash", signed(w.in("— ", "- ")))
	l.add("checkpoint-short", result.Reason(audit.NotSigned), "a signature that was cut", signed(func(s string) string { return s[:len(s)-9] + "\n" }))
	l.add("checkpoint-large", result.Reason(audit.BadCheckpoint), "of more than 4 KiB", signed(func(s string) string { return s + strings.Repeat("a", 4<<10) }))
	l.add("checkpoint-extension", result.Reason(audit.BadCheckpoint), "a line more, signed", text(func(s string) string { return s + "extension\n" }))
	l.add("checkpoint-line-less", result.Reason(audit.BadCheckpoint), "a line less, signed", text(func(s string) string { return logName + "\n11\n" }))
	l.add("checkpoint-size-zero", result.Reason(audit.BadCheckpoint), "a size with a zero before it, signed", text(w.in("\n11\n", "\n011\n")))
	l.add("checkpoint-size-plus", result.Reason(audit.BadCheckpoint), "a size with a plus, signed", text(w.in("\n11\n", "\n+11\n")))
	l.add("checkpoint-size-minus", result.Reason(audit.BadCheckpoint), "a size below zero, signed", text(w.in("\n11\n", "\n-11\n")))
	l.add("checkpoint-size-large", result.Reason(audit.BadCheckpoint), "a size beyond 2^53, signed", text(w.in("\n11\n", "\n9007199254740993\n")))
	l.add("checkpoint-root-short", result.Reason(audit.BadCheckpoint), "a root of 31 bytes, signed", text(func(s string) string { return logName + "\n11\n" + b64(make([]byte, 31)) + "\n" }))
	l.add("checkpoint-origin", result.Reason(audit.OtherLog), "with the name of another log in it, signed by this log's key", text(w.in(logName, itsLog)))
	l.add("checkpoint-epoch-one", result.Reason(audit.OtherLog), "of an epoch that has no number", text(w.in(logName, logName+"/epoch-1")))
	l.add("checkpoint-epoch-zero", result.Reason(audit.OtherLog), "of an epoch with a zero before it", text(w.in(logName, logName+"/epoch-02")))
	l.add("checkpoint-epoch-other", result.Reason(audit.OtherLog), "of another epoch than the receipt says", text(w.in(logName, logName+"/epoch-2")))
	l.add("receipt-missing", result.Reason(audit.NoReceipt), "signed without a receipt", release{claims: func(c *result.Claims) {
		sum := sha256.Sum256([]byte("{}"))
		c.Receipt = encode(sum)
	}, after: func(b *budgetv1.Budget) { b.Receipt = nil }})
}

// proofs that the record is in the tree.
func proofs(l *list) {
	receipt := func(change func(*budgetv1.Receipt)) release { return release{log: log{receipt: change}} }
	l.add("proof-cut", result.Reason(audit.NotInTheTree), "a proof that was cut, and signed", receipt(func(r *budgetv1.Receipt) { r.Proof = r.Proof[:len(r.Proof)-1] }))
	l.add("proof-longer", result.Reason(audit.NotInTheTree), "a hash more", receipt(func(r *budgetv1.Receipt) { r.Proof = append(r.Proof, seed("more")) }))
	l.add("proof-none", result.Reason(audit.NotInTheTree), "no proof", receipt(func(r *budgetv1.Receipt) { r.Proof = nil }))
	l.add("proof-flipped", result.Reason(audit.NotInTheTree), "one bit of a hash", receipt(func(r *budgetv1.Receipt) { r.Proof[0][0] ^= 1 }))
	l.add("proof-order", result.Reason(audit.NotInTheTree), "two hashes in another order", receipt(func(r *budgetv1.Receipt) { r.Proof[0], r.Proof[1] = r.Proof[1], r.Proof[0] }))
	l.add("proof-index-other", result.Reason(audit.NotInTheTree), "at another index", receipt(func(r *budgetv1.Receipt) { r.Index = 7 }))
	l.add("proof-index-outside", result.Reason(audit.OutsideTheTree), "an index that is not in the tree", receipt(func(r *budgetv1.Receipt) { r.Index = 11 }))
	l.add("proof-index-below", result.Reason(audit.OtherDecision), "an index below zero", receipt(func(r *budgetv1.Receipt) { r.Index = -1 }))
	l.add("proof-hash-short", result.Reason(audit.BadProof), "a hash of 31 bytes", receipt(func(r *budgetv1.Receipt) { r.Proof[1] = r.Proof[1][1:] }))
	l.add("proof-too-long", result.Reason(audit.BadProof), "65 hashes", receipt(func(r *budgetv1.Receipt) {
		for len(r.Proof) < 65 {
			r.Proof = append(r.Proof, seed("more"))
		}
	}))
	l.add("proof-leaf-other", result.Reason(audit.NotInTheTree), "another leaf than the tree has", receipt(func(r *budgetv1.Receipt) {
		r.Leaf = []byte(strings.Replace(string(r.Leaf), `"status":"OK"`, `"status":"KO"`, 1))
	}))
}

// disclosures of a source whose own gateway answered.
func disclosures(l *list) {
	w := l.w
	is := func(r result.Reason) result.Reason { return "DISCLOSURE_" + r }
	say := func(change func(*result.Statement)) release { return release{said: change} }
	sourceKey, _ := logKey(w.t, itsLog, "somebody's log of the same name")
	l.add("disclosure-empty", is(result.SignatureMalformed), "a disclosure without a statement", release{answered: func(d *budgetv1.Disclosure) { d.Statement = "" }})
	l.add("disclosure-unknown-claim", is(result.SignatureMalformed), "a claim that is not known", release{disclosed: statement{payload: w.in(`"trace"`, `"tra":"","trace"`)}})
	l.add("disclosure-result", is(result.SignatureMalformed), "the claims of a budget instead of a statement", release{disclosed: statement{payload: func(string) string { return `{"iss":"` + source + `"}` }}})
	l.add("disclosure-key", is(result.SignatureKey), "by a key that nobody pinned", release{disclosed: statement{by: w.unknown}})
	l.add("disclosure-signature", is(result.SignatureInvalid), "one bit of the signature", release{disclosed: statement{after: flipped}})
	l.add("disclosure-audience", is(result.OtherAudience), "to another organisation", say(func(s *result.Statement) { s.Audience = stranger }))
	l.add("disclosure-issuer", is(result.OtherAudience), "of another source, rightly signed", release{disclosed: statement{by: w.strangers}, said: func(s *result.Statement) { s.Issuer = stranger }})
	l.add("disclosure-decision", is(result.OtherDecision), "of another decision than its receipt", say(func(s *result.Statement) { s.Decision = 1 }))
	for name, c := range map[string]struct {
		says   string
		change func(*result.Statement)
	}{
		"days":      {"days beyond ten years", func(s *result.Statement) { s.MaxAgeDays = 3651 }},
		"no-days":   {"no days", func(s *result.Statement) { s.RetentionDays = 0 }},
		"agreement": {"an agreement that is no hash", func(s *result.Statement) { s.Agreement = "A" + s.Agreement[1:] }},
		"policy":    {"a policy that is no hash", func(s *result.Statement) { s.PolicyRevision = s.PolicyRevision[1:] }},
		"answer":    {"an answer that is no hash", func(s *result.Statement) { s.Answer = s.Answer[1:] }},
		"request":   {"a request that is no hash", func(s *result.Statement) { s.Request += "A" }},
		"trace":     {"a trace that is none", func(s *result.Statement) { s.Trace = "x" }},
		"id":        {"an id that is no UUID of version 7", func(s *result.Statement) { s.ID = "1" }},
		"permit":    {"a permit that is no UUID of version 7", func(s *result.Statement) { s.Permit = strings.ToUpper(s.Permit) }},
		"time":      {"a time beyond the year 9999", func(s *result.Statement) { s.IssuedAt = 253402300800 }},
		"no-time":   {"a time before 1970", func(s *result.Statement) { s.IssuedAt = -1 }},
	} {
		l.add("disclosure-form-"+name, is(result.BadMember), c.says, say(c.change))
	}
	l.add("disclosure-other-answer", is(result.Reason(audit.OtherPayload)), "of another answer than its log has", say(func(s *result.Statement) { s.Answer = encode([32]byte(seed("other"))) }))
	l.add("disclosure-twice", is(result.Twice), "one statement for two answers", release{budget: func(b *budgetv1.Budget) { b.Sources = append(b.Sources, proto.CloneOf(b.Sources[1])) }})
	l.add("disclosure-no-party", is(result.NoParty), "of a source that is none of the trust file", release{budget: func(b *budgetv1.Budget) { b.Sources[1].Source = "QQ9999" }})
	of := func(name string, flaw audit.Flaw, says string, in log) {
		l.add("disclosure-"+name, is(result.Reason(flaw)), says, release{sourceLog: in})
	}
	of("leaf", audit.BadLeaf, "a leaf with a space", log{raw: w.in(`{"activity"`, `{ "activity"`)})
	of("leaf-kind", audit.NoRelease, "the leaf of a denial", log{leaf: func(l *audit.Leaf) { l.Kind, l.Decided = audit.Deny, -1 }, receipt: func(r *budgetv1.Receipt) { r.DecisionIndex = 2 }})
	of("leaf-decided", audit.OtherDecision, "a leaf of another decision", log{leaf: func(l *audit.Leaf) { l.Decided = 1 }, receipt: func(r *budgetv1.Receipt) { r.DecisionIndex = 2 }})
	of("salt", audit.BadSalt, "no salt", log{receipt: func(r *budgetv1.Receipt) { r.Salt = nil }})
	of("checkpoint", audit.BadCheckpoint, "a line more in the checkpoint", log{text: func(s string) string { return s + "x\n" }})
	of("checkpoint-signature", audit.NotSigned, "a checkpoint by a key of the same name that nobody pinned", log{signer: sourceKey})
	of("origin", audit.OtherLog, "another origin than the checkpoint has", log{receipt: func(r *budgetv1.Receipt) { r.Origin = logName }})
	of("proof-malformed", audit.BadProof, "a hash of no bytes", log{receipt: func(r *budgetv1.Receipt) { r.Proof[0] = nil }})
	of("proof-index", audit.OutsideTheTree, "an index that is not in the tree", log{receipt: func(r *budgetv1.Receipt) { r.Index = 4 }})
	of("proof-inclusion", audit.NotInTheTree, "a proof that was cut", log{receipt: func(r *budgetv1.Receipt) { r.Proof = r.Proof[:1] }})
	l.add("disclosure-no-receipt", is(result.Reason(audit.NoReceipt)), "no receipt", release{answered: func(d *budgetv1.Disclosure) { d.Receipt = nil }, said: func(s *result.Statement) { s.Decision = 0 }})
}

// elsewhere is what else is believed, or is not.
func elsewhere(l *list) {
	w := l.w
	raw := w.file(w.made(release{}), release{})
	l.put("elsewhere-no-log-keys", "budget", "trust-without-log-keys.json", result.Reason(audit.NoLogKey), "no key is pinned for the releaser's log", raw)
	l.put("elsewhere-no-source-log-keys", "budget", "trust-without-the-sources-log-keys.json", "DISCLOSURE_"+result.Reason(audit.NoLogKey), "no key is pinned for the source's log", raw)
	l.put("elsewhere-no-source", "budget", "trust-without-the-source.json", "DISCLOSURE_"+result.NoParty, "the source is no party of the trust file", raw)
	l.put("elsewhere-other-releaser", "budget", "trust-in-another.json", result.OtherReleaser, "another organisation is believed", raw)
}

// others are an account and a dissolution.
func others(l *list) {
	w := l.w
	account := func(name string, reason result.Reason, says string, claim func(*result.AccountClaims), change func(*budgetv1.Account)) {
		a := &budgetv1.Account{Funder: "GM0119", Window: base().GetWindow(), Laws: []*budgetv1.AccountLine{{Law: "WMO", AwardedCents: 1204800, SpentCents: proto.Int64(0)}}, BudgetDigest: hex.EncodeToString(seed("budget")), AsOf: "2026-01-02"}
		c := result.AccountClaims{Digest: w.digest(a), Funder: "GM0119", IssuedAt: 1767348000, Issuer: releaser, ID: "019b7e2c-1b00-7000-8000-000000000005"}
		claim(&c)
		a.Signature = statement{by: w.es, claims: c}.jws(w.t)
		change(a)
		l.put(name, "account", "trust.json", reason, says, w.file(a, release{}))
	}
	same := func(*result.AccountClaims) {}
	asIs := func(*budgetv1.Account) {}
	account("account-good", "", "as a gateway makes it", same, asIs)
	account("account-changed", result.Changed, "a cent more", same, func(a *budgetv1.Account) { a.Laws[0].AwardedCents++ })
	account("account-zero", result.Changed, "nothing spent that is now not known", same, func(a *budgetv1.Account) { a.Laws[0].SpentCents = nil })
	account("account-funder", result.Changed, "signed for another funder", func(c *result.AccountClaims) { c.Funder = "UWV" }, asIs)
	account("account-unsigned", result.SignatureMalformed, "no signature", same, func(a *budgetv1.Account) { a.Signature = "" })
	dissolution := func(name string, reason result.Reason, says string, claim func(*result.DissolutionClaims), change func(*budgetv1.Dissolution)) {
		d := &budgetv1.Dissolution{Date: "2026-07-01", BudgetDigest: hex.EncodeToString(seed("budget")), AsOf: "2026-01-02", Before: &budgetv1.DissolvedHalf{Window: &budgetv1.Window{From: "2026-01-01", To: "2026-06-30"}}}
		c := result.DissolutionClaims{Date: d.GetDate(), Digest: w.digest(d), IssuedAt: 1767348000, Issuer: releaser, ID: "019b7e2c-1b00-7000-8000-000000000006"}
		claim(&c)
		d.Signature = statement{by: w.es, claims: c}.jws(w.t)
		change(d)
		l.put(name, "dissolution", "trust.json", reason, says, w.file(d, release{}))
	}
	whole, asItIs := func(*result.DissolutionClaims) {}, func(*budgetv1.Dissolution) {}
	dissolution("dissolution-good", "", "as a gateway makes it", whole, asItIs)
	dissolution("dissolution-changed", result.Changed, "another day", whole, func(d *budgetv1.Dissolution) { d.Before.Window.To = "2026-06-29" })
	dissolution("dissolution-date", result.Changed, "signed for another date", func(c *result.DissolutionClaims) { c.Date = "2026-08-01" }, asItIs)
	dissolution("dissolution-releaser", result.SignatureKey, "signed by nobody that is pinned", func(c *result.DissolutionClaims) { c.Issuer = "00000099000000000001" }, asItIs)
}

func (w *world) digest(m proto.Message) string {
	raw, err := result.Canonical(m)
	require.NoError(w.t, err)
	return encode(sha256.Sum256(raw))
}

// bytes are what comes in between in the verification of good.json, and the canonical form of
// texts that are hard: who writes a verifier sees where theirs is different.
func (w *world) bytes() map[string]any {
	b := w.made(release{})
	bare := proto.CloneOf(b)
	bare.Receipt, bare.Signature = nil, ""
	canonical, err := result.Canonical(bare)
	require.NoError(w.t, err)
	receipt, err := result.Canonical(b.GetReceipt())
	require.NoError(w.t, err)
	digest, over := sha256.Sum256(canonical), sha256.Sum256(receipt)
	record := sha256.Sum256(append([]byte{0}, b.GetReceipt().GetLeaf()...))
	salt := b.GetReceipt().GetSalt()
	payload := append([]byte("ontschot/leaf/1/payload\x00"), append(append([]byte{}, salt...), digest[:]...)...)
	parts := strings.Split(b.GetSignature(), ".")
	unpacked := func(s string) string {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		require.NoError(w.t, err)
		return string(raw)
	}
	_, public := logKey(w.t, logName, "releaser's log")
	v, err := note.NewVerifier(public)
	require.NoError(w.t, err)
	text, _, _ := strings.Cut(b.GetReceipt().GetCheckpoint(), "\n\n")
	return map[string]any{
		"file":               "good.json",
		"canonical":          string(canonical),
		"digest":             encode(digest),
		"receipt_canonical":  string(receipt),
		"receipt_digest":     encode(over),
		"header":             unpacked(parts[0]),
		"claims":             unpacked(parts[1]),
		"signature_hex":      hex.EncodeToString([]byte(unpacked(parts[2]))),
		"leaf":               string(b.GetReceipt().GetLeaf()),
		"commitment_hex":     hex.EncodeToString(payload),
		"record_hash":        hex.EncodeToString(record[:]),
		"checkpoint_text":    text + "\n",
		"log_key":            public,
		"log_key_hash":       fmt.Sprintf("%08x", v.KeyHash()),
		"hashes_to_the_root": w.path(record, b.GetReceipt()),
	}
}

// path are the hashes that come up on the way to the root, from the record's on.
func (w *world) path(hash [32]byte, r *budgetv1.Receipt) []string {
	all := []string{hex.EncodeToString(hash[:])}
	at, last := r.GetIndex(), int64(10)
	for _, p := range r.GetProof() { // RFC 9162, section 2.1.3.2
		if at%2 == 1 || at == last {
			hash = sha256.Sum256(append(append([]byte{1}, p...), hash[:]...))
			for at%2 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			hash = sha256.Sum256(append(append([]byte{1}, hash[:]...), p...))
		}
		at, last = at>>1, last>>1
		all = append(all, hex.EncodeToString(hash[:]))
	}
	root, _, _ := strings.Cut(strings.SplitN(r.GetCheckpoint(), "\n", 3)[2], "\n")
	require.Equal(w.t, root, b64(hash[:]))
	return all
}
