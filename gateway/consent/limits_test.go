package consent_test

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// oins are so many different ones.
func oins(n int) []identity.OIN {
	var all []identity.OIN
	for i := range n {
		all = append(all, identity.OIN(fmt.Sprintf("000000990001%08d", i)))
	}
	return all
}

func grants(n int) []consent.Grant {
	var all []consent.Grant
	for _, o := range oins(n) {
		all = append(all, consent.Grant{Source: o, Categories: []budgetv1.Category{"amount"}})
	}
	return all
}

func beside(n int) []consent.Signature {
	var all []consent.Signature
	for i := range n {
		all = append(all, signature("naaste", fmt.Sprint(i)))
	}
	return all
}

// The longest that may stand in each field is issued and counts; one more is refused,
// and the error says of which field.
func TestLimits(t *testing.T) {
	f, keys := openFamily(t)
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		most   int
		change func(*consent.Draft, int)
	}{
		"purpose: a code":          {128, func(d *consent.Draft, n int) { d.Purpose = x(n) }},
		"case: a commitment":       {128, func(d *consent.Draft, n int) { d.Case = x(n) }},
		"recipients: one to 16":    {16, func(d *consent.Draft, n int) { d.Recipients = oins(n) }},
		"basis.avg6: needed":       {64, func(d *consent.Draft, n int) { d.Basis.AVG6 = x(n) }},
		"basis: too long":          {64, func(d *consent.Draft, n int) { d.Basis.AVG9 = x(n) }},
		"basis: too long (law)":    {200, func(d *consent.Draft, n int) { d.Basis.National = x(n) }},
		"notice.version: needed":   {32, func(d *consent.Draft, n int) { d.Notice.Version = x(n) }},
		"withdraw_url: an https":   {300, func(d *consent.Draft, n int) { d.Withdraw = "https://a/" + x(n-10) }},
		"replaces: must be an id":  {128, func(d *consent.Draft, n int) { d.Replaces = x(n) }},
		"authority.kind: too long": {64, func(d *consent.Draft, n int) { d.Born, d.Authority.Kind = civil.MustParse("2008-06-15"), x(n) }},
		"co_given_by: too many":    {8, func(d *consent.Draft, n int) { d.CoGivenBy = beside(n) }},
		"given_by.proof: too long": {32, func(d *consent.Draft, n int) { d.GivenBy.Proof.LOA = x(n) }},
		"co_given_by[0].proof: too long": {128, func(d *consent.Draft, n int) {
			d.CoGivenBy = beside(1)
			d.CoGivenBy[0].Proof.Hash = x(n)
		}},
		"grants: one to 16 sources": {16, func(d *consent.Draft, n int) { d.Grants = grants(n) }},
	} {
		d := draft(f)
		c.change(&d, c.most)
		verify(t, keys, issue(t, f, d))
		d = draft(f)
		c.change(&d, c.most+1)
		_, err := d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
		require.ErrorIs(t, err, consent.ErrDocument, name)
		field, _, _ := strings.Cut(name, " (")
		require.ErrorContains(t, err, field, name)
	}
}

// One thing wrong with a field, and the error says what, to the word.
func TestWhatTheErrorSays(t *testing.T) {
	f, _ := openFamily(t)
	for name, c := range map[string]struct {
		change func(*consent.Draft)
		says   string
	}{
		"no sources":                {func(d *consent.Draft) { d.Grants = nil }, "grants: one to 16 sources are needed"},
		"ends the day before":       {func(d *consent.Draft) { d.Until = d.From - 1 }, "until: must not be before from"},
		"a recipient that is no":    {func(d *consent.Draft) { d.Recipients = []identity.OIN{"UWV"} }, "recipients: one to 16 OINs, each once"},
		"a hash in capitals":        {func(d *consent.Draft) { d.Notice.SHA256 = strings.Repeat("A", 64) }, "notice.sha256: 64 hexadecimal digits"},
		"a hash that is short":      {func(d *consent.Draft) { d.Notice.SHA256 = strings.Repeat("a", 63) }, "notice.sha256: 64 hexadecimal digits"},
		"an address that is none":   {func(d *consent.Draft) { d.Withdraw = "https://%zz" }, "withdraw_url: an https address is needed"},
		"an address without a host": {func(d *consent.Draft) { d.Withdraw = "https:///withdraw" }, "withdraw_url: an https address is needed"},
		"an address with a name":    {func(d *consent.Draft) { d.Withdraw = "https://me@meppel.example/" }, "withdraw_url: an https address is needed"},
		"settled on a hunch": {func(d *consent.Draft) { d.Authority.Settled = "gevoel" },
			"authority.settled: must be one of gezagsregister, rechterlijke_uitspraak, voogdijregister or empty"},
	} {
		d := draft(f)
		c.change(&d)
		_, err := d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
		require.EqualError(t, err, consent.ErrDocument.Error()+": "+c.says, name)
	}
	d := draft(f)
	d.Keeper = ""
	_, err := d.Issue(signed.Signer{}, bsn(t, harm), f.Now)
	require.ErrorContains(t, err, "keeper: must be the organisation that signs", "a keeper without a number, as who signs has none")
}

// Who gave it must have proven it, though somebody beside them did.
func TestWhoGaveItMustBeProven(t *testing.T) {
	f, _ := openFamily(t)
	d := draft(f)
	d.CoGivenBy = []consent.Signature{d.GivenBy}
	d.GivenBy.Proof.Hash = ""
	_, err := d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
	require.ErrorIs(t, err, consent.ErrWrongSigner)
}

// broken is a key that does not sign, as a hardware module that is gone.
type broken struct{ crypto.Signer }

var errGone = errors.New("the module is gone")

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errGone }

func TestAKeyThatDoesNotSign(t *testing.T) {
	f, _ := openFamily(t)
	by := f.Requester().Sign
	by.Key = broken{by.Key}
	out, err := draft(f).Issue(by, bsn(t, harm), f.Now)
	require.Error(t, err)
	require.Empty(t, out)
}

// What becomes larger than a document may be is not issued, from the first byte on.
// Signs that JSON escapes take six bytes each.
func TestWhatBecomesTooLarge(t *testing.T) {
	f, _ := openFamily(t)
	by := f.Requester().Sign
	by.KeyID = "kk" // base64 skips one length in four, and with this id not the last that fits nor the first that does not
	x := func(n int) string { return strings.Repeat("\x01", n) }
	refused := 0
	sizes := map[int]bool{}
	for n := range 120 {
		d := draft(f)
		d.Recipients, d.Grants, d.Replaces = oins(16), grants(16), strings.Repeat("a", n+1)
		d.Basis, d.CoGivenBy = consent.Basis{AVG6: "a" + x(63), AVG9: x(64), National: x(200)}, beside(8)
		for i := range d.CoGivenBy {
			d.CoGivenBy[i].Proof.LOA = x(32)
			d.CoGivenBy[i].Proof.Hash = x(128)
		}
		out, err := d.Issue(by, bsn(t, harm), f.Now)
		if err != nil {
			require.EqualError(t, err, "consent document refused: larger than 16384 bytes")
			require.Empty(t, out)
			refused++
			continue
		}
		require.Zero(t, refused, "the larger the worse")
		require.LessOrEqual(t, len(out.Document), signed.MaxBytes)
		sizes[len(out.Document)] = true
	}
	require.NotZero(t, refused)
	require.Contains(t, sizes, signed.MaxBytes)
}
