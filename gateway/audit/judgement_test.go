package audit_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
)

// What a decision says of a consent or an agreement must be what the register said when it
// was judged: a dishonest yes is found, and a dishonest no.
func TestADecisionAgreesWithTheRegister(t *testing.T) {
	const person = "pseudonym of a person"
	subject := base64.RawURLEncoding.EncodeToString([]byte(person))
	for name, c := range map[string]struct {
		judged int64
		pair   audit.PairJudgement
		holds  bool
	}{
		"a yes":                              {2, audit.PairJudgement{Consent: "c-1", Agreement: "a-1"}, true},
		"a yes of before, recorded after":    {2, audit.PairJudgement{Consent: "c-1"}, true},
		"a yes after the withdrawal":         {3, audit.PairJudgement{Consent: "c-1"}, false},
		"a yes by another consent":           {2, audit.PairJudgement{Consent: "c-2"}, false},
		"a yes before it was said":           {0, audit.PairJudgement{Consent: "c-1"}, false},
		"an agreement":                       {3, audit.PairJudgement{Agreement: "a-1"}, true},
		"an agreement that is none":          {3, audit.PairJudgement{Agreement: "c-1"}, false},
		"an agreement of before it was made": {1, audit.PairJudgement{Agreement: "a-1"}, false},
		"withdrawn":                          {3, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "CONSENT_WITHDRAWN"}}}, true},
		"withdrawn before it was":            {2, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "CONSENT_WITHDRAWN"}}}, false},
		"no consent":                         {0, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "NO_CONSENT"}}}, true},
		"no consent, where it was withdrawn": {3, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "NO_CONSENT"}}}, false},
		"no consent to one category":         {2, audit.PairJudgement{Consent: "c-1", Refusals: []audit.Refusal{{Reason: "NO_CONSENT", Categories: []string{"amount"}}}}, true},
		"uncertain, without a loss":          {2, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "CONSENT_UNCERTAIN"}}}, false},
		"another check":                      {2, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "POLICY_DENIED", Code: "ROL-01"}}}, true},
		"two reasons, of which one is false": {2, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "POLICY_DENIED"}, {Reason: "CONSENT_WITHDRAWN"}}}, false},
		"under an older version of the key":  {2, audit.PairJudgement{Subject: "bmV3ZXI", Also: []string{subject}, Consent: "c-1"}, true},
		"by what was not there yet":          {99, audit.PairJudgement{Consent: "c-1"}, false},
		"nothing, by what was not there yet": {4, audit.PairJudgement{}, false},
		"nothing, by less than nothing":      {-1, audit.PairJudgement{}, false},
		"nothing, about nobody":              {2, audit.PairJudgement{Subject: "no base64!"}, false},
		"a consent for an agreement":         {2, audit.PairJudgement{Agreement: "c-1"}, false},
		"an agreement that is not known":     {2, audit.PairJudgement{Agreement: "a-9"}, false},
		"no consent to a law, withdrawn":     {3, audit.PairJudgement{Refusals: []audit.Refusal{{Reason: "NO_CONSENT", Laws: []string{"WMO"}}}}, true},
		"about nobody":                       {2, audit.PairJudgement{Subject: "no base64!", Consent: "c-1"}, false},
		"about somebody else":                {2, audit.PairJudgement{Subject: "b3RoZXI", Consent: "c-1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.append(consent("c-1"))
			b.append(agreement("a-1"))
			b.append(withdrawal("c-1"))
			pair := c.pair
			pair.Source = other
			if pair.Subject == "" {
				pair.Subject = subject
			}
			payload, err := json.Marshal(audit.Judgement{Judged: c.judged, Pairs: []audit.PairJudgement{pair}})
			require.NoError(t, err)
			for _, kind := range []audit.Kind{audit.Decision, audit.Deny} {
				e := decision(b.trace())
				e.Kind, e.Case, e.Payload = kind, []byte("case-c-1"), payload
				b.append(e)
			}
			_, err = b.verify()
			if c.holds {
				require.NoError(t, err)
				return
			}
			var found *audit.TamperError
			require.ErrorAs(t, err, &found)
			require.EqualValues(t, 3, found.Index)
		})
	}
}

// What was not decided by the register says nothing of it, whatever it holds.
func TestWhatIsNoJudgement(t *testing.T) {
	b := newBench(t)
	lie, err := json.Marshal(audit.Judgement{Judged: 99, Pairs: []audit.PairJudgement{{Consent: "c-1"}}})
	require.NoError(t, err)
	for kind, payload := range map[audit.Kind]string{audit.Request: string(lie), audit.Admin: string(lie), audit.Decision: "no JSON", audit.Deny: ""} {
		e := decision(b.trace())
		e.Kind, e.Payload = kind, []byte(payload)
		if payload == "" {
			e.Payload = nil
		}
		b.append(e)
	}
	_, err = b.verify()
	require.NoError(t, err)
}

// An agreement that was replaced, or waits since a loss, carries no yes.
func TestAYesOnAnAgreementThatDoesNotCount(t *testing.T) {
	subject := base64.RawURLEncoding.EncodeToString([]byte("pseudonym of a person"))
	yes := func(judged int64, trace string) audit.Entry {
		payload, err := json.Marshal(audit.Judgement{Judged: judged, Pairs: []audit.PairJudgement{{Subject: subject, Source: other, Agreement: "a-1"}}})
		require.NoError(t, err)
		e := decision(trace)
		e.Payload = payload
		return e
	}
	var found *audit.TamperError
	b := newBench(t)
	b.append(agreement("a-1"))
	next := agreement("a-2")
	next.Put.Replaces, next.End = "a-1", "a-1"
	b.append(next)
	b.append(yes(1, b.trace()))
	_, err := b.verify()
	require.NoError(t, err, "before it was replaced")
	p := b.append(yes(2, b.trace()))
	_, err = b.verify()
	require.ErrorAs(t, err, &found)
	require.Equal(t, p.Index, found.Index)

	l := newLoss(t)
	_, err = audit.Recover(t.Context(), l.config(l.earlier), 0)
	require.NoError(t, err)
	log := l.opened(l.earlier)
	p = l.enter(log, yes(log.Register().Size(), l.trace()))
	log.Close()
	_, err = l.verify(l.earlier)
	require.ErrorAs(t, err, &found)
	require.Equal(t, p.Index, found.Index)
}
