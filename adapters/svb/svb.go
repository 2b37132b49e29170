// Package svb answers: what was spent of a personal budget? The SVB pays out of the
// drawing right (trekkingsrecht) of Wmo, Jeugdwet and Wlz. It pays and does not decide:
// it knows budget, function, law and funder, and not how a budget was changed.
//
// What it paid travels in iPgb messages (budgetafsluitbericht, 507): after the end of a
// budget, at the end of a year, at a conflict and at a withdrawal. Of a budget that still
// runs SVB has no message; that it gives interim figures in the structure of a 507 is
// assumed, and so are the request and the envelope.
package svb

import (
	"context"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of the SVB.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a certificate.
func New() adapters.Adapter { return &Adapter{source.Hold(source.Needs{Certificate: true})} }

// Describe implements adapters.Adapter.
func (a *Adapter) Describe() *adapterv1.DescribeResponse {
	return a.Takes(&adapterv1.DescribeResponse{
		Id: "svb", Version: "1.0.0",
		Laws:        []string{"WMO", "JW", "WLZ"},
		Categories:  []string{"product", "period", "spending", "reference"},
		Identifiers: []string{"bsn"},
	})
}

// Fetch implements adapters.Adapter. Only messages of laws under which spending was
// granted are asked for.
func (a *Adapter) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	src, err := a.Source()
	if err != nil {
		return err
	}
	bsn, err := adapters.TakeBSN(r)
	if err != nil {
		return err
	}
	var kinds []message.Kind
	for _, of := range []struct {
		law  string
		kind message.Kind
	}{{"WMO", message.ClosingWmo}, {"JW", message.ClosingJeugd}, {"WLZ", message.ClosingWlz}} {
		if slices.Contains(adapters.Granted(r, of.law), budgetv1.CategorySpending) {
			kinds = append(kinds, of.kind)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	kinds = append(kinds, message.Interim)
	found, err := message.Ask(ctx, src, message.Search{BSN: bsn, Kinds: kinds})
	if err != nil {
		return err
	}
	return message.Reader{BSN: bsn, Party: src.Party()}.Spent(found, out)
}
