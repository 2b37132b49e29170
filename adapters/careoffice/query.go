package careoffice

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/graphql"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// query is a stored query on one register. Its text is one of a few that are known: it is
// never put together from what somebody sends.
type query struct {
	path  string // of the register (assumed)
	name  string // of the operation
	field string // the root of the answer
	none  bool   // the root may be null: there is nothing
	text  string
}

// The queries select what is needed to recognise a right and its days, and no more: the
// care profile only where it may be disclosed whole, the number of the decision only
// where references may be. Grondslag, stoornis and beperking disclose a diagnosis and are
// in none of them. The network refuses a query of which it refuses a part, so each
// register is asked by itself. They are queries of the office that is responsible, on its
// own register; what it executes for another office is that office's to tell.

// mediationQuery asks the mediation register (1.1.0).
func mediationQuery(profile bool) query {
	return query{"/bemiddelingsregister/graphql", "Bemiddelingspecificaties", "bemiddelingspecificatie", false,
		`query Bemiddelingspecificaties($bsn: String!) {
  bemiddelingspecificatie(where: {bemiddeling: {client: {bsn: {eq: $bsn}}}}) {
    bemiddelingspecificatieID leveringsvorm toewijzingIngangsdatum toewijzingEinddatum vaststellingMoment redenIntrekking` + only(profile, " zzpCode") + `
    bemiddeling { verantwoordelijkZorgkantoor verantwoordelijkheidIngangsdatum verantwoordelijkheidEinddatum client { bsn } }
  }
}`}
}

// indicationQuery asks the indication register (1.2.0).
func indicationQuery(profile, reference bool) query {
	return query{"/indicatieregister/graphql", "WlzIndicaties", "getWlzIndicatiesVoorBsn", true,
		`query WlzIndicaties($bsn: String!) {
  getWlzIndicatiesVoorBsn(bsn: $bsn) {
    wlzindicatieID bsn ingangsdatum einddatum` + only(reference, " besluitnummer afgiftedatum") +
			only(profile, " geindiceerdZorgzwaartepakket { zzpCode ingangsdatum einddatum }") + `
  }
}`}
}

func only(when bool, text string) string {
	if when {
		return text
	}
	return ""
}

// network asks the registers of the iWlz network about one person.
type network struct {
	source *source.Source
	bsn    adapters.BSN
	trace  string
}

// ask gives the answer of one register.
func (n network) ask(ctx context.Context, q query) ([]byte, error) {
	body, err := json.Marshal(map[string]any{
		"query": q.text, "operationName": q.name, "variables": map[string]string{"bsn": n.bsn.Reveal()},
	})
	if err != nil {
		return nil, adapters.Bug()
	}
	return n.source.Post(ctx, source.Message{
		Path: q.path, Type: "application/json", Body: body, Header: headers(n.trace),
		Accept: []string{"application/json", "application/graphql-response+json"},
	})
}

// headers carry the trace in the form that the network uses (B3). The span is the
// part of the trace id that B3 allows for one, as we have no tracer of our own.
func headers(trace string) map[string]string {
	if len(trace) != 32 || strings.Trim(trace, "0123456789abcdef") != "" {
		return nil
	}
	return map[string]string{"X-B3-TraceId": trace, "X-B3-SpanId": trace[16:]}
}

// records takes the records out of an answer.
func (q query) records(raw []byte, out *adapters.Writer) ([]native.Node, error) {
	found, err := graphql.List(raw, q.field, q.none)
	for _, u := range found.Unknown {
		out.Unknown(budgetv1.LawWLZ, u.Name(), adapters.Cursor{})
	}
	return found.Records, err
}
