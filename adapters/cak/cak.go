// Package cak answers: which own contribution does the CAK collect of a person,
// under the Wmo 2015 (article 2.1.4b) and the Wlz (article 3.2.5)? It is not
// deducted from a personal budget and is never summed with one.
//
// The CAK gets its data in batches (iEb messages) and offers parties no public
// query interface: the path and the envelope are assumed.
package cak

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of the CAK.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a token and a certificate.
func New() adapters.Adapter {
	return &Adapter{source.Hold(source.Needs{Token: true, Certificate: true})}
}

// Describe implements adapters.Adapter.
func (*Adapter) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "cak", Version: "1.0.0",
		Laws:        []string{"WMO", "WLZ"},
		Categories:  []string{"period", "own_contribution"},
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
	if !asked(r) {
		return nil
	}
	body, err := json.Marshal(map[string]string{"bsn": bsn.Reveal()})
	if err != nil {
		return adapters.Bug()
	}
	found, err := src.Records(ctx, source.Message{
		Path: "/eigenbijdragen", Type: "application/json", Body: body, Accept: []string{"application/json"},
	}, list)
	if err != nil {
		return err
	}
	return reader{bsn: bsn}.read(found, out)
}

// asked reports whether own contributions may be disclosed under one law at least.
func asked(r *budgetv1.FetchRequest) bool {
	return slices.ContainsFunc([]string{"WMO", "WLZ"}, func(law string) bool {
		return slices.Contains(adapters.Granted(r, law), budgetv1.CategoryOwnContribution)
	})
}
