// Package careoffice answers: what does a care office (zorgkantoor) award under
// the Wet langdurige zorg? The money is in its award messages (iPgb 501); what it
// is for is in the registers of the iWlz network (GraphQL), which hold no euros.
package careoffice

import (
	"context"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/message"
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
func (*Adapter) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "careoffice", Version: "1.0.0",
		Laws:        []string{"WLZ"},
		Categories:  []string{"entitlement", "product", "period", "amount", "reference"},
		Identifiers: []string{"bsn"},
	}
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
	reg, err := registers(ctx, src, bsn, r)
	if err != nil {
		return err
	}
	found, err := message.Ask(ctx, src, message.Search{
		BSN: bsn, Kinds: []message.Kind{message.Award}, Awards: []string{"Wlz"},
	})
	if err != nil {
		return err
	}
	reader := message.Reader{BSN: bsn, Party: src.Party(), Ours: src.Ours, Product: reg.product}
	for _, f := range found {
		if err := reader.Read(f, out); err != nil {
			return err
		}
	}
	reg.rest(out)
	return nil
}

// registers asks the two registers, each only for a category that it serves: the
// care profile is the product, the number of the indication is the reference.
func registers(ctx context.Context, src *source.Source, bsn adapters.BSN, r *budgetv1.FetchRequest) (*register, error) {
	granted := adapters.Granted(r, "WLZ")
	reg := &register{bsn: bsn.Reveal(), ours: src.Ours}
	n := network{source: src, bsn: bsn.Reveal(), trace: r.GetTrace()}
	if slices.Contains(granted, budgetv1.CategoryProduct) {
		raw, err := n.ask(ctx, mediationQuery())
		if err != nil {
			return nil, err
		}
		if err := reg.readMediations(raw); err != nil {
			return nil, err
		}
	}
	if slices.Contains(granted, budgetv1.CategoryReference) {
		raw, err := n.ask(ctx, indicationQuery())
		if err != nil {
			return nil, err
		}
		if err := reg.readIndications(raw); err != nil {
			return nil, err
		}
	}
	return reg, nil
}
