package documents

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// asking is a question to a person, read and judged.
type asking struct {
	admission.Call
	bsn    identity.BSN
	draft  consent.Draft
	needs  []consent.Need
	notice *ontschotv1.ConsentNotice
	// narrows: it takes something out of a consent, and says nothing new.
	narrows bool
	// subject is the pseudonym that the narrowed consent is registered under; its person need
	// not be named.
	subject string
}

// asking reads a question to a person: what is asked, who must sign, and the text.
func (s *Service) asking(ctx context.Context, request proto.Message, q *ontschotv1.ConsentQuestion) (asking, error) {
	a := asking{}
	var err error
	if a.Call, err = s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeKeepConsents, Operation: ontschotv1.OperationGiveConsent}, request); err != nil {
		return a, err
	}
	if a.bsn, err = admission.TakeBSN("question.person.identifiers", &q.Person.Identifiers); err != nil {
		return a, err
	}
	born, err := admission.OptionalDate("question.person.born", q.GetPerson().GetBorn())
	if err != nil {
		return a, err
	}
	if a.draft, err = s.draftOf(a.Caller(), q, born); err != nil {
		return a, err
	}
	a.needs, err = consent.Required(a.draft.Born, a.draft.Authority, a.draft.From)
	if err != nil {
		return a, consentError(err)
	}
	a.notice, err = s.notice(a)
	return a, err
}

func (s *Service) draftOf(caller token.Caller, q *ontschotv1.ConsentQuestion, born civil.Date) (consent.Draft, error) {
	from, err := civil.Parse(q.GetFrom())
	if err != nil {
		return consent.Draft{}, admission.Invalid("question.from", "is no civil date, YYYY-MM-DD")
	}
	if today, _ := consent.AgeGroup(born, max(s.Today(), born)); !born.IsZero() && from > s.Today() {
		if then, _ := consent.AgeGroup(born, from); then != today {
			return consent.Draft{}, admission.Invalid("question.from", "lies after a birthday from which others must sign; ask on that day")
		}
	}
	until := from.Birthday(1) - 1 // twelve months
	if q.GetUntil() != "" {
		asked, err := civil.Parse(q.GetUntil())
		if err != nil || asked < from {
			return consent.Draft{}, admission.Invalid("question.until", "is no civil date on or after from, YYYY-MM-DD")
		}
		until = min(until, asked)
	}
	if until < s.Today() {
		return consent.Draft{}, admission.Invalid("question.from", "is so long ago that the consent has ended before today (it ends twelve months after from, or on until); ask from a later day")
	}
	matrix := s.Matrix()
	all := func(p identity.Organisation) []budgetv1.Category { return categoriesOf(matrix, q.GetPurpose(), p) }
	grants, err := s.grantsOf("question.grants", q.GetGrants(), all)
	if err != nil {
		return consent.Draft{}, err
	}
	for _, grant := range grants {
		if slices.ContainsFunc(grant.Categories, func(c budgetv1.Category) bool {
			return !caller.Allows(ontschotv1.PurposeKeepConsents, grant.Source, string(c))
		}) {
			return consent.Draft{}, admission.ErrPurpose // the token is for other sources or categories
		}
	}
	looked := q.GetAuthority().GetLookedUp()
	if looked == "" {
		looked = min(s.Today(), from).String()
	}
	return consent.Draft{
		Keeper: s.Own, Purpose: q.GetPurpose(), Case: caller.Case(), Grants: grants, Controller: s.Own, Recipients: []identity.OIN{s.Own},
		// Explicit consent beside a public task; the statute that asks for it (assumed for
		// all sources but the care office: Wlz art. 9.1.3 lid 3).
		Basis: consent.Basis{AVG6: "avg-6-1-e", AVG9: "avg-9-2-a", National: "Wmo 2015 art. 5.2.5"},
		From:  from, Until: until, Born: born,
		Authority: consent.Authority{
			Kind: q.GetAuthority().GetKind(), Holders: int(q.GetAuthority().GetHolders()), LookedUp: looked, Settled: q.GetAuthority().GetSettled(),
			Until: q.GetAuthority().GetUntil(),
		},
		Withdraw: s.WithdrawURL, Replaces: q.GetReplaces(),
	}, nil
}

// categoriesOf are all that the policy knows of a source for a purpose, under any law.
func categoriesOf(matrix Matrix, purpose string, source identity.Organisation) []budgetv1.Category {
	known := map[budgetv1.Category]bool{}
	for _, law := range lawsOf(matrix, purpose, source) {
		for _, c := range matrix.Categories(purpose, source.Kind, law) {
			known[c] = true
		}
	}
	return slices.DeleteFunc(budgetv1.Categories(), func(c budgetv1.Category) bool { return !known[c] })
}

// lawsOf are those about which a source can be asked for a purpose.
func lawsOf(matrix Matrix, purpose string, source identity.Organisation) []string {
	if len(source.Laws) > 0 {
		return source.Laws
	}
	return matrix.Laws(purpose, source.Kind)
}

// grantsOf reads sources and categories. What "*" stands for, all says.
func (s *Service) grantsOf(path string, asked []*ontschotv1.ConsentGrant, all func(identity.Organisation) []budgetv1.Category) ([]consent.Grant, error) {
	var grants []consent.Grant
	for _, one := range asked {
		source, known := s.Organisations.ByCode(one.GetSource())
		if !known {
			return nil, admission.Invalid(path, "names a source that is no party this gateway knows")
		}
		grant := consent.Grant{Source: source.OIN, Categories: []budgetv1.Category{}}
		for _, c := range one.GetCategories() {
			if c == "*" {
				grant.Categories = all(source)
				break
			}
			if !slices.Contains(budgetv1.Categories(), budgetv1.Category(c)) {
				return nil, admission.Invalid(path, "names a category that does not exist")
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
func (s *Service) notice(a asking) (*ontschotv1.ConsentNotice, error) {
	d := a.draft
	group, _ := consent.AgeGroup(d.Born, d.From)
	lapses, _ := d.Lapses()
	n := wording.Notice{
		Controller: s.own().Name, Child: group == consent.From12, Purpose: d.Purpose, Sources: s.sourcesOf(d.Grants),
		From: d.From, Until: d.Until, LapsesOn: lapses, Withdraw: d.Withdraw, RetentionDays: s.retentionOf(d), Officer: s.Officer,
	}
	for _, need := range a.needs {
		n.Signers = append(n.Signers, wording.NoticeSigner{Roles: need.Roles, People: need.People})
	}
	plain := s.worded(wording.Dutch, n)
	subject := hex.EncodeToString(s.Pseudonyms.Of(a.bsn, d.Purpose)[0])
	reference := s.Pseudonyms.Hash("ontschot/notice/1\x00" + subject + "\x00" + d.Case + "\x00" + plain)
	n.Reference = hex.EncodeToString(reference[:16])
	out := &ontschotv1.ConsentNotice{Version: wording.NoticeVersion, TextNl: s.worded(wording.Dutch, n), TextEn: s.worded(wording.English, n)}
	if plain == "" || out.GetTextEn() == "" {
		return nil, consent.ErrPurpose
	}
	out.Sha256Nl, out.Sha256En = wording.NoticeSHA256(out.GetTextNl()), wording.NoticeSHA256(out.GetTextEn())
	return out, nil
}

// retentionOf is for how many days what is asked may be retained, at most.
func (s *Service) retentionOf(d consent.Draft) int {
	longest, matrix := 0, s.Matrix()
	for _, grant := range d.Grants {
		source, _ := s.Organisations.ByOIN(grant.Source)
		for _, law := range lawsOf(matrix, d.Purpose, source) {
			longest = max(longest, matrix.RetentionDays(d.Purpose, source.Kind, law, s.Own, source.OIN))
		}
	}
	return longest
}

// worded is the text for each who reads it: a child and its parents are addressed each
// in their own words, and all sign under the same page.
func (s *Service) worded(lang string, n wording.Notice) string {
	var all []string
	for _, signer := range n.Signers {
		n.Reader = signer.Roles[0]
		text := s.Texts.Notice(lang, n)
		if text == "" {
			return ""
		}
		all = append(all, text)
	}
	return strings.Join(all, "\n"+strings.Repeat("-", 72)+"\n\n")
}

// consentError says which part of a question cannot be so.
func consentError(err error) error {
	if err == nil {
		return nil
	}
	if field, ok := strings.CutPrefix(err.Error(), consent.ErrDocument.Error()+": "); ok && errors.Is(err, consent.ErrDocument) {
		return admission.Invalid("question", "%s", field)
	}
	return err
}
