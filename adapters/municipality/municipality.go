// Package municipality answers: which rights under the Wmo 2015, the Jeugdwet
// and the school transport scheme does a municipality know of? It reads the
// decisions in the case system (REST) and the messages in the municipality's own
// archive (iPgb 501, WMO301, JW301).
package municipality

import (
	"context"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of a municipality.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a token, and a certificate where one is given.
func New() adapters.Adapter { return &Adapter{source.Hold(source.Needs{Token: true})} }

// Describe implements adapters.Adapter.
func (a *Adapter) Describe() *adapterv1.DescribeResponse {
	return a.Takes(&adapterv1.DescribeResponse{
		Id: "municipality", Version: "1.0.0",
		Laws:        []string{"WMO", "JW", "LLV"},
		Categories:  []string{"entitlement", "product", "period", "quantity", "amount", "reference", "provider"},
		Identifiers: []string{"bsn"},
	})
}

// Fetch implements adapters.Adapter. Only what belongs to the laws in the scopes is asked.
func (a *Adapter) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	src, err := a.Source()
	if err != nil {
		return err
	}
	bsn, err := adapters.TakeBSN(r)
	if err != nil {
		return err
	}
	laws := adapters.Asked(r, "WMO", "JW", "LLV")
	if len(laws) == 0 {
		return nil
	}
	var found source.List
	var sent []message.Found
	err = source.Together(ctx,
		func(ctx context.Context) (err error) { found, err = askCases(ctx, src, bsn, laws); return err },
		func(ctx context.Context) (err error) { sent, err = askMessages(ctx, src, bsn, laws); return err },
	)
	if err != nil {
		return err
	}
	if err := (cases{bsn: bsn, party: src.Party(), numbers: src.Numbers()}).read(found, out); err != nil {
		return err
	}
	return message.Reader{BSN: bsn, Party: src.Party(), Ours: src.Ours}.Read(sent, out)
}

// askMessages asks the archive, when one of the laws asked for has messages there:
// school transport (LLV) has none.
func askMessages(ctx context.Context, src *source.Source, bsn adapters.BSN, laws []string) ([]message.Found, error) {
	s := message.Search{BSN: bsn}
	if slices.Contains(laws, "WMO") {
		s.Kinds = append(s.Kinds, message.AwardWmo, message.AllocationWmo)
	}
	if slices.Contains(laws, "JW") {
		s.Kinds = append(s.Kinds, message.AwardJeugd, message.AllocationJeugd)
	}
	if len(s.Kinds) == 0 {
		return nil, nil
	}
	return message.Ask(ctx, src, s)
}
