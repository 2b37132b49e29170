// Package svb answers: what was spent so far of a personal budget? The SVB pays
// out of the drawing right (trekkingsrecht) of Wmo, Jeugdwet and Wlz, and of the
// Zvw where an insurer has it do so. It pays and does not decide: it knows budget
// and function, and not under which law a budget was awarded.
//
// Spending travels as iPgb messages (budgetafsluitbericht, 507), in batches
// and without a query interface. The path, the envelope and the element names
// here are therefore assumed, in the terms of the iPgb data dictionary; that
// amounts are cents is the iStandaarden's own rule.
package svb

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of the SVB.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a certificate.
func New() adapters.Adapter { return &Adapter{source.Hold(source.Needs{Certificate: true})} }

// Describe implements adapters.Adapter.
func (*Adapter) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "svb", Version: "1.0.0",
		Laws:        []string{"WMO", "JW", "WLZ", "ZVW"},
		Categories:  []string{"product", "period", "spending", "reference"},
		Identifiers: []string{"bsn"},
	}
}

// Fetch implements adapters.Adapter. Nothing is asked when spending was not
// granted under every law of the request: of no record could it be said that it may
// be disclosed.
func (a *Adapter) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	src, err := a.Source()
	if err != nil {
		return err
	}
	bsn, err := adapters.TakeBSN(r)
	if err != nil {
		return err
	}
	if !slices.Contains(adapters.GrantedEverywhere(r), budgetv1.CategorySpending) {
		return nil
	}
	body, err := json.Marshal(map[string]string{"bsn": bsn.Reveal()})
	if err != nil {
		return adapters.Bug()
	}
	raw, err := src.Post(ctx, source.Message{
		Path: "/bestedingen/zoeken", Type: "application/json", Body: body,
		Accept: []string{"application/xml", "text/xml"},
	})
	if err != nil {
		return err
	}
	return reader{bsn: bsn}.read(raw, out)
}
