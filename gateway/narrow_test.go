package gateway_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/token"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// byID takes something out of a consent by its id alone, as it is withdrawn.
func (h *house) byID(id, source, category string) (*ontschotv1.NarrowConsentResponse, error) {
	r := h.less(person{}, id, source, category)
	r.Identifiers = nil
	return h.NarrowConsent(h.municipality().call(), r)
}

// A consent is narrowed as it is withdrawn: its id says enough, in the case of the token. What
// is left is of the same person, through each other change before and after it.
func TestAConsentIsNarrowedByItsID(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	was := h.config.PseudonymKeys[0]
	first, err := h.byID(f.care, "GM0119", "amount")
	require.NoError(t, err)
	head, err := h.GetConsent(h.municipality().call(), &ontschotv1.GetConsentRequest{Id: first.GetReceipt().GetId()})
	require.NoError(t, err)
	require.Equal(t, head.GetReceipt().GetTextEn(), first.GetReceipt().GetTextEn())
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	require.True(t, withoutAmount(b))
	require.NotEmpty(t, disclosed(b, [2]string{"P", "GM0119"}), "the rest of it is still of the person")
	require.Greater(t, b.GetReceipt().GetIndex(), first.GetIndex())

	// Under another key for pseudonyms, and then again with the number.
	h.rekeyed(bytes.Repeat([]byte{7}, 32), was)
	second, err := h.byID(first.GetReceipt().GetId(), "CAK", "*")
	require.NoError(t, err)
	require.Greater(t, second.GetIndex(), b.GetReceipt().GetIndex())
	third, err := h.NarrowConsent(h.municipality().call(), h.less(f.p, second.GetReceipt().GetId(), "SVB", "*"))
	require.NoError(t, err)
	last := third.GetReceipt().GetId()
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(f.p, "CAK"))
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(f.p, "SVB"))
	require.Empty(t, h.why(f.p, "GM0119"))

	// Of another case, of another person, with no number where one stands, of nothing.
	other := h.less(f.q, last, "GM0119", "period")
	_, err = h.NarrowConsent(h.municipality().call(), other)
	require.Equal(t, "OTHER_PERSON", reasonOf(err))
	other = h.less(f.p, last, "GM0119", "period")
	other.Identifiers = &budgetv1.Identifiers{}
	_, err = h.NarrowConsent(h.municipality().call(), other)
	require.Equal(t, "INVALID_FIELD", reasonOf(err))
	other.Identifiers = nil
	_, err = h.NarrowConsent(h.worker(func(c *token.Claims) { c.Case = "another" }).call(), other)
	require.Equal(t, budgetv1.ReasonOtherHousehold, reasonOf(err))
	_, err = h.byID(f.care, "GM0119", "period")
	require.Equal(t, "DOCUMENT_REPLACED", reasonOf(err), "another has come in its place")

	end := h.withdraw(f.care)
	require.Equal(t, end, h.ended(last), "a withdrawal ends all that followed")
	_, err = h.byID(last, "GM0119", "period")
	require.Equal(t, "DOCUMENT_ENDED", reasonOf(err))
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(f.p, "GM0119"))
	h.verify()
}

// A consent that has ended before it is given says nothing to anybody: neither text nor receipt.
func TestAConsentThatIsOverIsNotAskedFor(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	yes := h.yes(p, "", all("GM0119")...)
	for from, ok := range map[string]bool{
		(h.Today().AddMonths(-12)).String():     false, // its last day was yesterday
		(h.Today().AddMonths(-12) + 1).String(): true,
		(h.Today().AddMonths(-30)).String():     false,
	} {
		yes.Question.From, yes.Question.Person = from, p.message()
		_, err := h.AskConsent(h.municipality().call(), &ontschotv1.AskConsentRequest{Question: yes.GetQuestion()})
		if ok {
			require.NoError(t, err, from)
			continue
		}
		require.Equal(t, "INVALID_FIELD", reasonOf(err), from)
		require.Equal(t, "question.from", metadataOf(err)["field"], from)
		yes.Question.Person = p.message()
		_, err = h.GiveConsent(h.municipality().call(), yes)
		require.Equal(t, "question.from", metadataOf(err)["field"], from)
	}
	yes.Question.From, yes.Question.Until, yes.Question.Person = (h.Today() - 30).String(), (h.Today() - 1).String(), p.message()
	_, err := h.AskConsent(h.municipality().call(), &ontschotv1.AskConsentRequest{Question: yes.GetQuestion()})
	require.Equal(t, "INVALID_FIELD", reasonOf(err))
}
