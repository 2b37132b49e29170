package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// standing is what real documents and a real token say of A1 at UWV.
type standing struct {
	agreed, consented       []budgetv1.Category
	notAgreed, notConsented error
	token                   []budgetv1.Category // nil: all
	role, assurance         string
}

func (s standing) access(t testing.TB, f *family.Family) policy.Access {
	q := access(t, f, s.agreed, s.consented, nil)
	if s.notAgreed != nil {
		q.Agreement, q.NotAgreed = agreement.Covering{}, s.notAgreed
	}
	if s.notConsented != nil {
		q.Consent, q.NotConsented = consent.Consent{}, s.notConsented
	}
	keys, err := f.Verifier()
	require.NoError(t, err)
	bearer, err := f.Token(f.Now, func(c *token.Claims) {
		c.Role, c.Assurance = s.role, s.assurance
		if s.token != nil {
			c.Details[0].Categories = []string{}
			for _, one := range s.token {
				c.Details[0].Categories = append(c.Details[0].Categories, string(one))
			}
		}
	})
	require.NoError(t, err)
	q.Caller, err = token.Checker{Keys: keys, Audience: string(f.Requester().OIN), Now: func() time.Time { return f.Now }}.Check(token.Call{Bearer: bearer, Leaf: f.Requester().Client.TLS.Leaf})
	require.NoError(t, err)
	return q
}

// after is what stands when an act was done.
func (s standing) after(t testing.TB, a *budgetv1.WayToYes) standing {
	more := func(list []budgetv1.Category) []budgetv1.Category {
		for _, c := range a.GetCategories() {
			if !slices.Contains(list, budgetv1.Category(c)) {
				list = append(slices.Clone(list), budgetv1.Category(c))
			}
		}
		return list
	}
	switch a.GetAct() {
	case budgetv1.ActToken:
		s.token = more(s.token)
	case budgetv1.ActRole:
		s.role = a.GetRole()
	case budgetv1.ActAssurance:
		s.assurance = a.GetAssurance()
	case budgetv1.ActAgreementPropose, budgetv1.ActAgreementRenew, budgetv1.ActAgreementConfirm, budgetv1.ActAgreementExtend:
		if s.notAgreed != nil {
			s.agreed = nil // another one, for what the way says and no more
		}
		s.agreed, s.notAgreed = more(s.agreed), nil
	case budgetv1.ActConsentAsk, budgetv1.ActConsentRenew, budgetv1.ActConsentConfirm, budgetv1.ActConsentSigner, budgetv1.ActConsentAgain, budgetv1.ActAuthority:
		if s.notConsented != nil {
			s.consented = nil
		}
		s.consented, s.notConsented = more(s.consented), nil
	default:
		t.Fatalf("%v is no act that anybody does here", a)
	}
	return s
}

// needed are those without which an answer of UWV is not whole.
func needed(gap *budgetv1.Gap) []string {
	if len(gap.GetCategories()) > 0 {
		return gap.GetCategories()
	}
	return []string{"entitlement", "product", "period", "income"}
}

// passes reports whether all that a gap is about passes under WIA.
func passes(t testing.TB, engine *policy.Engine, q policy.Access, gap *budgetv1.Gap) bool {
	grant, _ := engine.Decide(t.Context(), q)
	for _, s := range grant.Scopes() {
		if s.GetLaw() == "WIA" {
			return !slices.ContainsFunc(needed(gap), func(c string) bool { return !slices.Contains(s.GetCategories(), c) })
		}
	}
	return false
}

// standings are those in which something is missing, in every combination.
func standings() (all []standing) {
	some := []budgetv1.Category{"entitlement", "product", "period"}
	for _, notAgreed := range []error{nil, agreement.ErrNone, agreement.ErrExpired, agreement.ErrUncertain, agreement.ErrPurpose} {
		for _, notConsented := range []error{nil, consent.ErrNone, consent.ErrWithdrawn, consent.ErrWrongSigner, consent.ErrAuthority, consent.ErrUncertain, consent.ErrExpired, consent.ErrOtherPerson, consent.ErrHousehold} {
			for _, agreed := range [][]budgetv1.Category{everything(), some} {
				for _, consented := range [][]budgetv1.Category{everything(), some} {
					for _, tokens := range [][]budgetv1.Category{nil, some} {
						for _, role := range []string{"consulent", "kwaliteitsmedewerker"} {
							for _, level := range []string{"substantieel", "laag"} {
								all = append(all, standing{agreed, consented, notAgreed, notConsented, tokens, role, level})
							}
						}
					}
				}
			}
		}
	}
	return all
}

// What a gap says turns it, with real documents that hold no more than it says; no part of
// it does; and who has no token for it hears nothing of a consent.
func TestTheWayOfEveryGapTurnsIt(t *testing.T) {
	f, engine := judging(t)
	turned := 0
	for i, s := range standings() {
		if i%7 != 0 { // each document is really signed; in a run of seven no fault is always left out
			continue
		}
		q := s.access(t, f)
		q.Laws = []string{"WIA"}
		_, gaps := engine.Decide(t.Context(), q)
		for _, gap := range gaps {
			about := fmt.Sprintf("%v: %v", s, gap)
			require.NotEmpty(t, gap.GetWay(), about)
			done := s
			for _, a := range gap.GetWay() {
				done = done.after(t, a)
			}
			after := done.access(t, f)
			after.Laws = q.Laws
			if hasAct(gap.GetWay(), budgetv1.ActToken) {
				for _, a := range gap.GetWay() {
					require.NotContains(t, a.GetAct(), "CONSENT", about)
				}
				after.Consent, after.NotConsented = standing{agreed: everything(), consented: everything(), role: "consulent", assurance: "hoog"}.access(t, f).Consent, nil
			}
			require.True(t, passes(t, engine, after, gap), about)
			turned++
			for leave := range gap.GetWay() {
				less := s
				for j, a := range gap.GetWay() {
					if j != leave {
						less = less.after(t, a)
					}
				}
				part := less.access(t, f)
				part.Laws = q.Laws
				require.False(t, passes(t, engine, part, gap), "%s without %d", about, leave)
			}
		}
	}
	require.Greater(t, turned, 100)
}

func hasAct(way []*budgetv1.WayToYes, act string) bool {
	return slices.ContainsFunc(way, func(a *budgetv1.WayToYes) bool { return a.GetAct() == act })
}

// A way is of nobody: that of the same gap of another person is found in the cache.
func TestAWayIsJudgedOnceForEverybody(t *testing.T) {
	f, engine := judging(t)
	s := standing{agreed: everything(), consented: everything(), notConsented: consent.ErrNone, role: "consulent", assurance: "substantieel"}
	q := s.access(t, f)
	_, first := engine.Decide(t.Context(), q)
	before := engine.Judged()
	q.Subject = "somebody else"
	_, second := engine.Decide(t.Context(), q)
	require.Equal(t, written(first), written(second))
	require.LessOrEqual(t, engine.Judged()-before, len(q.Laws), "only the question itself is judged anew")
}

// Who may ask nothing hears who may, and nothing of what others signed.
func TestTheWayToAskIsARole(t *testing.T) {
	f, engine := judging(t)
	for _, c := range []struct {
		role, level string
		want        []*budgetv1.WayToYes
	}{
		{"consulent", "laag", []*budgetv1.WayToYes{{Act: budgetv1.ActAssurance, Assurance: "substantieel"}}},
		{"schoonmaker", "hoog", []*budgetv1.WayToYes{{Act: budgetv1.ActRole, Role: "consulent"}}},
		{"schoonmaker", "laag", []*budgetv1.WayToYes{{Act: budgetv1.ActRole, Role: "consulent"}, {Act: budgetv1.ActAssurance, Assurance: "substantieel"}}},
	} {
		s := standing{role: c.role, assurance: c.level, agreed: everything(), consented: everything(), notConsented: consent.ErrWithdrawn}
		way := engine.WayToAsk(t.Context(), s.access(t, f))
		require.Equal(t, budgetv1.WrittenWay(c.want), budgetv1.WrittenWay(way))
	}
	q := standing{role: "consulent", assurance: "hoog", agreed: everything(), consented: everything()}.access(t, f)
	q.RequesterKind = "BANK"
	require.Equal(t, "NEVER:ROL-01", budgetv1.WrittenWay(engine.WayToAsk(t.Context(), q)))
	q.Purpose = "something.else"
	require.Equal(t, "NEVER:DOEL-01", budgetv1.WrittenWay(engine.WayToAsk(t.Context(), q)))
}
