// Package education answers: which support for a pupil does a partnership of
// schools (samenwerkingsverband passend onderwijs, WPO article 18a) pay for? The
// money goes to the school: it may be in a plan and is never pooled.
//
// A partnership may not be sent a BSN: it knows a pupil by the onderwijsnummer.
// There is no national interface; this one is assumed.
package education

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of a partnership of schools.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a certificate.
func New() adapters.Adapter { return &Adapter{source.Hold(source.Needs{Certificate: true})} }

// Describe implements adapters.Adapter.
func (*Adapter) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "education", Version: "1.0.0",
		Laws:        []string{"EDU"},
		Categories:  []string{"entitlement", "product", "period", "amount", "reference", "provider"},
		Identifiers: []string{"education_number"},
	}
}

// Fetch implements adapters.Adapter.
func (a *Adapter) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	src, err := a.Source()
	if err != nil {
		return err
	}
	pupil, err := adapters.TakeEducationNumber(r)
	if err != nil {
		return err
	}
	if len(adapters.Asked(r, "EDU")) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]string{"onderwijsnummer": pupil.Reveal()})
	if err != nil {
		return adapters.Bug()
	}
	found, err := src.Records(ctx, source.Message{
		Path: "/toekenningen", Type: "application/json", Body: body, Accept: []string{"application/json"},
	}, list)
	if err != nil {
		return err
	}
	ours := func(code string) bool { return src.Ours(code) || src.Ours(number(code)) }
	return reader{pupil: pupil, party: src.Party(), ours: ours, numbers: src.Numbers()}.read(found, out)
}

// number is the number behind the letters for the kind of school: VO2602 has 2602.
// To keep the two kinds of one region apart, configure the code in full.
func number(code string) string {
	return code[len(strings.TrimRight(code, "0123456789")):]
}
