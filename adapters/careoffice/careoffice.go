// Package careoffice answers: what does a care office (zorgkantoor) grant under
// the Wet langdurige zorg? The money is in its award messages (iPgb 501); that there is a
// right, and how the care is delivered, is in the registers of the iWlz network
// (GraphQL), which hold no euros.
package careoffice

import (
	"context"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of a care office.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a token and a certificate, as the iWlz network asks.
func New() adapters.Adapter {
	return &Adapter{source.Hold(source.Needs{Token: true, Certificate: true})}
}

// Describe implements adapters.Adapter.
func (a *Adapter) Describe() *adapterv1.DescribeResponse {
	return a.Takes(&adapterv1.DescribeResponse{
		Id: "careoffice", Version: "1.1.0",
		Laws:        []string{"WLZ"},
		Categories:  []string{"entitlement", "product", "period", "amount", "reference"},
		Identifiers: []string{"bsn"},
	})
}

// Fetch implements adapters.Adapter.
func (a *Adapter) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	src, err := a.Source()
	if err != nil {
		return err
	}
	bsn, err := adapters.TakeBSN(r)
	if err != nil {
		return err
	}
	if len(adapters.Asked(r, "WLZ")) == 0 {
		return nil
	}
	n := network{source: src, bsn: bsn, trace: r.GetTrace()}
	mediation, indication := queries(r)
	var mediations, indications []byte
	var awards []message.Found
	err = source.Together(ctx,
		func(ctx context.Context) (err error) { mediations, err = n.ask(ctx, mediation); return err },
		func(ctx context.Context) (err error) { indications, err = n.ask(ctx, indication); return err },
		func(ctx context.Context) (err error) {
			awards, err = message.Ask(ctx, src, message.Search{BSN: bsn, Kinds: []message.Kind{message.AwardWlz}})
			return err
		},
	)
	if err != nil {
		return err
	}
	reg := &register{bsn: bsn, party: src.Party(), ours: src.Ours, out: out}
	if err := reg.read(mediation, mediations, reg.readMediations); err != nil {
		return err
	}
	if err := reg.read(indication, indications, reg.readIndications); err != nil {
		return err
	}
	return message.Reader{BSN: bsn, Party: src.Party(), Ours: src.Ours}.Read(awards, out)
}

// queries are those to the two registers: how the care is delivered, and that it was
// indicated. The profile is asked only when it may pass whole.
func queries(r *budgetv1.FetchRequest) (mediation, indication query) {
	granted := adapters.Granted(r, budgetv1.LawWLZ)
	profile := slices.Contains(granted, budgetv1.CategoryProduct) &&
		adapters.Masks(r, budgetv1.LawWLZ).Of(budgetv1.CategoryProduct) == budgetv1.MaskNone
	return mediationQuery(profile), indicationQuery(profile, slices.Contains(granted, budgetv1.CategoryReference))
}

// read takes the records out of an answer and reads them.
func (reg *register) read(q query, raw []byte, records func([]native.Node) error) error {
	found, err := q.records(raw, reg.out)
	if err != nil {
		return err
	}
	return records(found)
}
