// Package insurer answers: which personal budget for nursing and care does a
// health insurer award (Zvw-pgb, Zorgverzekeringswet article 13a)? There is no
// national interface; this one is of an insurer that offers REST, with amounts
// and dates as Dutch letters have them.
package insurer

import (
	"context"
	"encoding/json"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of an insurer.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a certificate.
func New() adapters.Adapter { return &Adapter{source.Hold(source.Needs{Certificate: true})} }

// Describe implements adapters.Adapter.
func (*Adapter) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "insurer", Version: "1.0.0",
		Laws:        []string{"ZVW"},
		Categories:  []string{"entitlement", "product", "period", "quantity", "amount", "reference"},
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
	if len(adapters.Asked(r, "ZVW")) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]string{"bsn": bsn.Reveal()})
	if err != nil {
		return adapters.Bug()
	}
	found, err := src.Records(ctx, source.Message{
		Path: "/toekenningen", Type: "application/json", Body: body, Accept: []string{"application/json"},
	}, list)
	if err != nil {
		return err
	}
	return reader{bsn: bsn, party: src.Party(), ours: src.Ours, numbers: src.Numbers()}.read(found, out)
}
