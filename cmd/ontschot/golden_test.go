package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// The page a case worker sees, in both languages, as it was last read and approved
// by a human. After a change: go test ./cmd/ontschot -run Golden -update, and read.
func TestGoldenPages(t *testing.T) {
	for _, name := range casefile.Names() {
		cf, err := casefile.Open(name)
		require.NoError(t, err)
		played, err := demo(t.Context(), cf, name, "", io.Discard)
		require.NoError(t, err)
		for _, lang := range []string{"nl", "en"} {
			var page bytes.Buffer
			out := output{format: "table", lang: lang}
			c := new(cobra.Command)
			c.SetOut(&page)
			require.NoError(t, out.print(&page, cf, played.budget))
			require.NoError(t, out.printFor(c, cf, played.budget, nil, played.show))
			requireGolden(t, name+"."+lang, page.String())
			requireWords(t, name+"."+lang, page.String(), played.budget, cf)
		}
	}
}

// requireWords holds a page to eighty columns, and to words: of the codes of a budget none is
// on it that has a word, and no date as computers write it.
func requireWords(t *testing.T, file, page string, b *budgetv1.Budget, cf *casefile.Case) {
	t.Helper()
	for line := range strings.Lines(page) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), defaultWidth, "%s: %s", file, line)
	}
	require.NotRegexp(t, `\d{4}-\d\d-\d\d`, page, file)
	codes := slices.Concat(budgetv1.FindingCodes(), budgetv1.GapReasons(), budgetv1.RefusalCodes(), budgetv1.Statuses(), budgetv1.Fungibilities(), budgetv1.Severities())
	codes = append(codes, budgetv1.DeliveryForms()...)
	for _, l := range b.GetLines() {
		codes = append(codes, l.GetId(), "product "+l.GetProduct().GetCode())
	}
	for _, m := range cf.Household {
		codes = append(codes, string(m.Ref))
	}
	for _, p := range cf.Parties {
		if p.Code != p.Name {
			codes = append(codes, p.Code)
		}
	}
	for _, code := range codes {
		if code == budgetv1.FindingGap || code == budgetv1.StatusOK { // too short to be told from words
			continue
		}
		require.NotRegexp(t, `(^|[^\pL\d_])`+regexp.QuoteMeta(code)+`($|[^\pL\d_])`, page, file)
	}
}

// The codes are there for who asks for them.
func TestCodesStandBehindTheWords(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	played, err := demo(t.Context(), cf, "meppel", "", io.Discard)
	require.NoError(t, err)
	var page bytes.Buffer
	out := output{format: "table", lang: "nl", codes: true}
	require.NoError(t, out.print(&page, cf, played.budget))
	for _, part := range []string{
		"Bram Veldkamp (A3)", "Gemeente Meppel (GM0119)", "begeleiding (02) (Wmo 2015), pgb", "[A3/WMO/02/2025-01-01]",
		"[LINE_CROSSES_WINDOW A5/JW/45/2025-08-01]", "[NO_CONSENT TOEST-01 CONSENT_ASK:UWV]", "ontschot.nl/log/",
	} {
		require.Contains(t, page.String(), part)
	}
	for line := range strings.Lines(page.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), defaultWidth, line)
	}
	require.NotContains(t, page.String(), "\x1b", "colours are for terminals")
}

// The other pages, in both languages, as they were last read and approved by a human.
func TestGoldenPagesOfOtherAnswers(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	h := play(t, f, options{})
	b, err := h.ask()
	require.NoError(t, err)
	view, err := h.client(nil).View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A3"})
	require.NoError(t, err)
	apart, err := h.client(nil).Dissolve(t.Context(), &ontschotv1.DissolveRequest{Budget: b, Date: "2025-07-01"})
	require.NoError(t, err)
	asked := func(reader string, child bool) *ontschotv1.AskConsentResponse { return asking(t, reader, child) }
	for name, c := range map[string]struct {
		budget *budgetv1.Budget
		show   func(*page)
	}{
		"view":        {view, nil},
		"dissolution": {b, func(p *page) { p.dissolution(apart) }},
		"ask":         {nil, func(p *page) { p.ask(asked("ouder_met_gezag", false)) }},
		"ask-child":   {nil, func(p *page) { p.ask(asked("self", true)) }},
		"receipt":     {nil, func(p *page) { p.consentReceipt(receiptOf(t)) }},
		"consents": {nil, func(p *page) {
			p.consents([]*ontschotv1.ConsentReceipt{receiptOf(t)})
			p.consents(nil)
		}},
		"agreement":  {nil, func(p *page) { p.agreement(shownAgreements()[0]) }},
		"agreements": {nil, func(p *page) { p.agreements(shownAgreements()) }},
		"changes":    {nil, func(p *page) { p.changes(nil) }},
	} {
		for _, lang := range []string{"nl", "en"} {
			var out bytes.Buffer
			o := output{format: "table", lang: lang}
			if c.show == nil {
				require.NoError(t, o.print(&out, cf, c.budget))
			} else {
				command := new(cobra.Command)
				command.SetOut(&out)
				require.NoError(t, o.printFor(command, cf, c.budget, nil, c.show))
			}
			requireGolden(t, "page-"+name+"."+lang, out.String())
			requireWords(t, name+"."+lang, out.String(), c.budget, cf)
		}
	}
}

// requireGolden holds a page against the file that was approved.
func requireGolden(t *testing.T, name, page string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), page, file)
	require.NotContains(t, page, "{")
}

func noticeFor(reader string, child bool) wording.Notice {
	return wording.Notice{
		Controller: "Gemeente Meppel", Reader: reader, Child: child, Purpose: "integral_budget.compose", Person: map[bool]string{false: "Bram Veldkamp"}[child],
		Sources: []wording.NoticeSource{
			{Name: "Gemeente Meppel", Kind: budgetv1.KindMunicipality, Categories: []string{"entitlement", "product", "amount"}},
			{Name: "SVB", Kind: budgetv1.KindSVB, Categories: []string{"spending"}},
		},
		From: civil.MustParse("2025-01-01"), Until: civil.MustParse("2025-12-31"), LapsesOn: civil.MustParse("2025-11-03"),
		Signers:  []wording.NoticeSigner{{Roles: []string{"ouder_met_gezag"}, People: 2}, {Roles: []string{"self"}, People: 1}},
		Withdraw: "https://meppel.example/toestemming", RetentionDays: 90, Officer: "fg@meppel.example", Reference: "00112233445566778899aabbccddeeff",
	}
}

func asking(t *testing.T, reader string, child bool) *ontschotv1.AskConsentResponse {
	t.Helper()
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(t, err)
	n := noticeFor(reader, child)
	return &ontschotv1.AskConsentResponse{
		Notice: &ontschotv1.ConsentNotice{
			TextNl: texts.Notice("nl", n), TextEn: texts.Notice("en", n), Sha256Nl: strings.Repeat("5a", 32), Sha256En: strings.Repeat("a5", 32),
		},
		Signers: []*ontschotv1.ConsentSigner{{Roles: []string{"ouder_met_gezag"}, Count: 2}, {Roles: []string{"self", ontschotv1.SignerProxy}, Count: 1}},
	}
}

func receiptOf(t *testing.T) *ontschotv1.ConsentReceipt {
	t.Helper()
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(t, err)
	n := noticeFor("self", false)
	r := wording.Receipt{
		Controller: n.Controller, Reader: "self", Purpose: n.Purpose, Sources: n.Sources, From: n.From, Until: n.Until, LapsesOn: n.LapsesOn,
		Withdraw: n.Withdraw, Given: n.From, ID: "00000000-0000-4000-8000-000000000001", GivenBy: []string{"ouder_met_gezag", "ouder_met_gezag", "self"},
	}
	return &ontschotv1.ConsentReceipt{
		Id: r.ID, Status: ontschotv1.StatusInForce, From: "2025-01-01", Until: "2025-12-31", GivenBy: r.GivenBy,
		Grants: []*ontschotv1.ConsentGrant{{Source: "GM0119", Categories: []string{"amount"}}, {Source: "SVB", Categories: []string{"spending"}}, {Source: "UWV"}},
		TextNl: texts.Receipt("nl", r), TextEn: texts.Receipt("en", r),
	}
}

func shownAgreements() []*ontschotv1.Agreement {
	at := time.Date(2025, 1, 7, 9, 30, 0, 0, time.UTC).UnixMilli()
	return []*ontschotv1.Agreement{
		{
			Id: "00000000-0000-4000-8000-000000000002", With: "ZK5503", Status: ontschotv1.StatusInForce, ProposedBy: "GM0119", ProposedAtMs: at,
			LeadTimeMs: proto.Int64(75 * 3600 * 1000), Terms: &ontschotv1.AgreementTerms{Until: "2025-12-31"}, TermsSha256: strings.Repeat("5a", 32),
		},
		{
			Id: "00000000-0000-4000-8000-000000000003", With: "UWV", Status: ontschotv1.StatusRejected, ProposedBy: "GM0119", ProposedAtMs: at,
			Reason: "De bewaartermijn is te lang.", Terms: &ontschotv1.AgreementTerms{Until: "2025-12-31"}, TermsSha256: strings.Repeat("a5", 32),
		},
	}
}
