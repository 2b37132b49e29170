// Package uwv answers: which benefits and provisions does UWV pay or give? It
// asks over SOAP, in messages of SuwiML: WS-Addressing, a signature, and the results of
// the infrastructure (FWI) inside an answer. A benefit is income and never budget.
//
// Suwinet itself is bound to the Wet SUWI and the Participatiewet and may not be
// reused for the Wmo or the Jeugdwet (assumed, until a lawyer has read it): this
// adapter needs an agreement and an interface of its own.
package uwv

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/soap"
	"github.com/ontschot/ontschot/adapters/source"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter of UWV.
type Adapter struct{ *source.Held }

// New gives an adapter without configuration. It needs a certificate, and
// those with which UWV signs.
func New() adapters.Adapter {
	return &Adapter{source.Hold(source.Needs{Certificate: true, Signer: true})}
}

// Describe implements adapters.Adapter.
func (a *Adapter) Describe() *adapterv1.DescribeResponse {
	return a.Takes(&adapterv1.DescribeResponse{
		Id: "uwv", Version: "1.1.0",
		Laws:        laws(),
		Categories:  []string{"entitlement", "product", "period", "amount", "income"},
		Identifiers: []string{"bsn"},
	})
}

func laws() []string {
	return []string{
		budgetv1.LawWIA, budgetv1.LawWAO, budgetv1.LawWAJONG, budgetv1.LawWW, budgetv1.LawZW, budgetv1.LawTW, budgetv1.LawUWVProvision,
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
	if len(adapters.Asked(r, laws()...)) == 0 {
		return nil
	}
	id := "urn:uuid:" + uuid.NewString()
	body, err := request{to: src.URL() + "/", id: id, bsn: bsn, now: time.Now(), with: src.Certificate()}.write()
	if err != nil {
		return adapters.Bug() // the adapter asks for a certificate and its key
	}
	raw, err := src.Post(ctx, source.Message{
		Path: "/", Type: "text/xml; charset=utf-8", Body: body,
		Header: map[string]string{"SOAPAction": `""`}, // empty, as the service descriptions have it
		Accept: []string{"text/xml", "application/soap+xml"}, AlsoFaults: true,
	})
	if err != nil {
		return err
	}
	if raw, err = soap.Genuine(raw, id, src.Signers()); err != nil {
		return err
	}
	return reader{bsn: bsn, party: src.Party(), out: out}.read(raw)
}
