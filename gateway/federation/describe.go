package federation

import (
	"context"
	"slices"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Version of what gateways say to each other.
const Version = 1

// Bounds of Describe, and who is supposed to ask.
const (
	describedAMinute  = 60
	describedMost     = 16
	supposedRole      = "consulent"
	supposedAssurance = ontschotv1.AssuranceSubstantial
)

// Describe says how this gateway stands to the organisation that asks. Its own may ask how it
// stands to another.
func (a *Answerer) Describe(ctx context.Context, r *ontschotv1.DescribeRequest) (*ontschotv1.DescribeResponse, error) {
	by, err := a.Admission.PeerOrOwn(ctx, r)
	if err != nil {
		return nil, err
	}
	if !a.described.Take(string(by), describedAMinute, a.Now().Unix()/60) {
		return nil, admission.ErrDescribed
	}
	other := by
	if by == a.Own {
		other = identity.OIN(r.GetAbout())
	}
	signing := a.Signers.Signer()
	digest, err := signed.Key{Public: signing.Key.Public()}.Digest()
	if err != nil {
		return nil, err
	}
	answer := &ontschotv1.DescribeResponse{
		Versions: []int32{Version}, NowMs: a.Now().UnixMilli(), PolicyRevision: a.Policy.Revision(),
		Signing: &ontschotv1.DescribedKey{Id: signing.KeyID, Digest: digest, State: ontschotv1.KeyInUse}, AdapterReady: a.ready(),
	}
	party, known := a.Organisations.ByOIN(other)
	if !known || other == a.Own {
		return answer, nil
	}
	if answer.Pinned, err = a.pinned(other); err != nil {
		return nil, err
	}
	if answer.Agreements, err = a.agreed(ctx, other); err != nil {
		return nil, err
	}
	if r.GetPurpose() != "" {
		consumer, source := party, a.own
		if by == a.Own {
			consumer, source = a.own, party
		}
		err = a.suppose(ctx, r.GetPurpose(), consumer, source, answer)
	}
	return answer, err
}

// ready reports whether there is an adapter that could be asked.
func (a *Answerer) ready() bool {
	source := a.Source()
	if source == nil {
		return false
	}
	process, is := source.(interface{ PID() int })
	return !is || process.PID() != 0
}

func (a *Answerer) pinned(other identity.OIN) (all []*ontschotv1.DescribedKey, err error) {
	for _, k := range a.Evidence.Keys.Keys(other) {
		if !k.SignsDocuments() {
			continue
		}
		digest, err := k.Digest()
		if err != nil {
			return nil, err
		}
		state := ontschotv1.KeyInUse
		switch {
		case k.Lost:
			state = ontschotv1.KeyLost
		case !k.Retired.IsZero() && !a.Now().Before(k.Retired):
			state = ontschotv1.KeyRetired
		}
		all = append(all, &ontschotv1.DescribedKey{Id: k.ID, Digest: digest, State: state})
	}
	return all, nil
}

// agreed lists the agreements with an organisation, the newest first.
func (a *Answerer) agreed(ctx context.Context, other identity.OIN) (all []*ontschotv1.DescribedAgreement, err error) {
	today := a.Today()
	view := a.Evidence.Documents.Register()
	counting := view.Agreements(a.Own, other, today)
	for _, d := range view.Between(register.Agreement, a.Own, other) {
		if len(all) == describedMost {
			break
		}
		one := &ontschotv1.DescribedAgreement{Id: d.ID, Status: statusOf(d, slices.Contains(counting, d.ID))}
		stored, err := a.Evidence.Documents.Document(ctx, d.ID)
		if err := evidence.Unreadable(err); err != nil {
			return nil, err
		}
		if terms, bad := agreement.Read(stored.Body); err == nil && bad == nil {
			one.TermsSha256 = terms.Digest()
		}
		if _, bad := agreement.Verify(a.Evidence.Keys, stored.Body); bad != nil && one.Status == ontschotv1.StatusInForce {
			one.Status = ontschotv1.StatusUnverifiable
		}
		all = append(all, one)
	}
	return all, nil
}

func statusOf(d register.Record, counts bool) string {
	switch {
	case d.Lost:
		return ontschotv1.StatusUnverifiable
	case !d.Live():
		return ontschotv1.StatusEnded
	case d.Uncertain:
		return ontschotv1.StatusUncertain
	case d.Successor != "":
		return ontschotv1.StatusSuperseded
	case counts:
		return ontschotv1.StatusInForce
	}
	return ontschotv1.StatusExpired
}

// suppose judges a question of one organisation to another about nobody.
func (a *Answerer) suppose(ctx context.Context, purpose string, consumer, source identity.Organisation, answer *ontschotv1.DescribeResponse) error {
	today := a.Today()
	agreed, notAgreed := a.Evidence.Between(ctx, agreement.Use{Consumer: consumer.OIN, Source: source.OIN, Purpose: purpose, Today: today})
	if err := evidence.Unreadable(notAgreed, ctx.Err()); err != nil {
		return err
	}
	passes, gaps := a.Policy.Now().Suppose(ctx, policy.Access{
		Purpose: purpose, Today: today, Requester: consumer.OIN, RequesterKind: consumer.Kind, Source: source.OIN, SourceKind: source.Kind, Laws: source.Laws,
		Agreement: agreed, NotAgreed: notAgreed,
	}, supposedRole, supposedAssurance)
	answer.Passes, answer.Withheld = passes, withheld(gaps)
	return nil
}
