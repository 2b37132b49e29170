package family

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Token mints an access token for the requester's system. change may spoil it, for
// tests.
func (f *Family) Token(now time.Time, change func(*token.Claims)) (string, error) {
	return MintToken(f.Requester().Token, f.Requester().Client.TLS.Leaf, f.CaseCommitment, f.Case.Purpose, now, change)
}

// MintToken mints an access token of five minutes, bound to a certificate.
func MintToken(by signed.Signer, leaf *x509.Certificate, caseCommitment, purpose string, now time.Time, change func(*token.Claims)) (string, error) {
	claims := token.Claims{
		Issuer: by.Issuer, Subject: "case-worker-1", Client: "case-system", Audience: string(by.Issuer), Organisation: by.Issuer,
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(300 * time.Second).Unix(), ID: newID(),
		Confirmation: token.Confirmation{X5T: token.Thumbprint(leaf)},
		Case:         caseCommitment,
		Role:         "consulent", Assurance: ontschotv1.AssuranceSubstantial,
		Details: []token.Detail{{
			Type: "ontschot", Purposes: []string{purpose, ontschotv1.PurposeAccountForBudget, ontschotv1.PurposeRegisterDocuments, ontschotv1.PurposeKeepConsents, ontschotv1.PurposeSignAgreements, ontschotv1.PurposeEvaluatePolicy},
			Sources: []string{"*"}, Categories: []string{"*"},
		}},
	}
	if change != nil {
		change(&claims)
	}
	raw, err := by.Compact(signed.Token, claims)
	return string(raw), err
}

// Auditor is the kind of a party whom every agreement names as auditor. It is no source.
const Auditor = "AUDITOR"

func (f *Family) auditors() []identity.OIN {
	list := []identity.OIN{}
	for _, p := range f.Case.Parties {
		if p.Kind == Auditor {
			list = append(list, p.OIN)
		}
	}
	return list
}

// Agreement between the requester and another party, in force over the window and
// today. change may spoil the terms; signers nil means both parties.
func (f *Family) Agreement(source string, change func(*agreement.Terms), signers ...signed.Signer) ([]byte, error) {
	consumer, other := f.Requester(), f.Parties[source]
	terms := agreement.Terms{
		Version: 1, ID: newID(), ProposedAt: f.Now.Unix(),
		Parties: []agreement.Party{{OIN: consumer.OIN, Role: "consumer"}, {OIN: other.OIN, Role: "source"}},
		Grants: []agreement.Grant{{
			Consumer: consumer.OIN, Source: other.OIN, Purposes: []string{f.Case.Purpose}, Categories: names(budgetv1.Categories()),
			LegalBasis: f.LegalBasis, Assurance: ontschotv1.AssuranceSubstantial, RetentionDays: 90, MaxAgeDays: 30, RatePerMinute: 1000000,
		}},
		Finance:   agreement.Finance{Settlement: "payment stays where it is (SVB); nobody pre-finances", CostShare: "each party its own costs"},
		Oversight: agreement.Oversight{Auditors: f.auditors(), DPIA: hash("DPIA"), BreachContact: "fg@" + consumer.Code + ".example", Witnesses: 0},
		Sunset:    "when the legal basis ends every right returns to its own law",
		From:      min(f.Case.Window.From.Date, f.Case.Today.Date).String(),
		Until:     max(f.Case.Window.To.Date, f.Case.Today.Date).String(),
	}
	if change != nil {
		change(&terms)
	}
	if signers == nil {
		signers = []signed.Signer{consumer.Sign, other.Sign}
	}
	return signed.Together(signed.Agreement, terms, signers...)
}

// Consent registers a consent of the case with its keeper, ready to be presented to
// the gateway. change may spoil the claims.
func (f *Family) Consent(c casefile.Consent, change func(*consent.Claims)) (*ontschotv1.RegisterRequest, string, error) {
	member, _ := f.Case.Member(c.Person)
	bsn, err := identity.ParseBSN(member.BSN)
	if err != nil {
		return nil, "", err
	}
	grants, err := f.grants(c)
	if err != nil {
		return nil, "", err
	}
	keeper := f.Requester()
	draft := consent.Draft{
		Keeper: keeper.OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment, Grants: grants,
		Controller: keeper.OIN, Recipients: []identity.OIN{keeper.OIN},
		Basis: consent.Basis{AVG6: "6-1-e", AVG9: "9-2-a", National: "Wmo 2015 5.2.5"},
		From:  c.From.Date, Until: c.Until.Date, Born: member.Born.Date,
		Notice: consent.Notice{Version: "1", SHA256: hash("notice 1")}, Withdraw: "https://localhost/withdraw",
	}
	f.signers(&draft, member, c)
	claims, out, err := draft.Write(bsn, f.Now) // not Issue: a case may hold a consent that does not count
	if err != nil {
		return nil, "", err
	}
	if change != nil {
		change(&claims)
	}
	raw, err := keeper.Sign.Compact(signed.Consent, claims)
	pseudonym := bsn.Pseudonym(keeper.PseudonymKey, keeper.OIN, f.Case.Purpose)
	return &ontschotv1.RegisterRequest{Document: raw, Disclosures: out.Disclosures, SubjectKey: out.SubjectKey, Pseudonym: pseudonym[:]}, claims.ID, err
}

// grants gives one grant per source. "*" is expanded here, when it is signed, to
// the categories of the purpose.
func (f *Family) grants(c casefile.Consent) ([]consent.Grant, error) {
	categories := []budgetv1.Category{}
	for _, name := range c.Categories {
		if name == "*" {
			var err error
			if categories, err = purposeCategories(f.Case.Purpose); err != nil {
				return nil, err
			}
			break
		}
		if !slices.Contains(budgetv1.Categories(), budgetv1.Category(name)) {
			return nil, fmt.Errorf("%w: consent of %s: category %q is not one of %v", casefile.ErrCase, c.Person, name, budgetv1.Categories())
		}
		categories = append(categories, budgetv1.Category(name))
	}
	var grants []consent.Grant
	for _, code := range slices.Compact(slices.Sorted(slices.Values(c.Sources))) {
		grants = append(grants, consent.Grant{Source: f.Parties[code].OIN, Categories: categories})
	}
	return grants, nil
}

// purposeCategories are those the policy knows for the purpose; all there are for a
// purpose that it does not know.
func purposeCategories(purpose string) ([]budgetv1.Category, error) {
	matrix, err := wording.ReadMatrix(policies.FS)
	if err != nil {
		return nil, err
	}
	known := []budgetv1.Category{}
	for _, name := range matrix.Categories(purpose) {
		known = append(known, budgetv1.Category(name))
	}
	if len(known) == 0 {
		return budgetv1.Categories(), nil
	}
	return known, nil
}

// signers writes who signed in which role, a gemachtigde on a mandate for all of it, and
// what the registers say of authority on the day the consent was given.
func (f *Family) signers(draft *consent.Draft, m casefile.Member, c casefile.Consent) {
	day := c.From.Date
	authority, until := f.Case.AuthorityOn(m.Ref, day)
	holders := authority.Holders
	draft.Authority = consent.Authority{Kind: authority.Kind, Holders: len(holders), LookedUp: day.String(), Until: until.String()}
	once := newID()
	for i, signer := range c.Signers {
		s := consent.Signature{Role: role(m.Ref, signer, holders, draft.Authority.Kind), Proof: consent.Proof{Kind: ontschotv1.ProofDigiD, LOA: ontschotv1.AssuranceSubstantial, Hash: hash("assertion of " + string(signer) + once)}}
		if s.Role == ontschotv1.SignerProxy {
			s.Mandate = &consent.Mandate{Document: hash("mandate of " + string(m.Ref) + once), Scope: []string{draft.Purpose}, Until: draft.Until.String()}
		}
		if i == 0 {
			draft.GivenBy = s
			continue
		}
		draft.CoGivenBy = append(draft.CoGivenBy, s)
	}
}

func role(person, signer identity.PersonRef, holders []identity.PersonRef, kind string) string {
	switch {
	case signer == person:
		return ontschotv1.SignerSelf
	case !slices.Contains(holders, signer):
		return ontschotv1.SignerRelative // no authority that a register knows
	}
	switch kind {
	case "Voogdij":
		return ontschotv1.SignerGuardian
	case "Curatele":
		return ontschotv1.SignerCurator
	case "Mentorschap":
		return ontschotv1.SignerMentor
	case "Bewind":
		return ontschotv1.SignerAdministrator
	case "Volmacht", "Machtiging":
		return ontschotv1.SignerProxy
	default:
		return ontschotv1.SignerParent
	}
}

// Withdrawal of a consent, by its keeper.
func (f *Family) Withdrawal(consentID string) (*ontschotv1.RegisterRequest, error) {
	raw, err := f.Requester().Sign.Compact(signed.Statement, consent.Withdrawal{
		Issuer: f.Requester().OIN, ID: newID(), IssuedAt: f.Now.Unix(), Act: "withdraw", Consent: consentID,
	})
	return &ontschotv1.RegisterRequest{Document: raw}, err
}

// document of the case; an agreement is with another party.
type document struct {
	request *ontschotv1.RegisterRequest
	with    string
}

// documents are all documents of the case, in the order in which a gateway takes
// them: agreements, consents, withdrawals that were made on or before today.
func (f *Family) documents() ([]document, error) {
	var all, withdrawals []document
	for _, p := range f.Case.Parties {
		if p.Code == f.Case.Requester {
			continue // its own source needs no agreement with itself
		}
		raw, err := f.Agreement(p.Code, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, document{&ontschotv1.RegisterRequest{Document: raw}, p.Code})
	}
	for _, c := range f.Case.Consents {
		doc, id, err := f.Consent(c, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, document{request: doc})
		if !c.Withdrawn.IsZero() && c.Withdrawn.Date <= f.Case.Today.Date {
			w, err := f.Withdrawal(id)
			if err != nil {
				return nil, err
			}
			withdrawals = append(withdrawals, document{request: w})
		}
	}
	return append(all, withdrawals...), nil
}

func names(cs []budgetv1.Category) []string {
	out := []string{}
	for _, c := range cs {
		out = append(out, string(c))
	}
	return out
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
