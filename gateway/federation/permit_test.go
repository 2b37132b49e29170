package federation_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// A question through both gateways comes out, and stands in both logs under one trace.
func TestAQuestionBetweenTwoGateways(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	b := w.composed(p)
	require.Empty(t, gaps(b))
	require.True(t, b.GetComplete())
	require.Len(t, b.GetLines(), 1)
	s, err := w.trust().Verify(b.GetSources()[0].GetDisclosure(), w.source.party.OIN, w.asker.party.OIN)
	require.NoError(t, err)
	require.Equal(t, w.source.config.Policy.Revision(), s.PolicyRevision)
	require.EqualValues(t, 90, s.RetentionDays)

	here, there := w.asker.record.about(s.Trace), w.source.record.about(s.Trace)
	for _, entries := range [][]audit.Entry{here, there} { // one trace, in both
		require.Len(t, entries, 2)
		require.Equal(t, audit.Decision, entries[0].Kind)
		require.Equal(t, audit.Release, entries[1].Kind)
	}
	require.Equal(t, "disclosed", there[1].Status)
	require.Equal(t, s.Decision, there[1].Decided)
	require.NotEqual(t, here[0].Subjects, there[0].Subjects, "no two organisations have the same pseudonym")
	require.Equal(t, judgement(t, here[0]).Consent, judgement(t, there[0]).Presented)
	require.EqualValues(t, 1, w.asker.verify().Kinds[audit.Release])
	require.EqualValues(t, 1, w.source.verify().Kinds[audit.Release])
	require.Empty(t, w.behind.last.GetProofs().GetPermit(), "permit and salt are not for the system behind it")
	require.Empty(t, w.behind.last.GetProofs().GetSalt())
}

// stranger is an organisation that both gateways know, and that has nothing to do with it.
func stranger() casefile.Organisation {
	return casefile.Organisation{Code: "ZK9999", OIN: "00000099000999900000", Kind: "CARE_OFFICE", Name: "Zorgkantoor Elders", Laws: []string{"WLZ"}}
}

// A permit that is not exactly right lets nothing pass, and nobody behind it is asked.
func TestAPermitIsForOneQuestion(t *testing.T) {
	w := newTwo(t, options{more: []casefile.Organisation{stranger()}})
	p, other := w.person("P"), w.person("Q")
	w.give(p, "")
	w.give(other, "")
	q, others := w.question(p), w.question(other)
	foreign := w.family.Parties["ZK9999"]
	forger, _, _, err := family.NewSigningKey(w.asker.party.OIN, family.SignKeyID)
	require.NoError(t, err)
	ago := func(at, life time.Duration) func(*token.PermitClaims) {
		return func(c *token.PermitClaims) {
			c.IssuedAt = w.now().Add(-at).Unix()
			c.Expires = c.IssuedAt + int64(life/time.Second)
		}
	}
	for name, c := range map[string]struct {
		want   string
		change func(*token.PermitClaims)
		by     []signed.Signer
	}{
		"forged":                     {"TOKEN_INVALID", nil, []signed.Signer{forger}},
		"by the key for tokens":      {"TOKEN_INVALID", nil, []signed.Signer{w.asker.party.Token}},
		"by the key of the source":   {"TOKEN_INVALID", nil, []signed.Signer{w.source.party.Sign}},
		"by the key of another":      {"TOKEN_INVALID", nil, []signed.Signer{foreign.Sign}},
		"of another issuer":          {"TOKEN_NOT_BOUND", func(c *token.PermitClaims) { c.Issuer = foreign.OIN }, []signed.Signer{foreign.Sign}},
		"of the source itself":       {"TOKEN_NOT_BOUND", func(c *token.PermitClaims) { c.Issuer = w.source.party.OIN }, []signed.Signer{w.source.party.Sign}},
		"for another source":         {"TOKEN_AUDIENCE", func(c *token.PermitClaims) { c.Audience = foreign.OIN }, nil},
		"for nobody":                 {"TOKEN_AUDIENCE", func(c *token.PermitClaims) { c.Audience = "" }, nil},
		"to another certificate":     {"TOKEN_NOT_BOUND", func(c *token.PermitClaims) { c.Confirmation.X5T = token.Thumbprint(w.asker.party.Client.TLS.Leaf) }, nil},
		"to no certificate":          {"TOKEN_NOT_BOUND", func(c *token.PermitClaims) { c.Confirmation.X5T = "" }, nil},
		"for another purpose":        {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Purpose = "integral_budget.account" }, nil},
		"for another consent":        {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Consent = strings.Repeat("A", 43) }, nil},
		"for another question":       {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Request = strings.Repeat("A", 43) }, nil},
		"for no question":            {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Request = "" }, nil},
		"by another agreement":       {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Agreement = newID() }, nil},
		"in another case":            {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Case = strings.Repeat("A", 43) }, nil},
		"in another role":            {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Role = "regisseur" }, nil},
		"with more assurance":        {"PERMIT_INVALID", func(c *token.PermitClaims) { c.Assurance = "hoog" }, nil},
		"expired":                    {"PERMIT_TIME", ago(14*time.Second, 10*time.Second), nil},
		"of a time to come":          {"PERMIT_TIME", ago(-5*time.Second, 10*time.Second), nil},
		"that lives too long":        {"TOKEN_INVALID", ago(0, 11*time.Second), nil},
		"that lives for ever":        {"TOKEN_INVALID", func(c *token.PermitClaims) { c.Expires = 1 << 62 }, nil},
		"that ended as it began":     {"TOKEN_INVALID", ago(0, 0), nil},
		"that ended before it began": {"TOKEN_INVALID", func(c *token.PermitClaims) { c.Expires = c.IssuedAt - 1<<62 }, nil},
		"of no time":                 {"TOKEN_INVALID", func(c *token.PermitClaims) { c.IssuedAt, c.Expires = 0, 9 }, nil},
		"before time":                {"TOKEN_INVALID", func(c *token.PermitClaims) { c.IssuedAt, c.Expires = -1<<62, w.now().Unix() }, nil},
		"without an id":              {"TOKEN_INVALID", func(c *token.PermitClaims) { c.ID = "" }, nil},
		"with an id of its own":      {"TOKEN_INVALID", func(c *token.PermitClaims) { c.ID = "1" }, nil},
	} {
		w.refused(c.want, w.permitted(q, c.change, c.by...), name)
	}
	w.refused("PERMIT_INVALID", swap(q, others, func(into, from *budgetv1.FetchRequest) { into.Proofs.Consent = from.Proofs.Consent }), "another consent")
	w.refused("PERMIT_INVALID", swap(q, others, func(into, from *budgetv1.FetchRequest) { into.Proofs.Disclosure = from.Proofs.Disclosure }), "another disclosure")
	w.refused("PERMIT_INVALID", swap(q, others, func(into, from *budgetv1.FetchRequest) { into.Identifiers = from.Identifiers }), "another person")
	w.refused("PERMIT_INVALID", swap(q, others, func(into, from *budgetv1.FetchRequest) {
		into.Identifiers, into.Proofs.SubjectKey = from.Identifiers, from.Proofs.SubjectKey
	}), "another person, with the key")
	w.refused("TOKEN_MISSING", swap(q, q, func(into, _ *budgetv1.FetchRequest) { into.Proofs.Permit = "" }), "none")
	w.refused("PERMIT_INVALID", swap(q, others, func(into, from *budgetv1.FetchRequest) { into.Proofs.Permit = from.Proofs.Permit }), "that of another question")
	a, err := w.put(q) // none of that used it up
	require.NoError(t, err)
	require.Len(t, a.GetLines(), 1)
	w.source.verify()
}

// swap gives a copy of a question in which something is of another one.
func swap(q, from *budgetv1.FetchRequest, do func(into, from *budgetv1.FetchRequest)) *budgetv1.FetchRequest {
	q = proto.CloneOf(q)
	do(q, proto.CloneOf(from))
	return q
}

// The subject key is not in the hash: it opens the consent of that person, or nothing.
func TestAnotherSubjectKeyOpensNothing(t *testing.T) {
	w := newTwo(t, options{})
	p, other := w.person("P"), w.person("Q")
	w.give(p, "")
	w.give(other, "")
	q := w.question(p)
	q.Proofs.SubjectKey = w.question(other).GetProofs().GetSubjectKey()
	w.refused("NO_CONSENT", q)
	require.Equal(t, audit.Deny, w.source.record.last().Kind)
}

// Whatever is changed in a question after its permit was written, in whichever field, the
// permit is not for it.
func TestAPermitCoversEveryField(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	q.Identifiers.EducationNumber, q.Identifiers.PassNumber = "", ""
	q.Scopes[0].Masks = map[string]string{"reference": "exists"}
	q = w.permitted(q, nil)
	var malformed []string
	changed := 0
	each(q.ProtoReflect(), "", func(path string, change func(protoreflect.Message)) {
		switch path {
		case "proofs.permit": // that is another permit
			return
		case "proofs.subject_key": // it opens what the permit names, or nothing
			return
		}
		other := proto.CloneOf(q)
		change(other.ProtoReflect())
		require.False(t, proto.Equal(q, other), path)
		before := w.behind.asked.Load()
		_, err := w.put(other)
		require.Equal(t, before, w.behind.asked.Load(), path)
		if changed++; reason(err) == "INVALID_FIELD" { // before the permit is looked at
			malformed = append(malformed, path)
			return
		}
		require.Equal(t, "PERMIT_INVALID", reason(err), path)
	})
	require.Equal(t, []string{"identifiers less", "window less", "scopes less", "proofs less", "requester"}, malformed)
	require.Equal(t, 25, changed)
	a, err := w.put(q)
	require.NoError(t, err)
	require.Len(t, a.GetLines(), 1)
}

// each visits every field there is in a message of this type, those in it too, with a change
// to another value that keeps to the form as far as that is known.
func each(m protoreflect.Message, at string, visit func(path string, change func(protoreflect.Message))) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		path := at + string(f.Name())
		within := func(change func(protoreflect.Message)) func(protoreflect.Message) {
			return func(root protoreflect.Message) { change(reach(root, at)) }
		}
		switch {
		case f.IsMap():
			visit(path, within(func(m protoreflect.Message) {
				m.Mutable(f).Map().Set(protoreflect.ValueOfString("amount").MapKey(), protoreflect.ValueOfString("exists"))
			}))
		case f.IsList() && f.Message() != nil:
			visit(path, within(func(m protoreflect.Message) {
				list := m.Mutable(f).List()
				list.Append(protoreflect.ValueOfMessage(proto.Clone(list.Get(0).Message().Interface()).ProtoReflect()))
			}))
			visit(path+" less", within(func(m protoreflect.Message) { m.Clear(f) }))
			if m.Get(f).List().Len() > 0 {
				each(m.Get(f).List().Get(0).Message(), path+".", visit)
			}
		case f.IsList():
			visit(path, within(func(m protoreflect.Message) {
				m.Mutable(f).List().Append(protoreflect.ValueOfString(map[bool]string{true: "ZVW", false: "income"}[f.Name() == "laws"]))
			}))
		case f.Message() != nil:
			visit(path+" less", within(func(m protoreflect.Message) { m.Clear(f) }))
			each(m.Get(f).Message(), path+".", visit)
		default:
			visit(path, within(func(m protoreflect.Message) { m.Set(f, another(f, m.Get(f))) }))
		}
	}
}

// reach gives the message at a path; of a list, its first.
func reach(m protoreflect.Message, path string) protoreflect.Message {
	for name := range strings.SplitSeq(strings.TrimSuffix(path, "."), ".") {
		if name == "" {
			continue
		}
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f.IsList() {
			m = m.Mutable(f).List().Get(0).Message()
		} else {
			m = m.Mutable(f).Message()
		}
	}
	return m
}

// another value of a field; of a text, one of the same form.
func another(f protoreflect.FieldDescriptor, v protoreflect.Value) protoreflect.Value {
	if f.Kind() == protoreflect.BytesKind {
		b := append([]byte{}, v.Bytes()...)
		b[len(b)-1] ^= 1
		return protoreflect.ValueOfBytes(b)
	}
	text := v.String()
	if day, err := civil.Parse(text); err == nil {
		if f.Name() == "from" {
			return protoreflect.ValueOfString((day - 1).String())
		}
		return protoreflect.ValueOfString((day + 1).String())
	}
	switch f.Name() {
	case "law":
		return protoreflect.ValueOfString("ZVW")
	case "bsn":
		return protoreflect.ValueOfString(bsn(99))
	case "trace":
		return protoreflect.ValueOfString("ab" + text[2:])
	case "education_number":
		return protoreflect.ValueOfString("100000009")
	}
	return protoreflect.ValueOfString(text + "x")
}

// A permit is used once: in a row, by many at a time, and after a restart.
func TestAPermitIsUsedOnce(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	_, err := w.put(q)
	require.NoError(t, err)
	w.refused("PERMIT_USED", q)
	last := w.source.record.last()
	require.Equal(t, []any{audit.Deny, "permit_used", q.GetTrace()}, []any{last.Kind, last.Status, last.Trace})

	w.source.restart()
	w.refused("PERMIT_USED", q, "after a restart")

	q, used, passed := w.question(p), 0, 0
	asked := w.behind.asked.Load()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			_, err := w.put(q)
			mu.Lock()
			defer mu.Unlock()
			switch reason(err) {
			case "":
				passed++
			case "PERMIT_USED":
				used++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, []int{1, 63}, []int{passed, used})
	require.Equal(t, asked+1, w.behind.asked.Load())
	require.EqualValues(t, 2, w.source.verify().Kinds[audit.Release])
	require.EqualValues(t, 65, w.source.verify().Kinds[audit.Deny])
}

// What was refused has used its permit too: a question is not tried until it passes.
func TestARefusalUsesThePermitToo(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	key := q.Proofs.SubjectKey
	q.Proofs.SubjectKey = make([]byte, 32)
	w.refused("NO_CONSENT", q)
	q.Proofs.SubjectKey = key
	w.refused("PERMIT_USED", q)
}

// A permit that was moved to another connection is bound to the first: that of another
// certificate of the same organisation, and that of another organisation.
func TestAPermitIsForOneConnection(t *testing.T) {
	w := newTwo(t, options{more: []casefile.Organisation{stranger()}})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	over := func(party *family.Organisation, leaf family.Leaf) string {
		c, err := server.NewPeer(w.source.addr, w.holder(party, leaf), w.source.party.OIN)
		require.NoError(t, err)
		defer c.Close()
		_, err = w.putOver(c, q)
		return reason(err)
	}
	require.Equal(t, "TOKEN_NOT_BOUND", over(w.asker.party, w.asker.party.Client))
	require.Equal(t, "INVALID_FIELD", over(w.family.Parties["ZK9999"], w.family.Parties["ZK9999"].Server), "it is not the requester")
	require.Equal(t, "UNKNOWN_PEER", over(w.source.party, w.source.party.Client), "and nobody asks itself")
	require.Zero(t, w.behind.asked.Load())
}

// Every kind of document there is, signed by the right key for that kind, is no permit.
func TestNoOtherKindIsAPermit(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	for _, kind := range []signed.Kind{signed.Token, signed.Consent, signed.Agreement, signed.Statement, signed.Result} {
		signer := w.asker.party.Sign
		if kind == signed.Token {
			signer = w.asker.party.Token
		}
		q := w.permitted(q, nil)
		var c token.PermitClaims
		require.NoError(t, signed.Unverified(signed.Permit, []byte(q.Proofs.Permit), &c))
		raw, err := signer.Compact(kind, c)
		require.NoError(t, err)
		q.Proofs.Permit = string(raw)
		w.refused("TOKEN_INVALID", q, fmt.Sprint(kind))
	}
	access, err := w.family.Token(w.now(), nil)
	require.NoError(t, err)
	q.Proofs.Permit = access
	w.refused("TOKEN_INVALID", q, "an access token")
	q.Proofs.Permit = q.Proofs.Consent
	w.refused("TOKEN_INVALID", q, "the consent")
}

// The clock of the other may be two seconds off, and no more.
func TestClocksMayDifferALittle(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	now := w.now().Unix()
	fixed := time.Unix(now, 0)
	check := func(at int64) error {
		k := w.source.config.Tokens
		k.Now = func() time.Time { return fixed }
		q := w.permitted(w.question(p), func(c *token.PermitClaims) { c.IssuedAt, c.Expires = now+at, now+at+10 })
		var c token.PermitClaims
		require.NoError(t, signed.Unverified(signed.Permit, []byte(q.Proofs.Permit), &c))
		_, _, err := k.Permit(token.PermitCall{
			Permit: q.Proofs.Permit, Leaf: w.wire.to.Certificate(), Issuer: w.asker.party.OIN, Purpose: c.Purpose, Consent: c.Consent, Request: c.Request,
		})
		return err
	}
	for at, want := range map[int64]error{-13: token.ErrPermitTime, -12: nil, 0: nil, 2: nil, 3: token.ErrPermitTime} {
		require.ErrorIs(t, check(at), want, "%d", at)
	}
}
