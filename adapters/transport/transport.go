// Package transport answers: how many kilometres may a person travel with Valys,
// the transport beyond the region for people with a mobility impairment? Kilometres
// are a quantity and never euros: no money is read here and none is worked out.
//
// Valys may not be sent a BSN: it knows a traveller by the number of a pass. It has
// no public interface for others; this one is assumed.
package transport

import (
	"context"
	"encoding/json"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of Valys.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a certificate.
func New() adapters.Adapter { return &Adapter{source.Hold(source.Needs{Certificate: true})} }

// Describe implements adapters.Adapter.
func (*Adapter) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "transport", Version: "1.0.0",
		Laws:        []string{"VALYS"},
		Categories:  []string{"entitlement", "product", "period", "quantity"},
		Identifiers: []string{"pass_number"},
	}
}

// Fetch implements adapters.Adapter.
func (a *Adapter) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	src, err := a.Source()
	if err != nil {
		return err
	}
	pass, err := adapters.TakePassNumber(r)
	if err != nil {
		return err
	}
	if len(adapters.Asked(r, "VALYS")) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]string{"pasnummer": pass.Reveal()})
	if err != nil {
		return adapters.Bug()
	}
	found, err := src.Records(ctx, source.Message{
		Path: "/passen", Type: "application/json", Body: body, Accept: []string{"application/json"},
	}, list)
	if err != nil {
		return err
	}
	return reader{pass: pass, party: src.Party(), numbers: src.Numbers()}.read(found, out)
}
