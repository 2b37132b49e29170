package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ConsentPurpose is what a token must be issued for to keep consents.
const ConsentPurpose = "consents.keep"

// asking is a question to a person, read and judged.
type asking struct {
	deed
	bsn    identity.BSN
	draft  consent.Draft
	needs  []consent.Need
	notice *ontschotv1.ConsentNotice
	// ends must be live until this one counts: what was withdrawn is not narrowed.
	ends string
}

// AskConsent gives the text to put before who must sign.
func (g *Gateway) AskConsent(ctx context.Context, r *ontschotv1.AskConsentRequest) (*ontschotv1.AskConsentResponse, error) {
	a, err := g.asking(ctx, r, r.GetQuestion())
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	answer := &ontschotv1.AskConsentResponse{Notice: a.notice, From: a.draft.From.String(), Until: a.draft.Until.String()}
	if _, lapses := consent.AgeGroup(a.draft.Born, a.draft.From); !lapses.IsZero() {
		answer.LapsesOn = lapses.String()
	}
	for _, n := range a.needs {
		answer.Signers = append(answer.Signers, &ontschotv1.ConsentSigner{Roles: n.Roles, Count: int32(n.People)})
	}
	return answer, nil
}

// GiveConsent takes down a yes and gives the receipt.
func (g *Gateway) GiveConsent(ctx context.Context, r *ontschotv1.GiveConsentRequest) (*ontschotv1.GiveConsentResponse, error) {
	receipt, err := g.give(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, consentError(err))
	}
	return &ontschotv1.GiveConsentResponse{Receipt: receipt}, nil
}

func (g *Gateway) give(ctx context.Context, r *ontschotv1.GiveConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	a, err := g.asking(ctx, r, r.GetQuestion())
	if err != nil {
		return nil, err
	}
	if id, err := g.before(ctx, a.deed); err != nil || id != "" {
		return g.madeBefore(ctx, a.caller, id, err)
	}
	if r.GetNoticeSha256() != a.notice.GetSha256Nl() && r.GetNoticeSha256() != a.notice.GetSha256En() {
		return nil, invalid("notice_sha256", "is not that of the text for this question; ask again and show that text")
	}
	a.draft.Notice = consent.Notice{Version: a.notice.GetVersion(), SHA256: r.GetNoticeSha256()}
	for i, s := range r.GetSignatures() {
		one := consent.Signature{Role: s.GetRole(), Proof: consent.Proof{Kind: s.GetKind(), LOA: s.GetLoa(), Hash: s.GetSha256()}}
		if i == 0 {
			a.draft.GivenBy = one
			continue
		}
		a.draft.CoGivenBy = append(a.draft.CoGivenBy, one)
	}
	return g.issue(ctx, a)
}

// madeBefore answers a request that came again with what it made when it came first.
func (g *Gateway) madeBefore(ctx context.Context, caller token.Caller, id string, err error) (*ontschotv1.ConsentReceipt, error) {
	if err != nil {
		return nil, err
	}
	return g.receipt(ctx, caller, id)
}

// issue signs a consent as its keeper and makes it count.
func (g *Gateway) issue(ctx context.Context, a asking) (*ontschotv1.ConsentReceipt, error) {
	now, err := g.after(ctx, a.draft.Replaces)
	if err != nil {
		return nil, err
	}
	issued, err := a.draft.Issue(g.Signers.Signer(), a.bsn, now)
	if err != nil {
		return nil, err
	}
	pseudonyms := g.pseudonyms(a.bsn, a.draft.Purpose)
	kept, err := g.keepConsent(ctx, toKeep{
		RegisterRequest: &ontschotv1.RegisterRequest{
			Document: issued.Document, Disclosures: issued.Disclosures, SubjectKey: issued.SubjectKey, Pseudonym: pseudonyms[0],
		},
		deed: a.making(issued.ID), pseudonyms: pseudonyms, ends: a.ends,
	})
	if err != nil {
		return nil, err
	}
	return g.receipt(ctx, a.caller, kept.GetId())
}

// after is now, but never before what it replaces was said: the last word decides, and
// a consent knows no smaller part of time than a second.
func (g *Gateway) after(ctx context.Context, replaces string) (time.Time, error) {
	now := g.Now()
	if replaces == "" {
		return now, nil
	}
	d, err := g.Documents.Document(ctx, g.Own, replaces)
	if err != nil {
		return now, err
	}
	if d.Kind != audit.ConsentDocument {
		return now, fmt.Errorf("%w: replaces: it is no consent", consent.ErrDocument)
	}
	old, err := g.openConsent(d)
	if said := time.Unix(old.Claims().IssuedAt+1, 0); err == nil && now.Before(said) {
		now = said
	}
	return now, err
}

// NarrowConsent takes something out of a consent.
func (g *Gateway) NarrowConsent(ctx context.Context, r *ontschotv1.NarrowConsentRequest) (*ontschotv1.NarrowConsentResponse, error) {
	receipt, err := g.narrow(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, consentError(err))
	}
	return &ontschotv1.NarrowConsentResponse{Receipt: receipt}, nil
}

func (g *Gateway) narrow(ctx context.Context, r *ontschotv1.NarrowConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	d, err := g.doing(ctx, ConsentPurpose, r)
	if err != nil {
		return nil, err
	}
	if id, err := g.before(ctx, d); err != nil || id != "" {
		return g.madeBefore(ctx, d.caller, id, err)
	}
	bsn, err := identity.ParseBSN(r.GetIdentifiers().GetBsn())
	r.Identifiers = nil
	if err != nil {
		return nil, invalid("identifiers.bsn", "is no BSN: nine digits that pass the 11-check")
	}
	kept, old, err := g.consentOf(ctx, d.caller, r.GetId())
	if err != nil {
		return nil, err
	}
	if !kept.Live() {
		return nil, &audit.EndedError{ID: kept.ID}
	}
	whole := func(Party) []budgetv1.Category { return nil } // a source without categories is taken out whole
	without, err := g.grantsOf("without", r.GetWithout(), whole)
	if err != nil {
		return nil, err
	}
	draft, err := old.Narrow(without)
	if err != nil {
		return nil, err
	}
	return g.issue(ctx, asking{deed: d, bsn: bsn, draft: draft, ends: kept.ID})
}

// WithdrawConsent ends a consent.
func (g *Gateway) WithdrawConsent(ctx context.Context, r *ontschotv1.WithdrawConsentRequest) (*ontschotv1.WithdrawConsentResponse, error) {
	index, err := g.withdraw(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, consentError(err))
	}
	return &ontschotv1.WithdrawConsentResponse{Index: index}, nil
}

func (g *Gateway) withdraw(ctx context.Context, r *ontschotv1.WithdrawConsentRequest) (int64, error) {
	d, err := g.doing(ctx, ConsentPurpose, r)
	if err != nil {
		return 0, err
	}
	if _, _, err := g.consentOf(ctx, d.caller, r.GetId()); err != nil {
		return 0, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return 0, err
	}
	raw, err := g.Signers.Signer().Compact(signed.Statement, consent.Withdrawal{
		Issuer: g.Own, ID: id.String(), IssuedAt: g.Now().Unix(), Act: "withdraw", Consent: r.GetId(),
	})
	if err != nil {
		return 0, err
	}
	answer, err := g.takeWithdrawal(ctx, d, &ontschotv1.RegisterRequest{Document: raw})
	return answer.GetIndex(), err
}

// asking reads a question to a person: what is asked, who must sign, and the text.
func (g *Gateway) asking(ctx context.Context, request proto.Message, q *ontschotv1.ConsentQuestion) (asking, error) {
	a := asking{}
	var err error
	if a.deed, err = g.doing(ctx, ConsentPurpose, request); err != nil {
		return a, err
	}
	who, err := readPerson("question.person", q.GetPerson())
	if err != nil {
		return a, err
	}
	a.bsn = who.identifiers.bsn
	if a.draft, err = g.draftOf(a.caller, q, who.budget.Born); err != nil {
		return a, err
	}
	a.needs, err = consent.Required(a.draft.Born, a.draft.Authority, a.draft.From)
	if err != nil {
		return a, consentError(err)
	}
	a.notice, err = g.notice(a)
	return a, err
}

func (g *Gateway) draftOf(caller token.Caller, q *ontschotv1.ConsentQuestion, born civil.Date) (consent.Draft, error) {
	from, err := civil.Parse(q.GetFrom())
	if err != nil {
		return consent.Draft{}, invalid("question.from", "is no civil date, YYYY-MM-DD")
	}
	until := from.Birthday(1) - 1 // twelve months
	if q.GetUntil() != "" {
		asked, err := civil.Parse(q.GetUntil())
		if err != nil || asked < from {
			return consent.Draft{}, invalid("question.until", "is no civil date on or after from, YYYY-MM-DD")
		}
		until = min(until, asked)
	}
	all := func(p Party) []budgetv1.Category { return g.categoriesOf(q.GetPurpose(), p) }
	grants, err := g.grantsOf("question.grants", q.GetGrants(), all)
	if err != nil {
		return consent.Draft{}, err
	}
	looked := q.GetAuthority().GetLookedUp()
	if looked == "" {
		looked = min(g.Today(), from).String()
	}
	return consent.Draft{
		Keeper: g.Own, Purpose: q.GetPurpose(), Case: caller.Case(), Grants: grants, Controller: g.Own, Recipients: []identity.OIN{g.Own},
		// Explicit consent beside a public task; the statute that asks for it (assumed for
		// all sources but the care office: Wlz art. 9.1.3 lid 3).
		Basis: consent.Basis{AVG6: "avg-6-1-e", AVG9: "avg-9-2-a", National: "Wmo 2015 art. 5.2.5"},
		From:  from, Until: until, Born: born,
		Authority: consent.Authority{
			Kind: q.GetAuthority().GetKind(), Holders: int(q.GetAuthority().GetHolders()), LookedUp: looked, Settled: q.GetAuthority().GetSettled(),
		},
		Withdraw: g.WithdrawURL, Replaces: q.GetReplaces(),
	}, nil
}

// categoriesOf are all that the policy knows of a source for a purpose, under any law.
func (g *Gateway) categoriesOf(purpose string, source Party) []budgetv1.Category {
	laws := source.Laws
	if len(laws) == 0 {
		laws = g.Policy.Laws(purpose, source.Kind)
	}
	known := map[budgetv1.Category]bool{}
	for _, law := range laws {
		for _, c := range g.Policy.Categories(purpose, source.Kind, law) {
			known[c] = true
		}
	}
	return slices.DeleteFunc(budgetv1.Categories(), func(c budgetv1.Category) bool { return !known[c] })
}

// grantsOf reads sources and categories. What "*" stands for, all tells.
func (g *Gateway) grantsOf(path string, asked []*ontschotv1.ConsentGrant, all func(Party) []budgetv1.Category) ([]consent.Grant, error) {
	var grants []consent.Grant
	for _, one := range asked {
		source, known := g.party(one.GetSource())
		if !known {
			return nil, invalid(path, "names a source that is no party this gateway knows")
		}
		grant := consent.Grant{Source: source.OIN, Categories: []budgetv1.Category{}}
		for _, c := range one.GetCategories() {
			if c == "*" {
				grant.Categories = all(source)
				break
			}
			if !slices.Contains(budgetv1.Categories(), budgetv1.Category(c)) {
				return nil, invalid(path, "names a category that does not exist")
			}
			grant.Categories = append(grant.Categories, budgetv1.Category(c))
		}
		grants = append(grants, grant)
	}
	return grants, nil
}

// notice is the text in both languages. Its reference is made of the question, so
// that the same question gives the same text, with a key, so that who sees only its
// hash cannot find out what else was asked.
func (g *Gateway) notice(a asking) (*ontschotv1.ConsentNotice, error) {
	d := a.draft
	_, lapses := consent.AgeGroup(d.Born, d.From)
	n := policies.Notice{
		Controller: g.own.Name, Reader: a.needs[0].Roles[0], Purpose: d.Purpose, Sources: g.sourcesOf(d.Grants),
		From: d.From, Until: d.Until, LapsesOn: lapses, Withdraw: d.Withdraw,
	}
	for _, need := range a.needs {
		n.Signers = append(n.Signers, policies.NoticeSigner{Roles: need.Roles, People: need.People})
	}
	plain := g.Texts.Notice(policies.Dutch, n)
	subject := hex.EncodeToString(g.pseudonyms(a.bsn, d.Purpose)[0])
	reference := g.keyed("ontschot/notice/1\x00" + subject + "\x00" + d.Case + "\x00" + plain)
	n.Reference = hex.EncodeToString(reference[:16])
	out := &ontschotv1.ConsentNotice{Version: policies.NoticeVersion, TextNl: g.Texts.Notice(policies.Dutch, n), TextEn: g.Texts.Notice(policies.English, n)}
	if plain == "" || out.GetTextEn() == "" {
		return nil, errPurposeUnknown
	}
	out.Sha256Nl, out.Sha256En = policies.NoticeSHA256(out.GetTextNl()), policies.NoticeSHA256(out.GetTextEn())
	return out, nil
}

// consentError tells which part of a question cannot be so.
func consentError(err error) error {
	if field, ok := strings.CutPrefix(err.Error(), consent.ErrDocument.Error()+": "); ok && errors.Is(err, consent.ErrDocument) {
		return invalid("question", "%s", field)
	}
	return err
}
