package careoffice

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
)

// query is a stored query: it is never put together from what somebody sends.
type query struct {
	name  string // of the operation
	field string // of the register
	text  string
}

// The queries select what the category they serve needs, and the dates and the
// office by which the right record is recognised: those stay inside the agency
// unless they are granted as well. Grondslag, stoornis and beperking disclose
// a diagnosis and are in none of them; the network refuses a query with one
// such field whole, which is also why the two registers are asked apart.

func mediationQuery() query {
	return query{"Bemiddelingspecificatie", "bemiddelingspecificatie", `query Bemiddelingspecificatie($bsn: String!) {
  bemiddelingspecificatie(bsn: $bsn) {
    bsn leveringsvorm zzpCode toewijzingIngangsdatum toewijzingEinddatum uitvoerendZorgkantoor
  }
}`}
}

func indicationQuery() query {
	return query{"WlzIndicatie", "wlzIndicatie", `query WlzIndicatie($bsn: String!) {
  wlzIndicatie(bsn: $bsn) {
    wlzindicatieID bsn besluitnummer afgiftedatum ingangsdatum einddatum
  }
}`}
}

// network asks the registers of the iWlz network about one person.
type network struct {
	source *source.Source
	bsn    string
	trace  string
}

// ask gives the records of one register. GraphQL gives its errors with status
// 200; a part of an answer beside an error is no answer.
func (n network) ask(ctx context.Context, q query) ([]json.RawMessage, error) {
	body, err := json.Marshal(map[string]any{
		"query": q.text, "operationName": q.name, "variables": map[string]string{"bsn": n.bsn},
	})
	if err != nil {
		return nil, adapters.Bug()
	}
	raw, err := n.source.Post(ctx, source.Message{
		Path: "/graphql", Type: "application/json", Body: body, Header: headers(n.trace),
		Accept: []string{"application/json", "application/graphql-response+json"},
	})
	if err != nil {
		return nil, err
	}
	return parse(raw, q.field)
}

// headers carry the trace in the form that the network uses (B3). The span is the
// part of the trace id that B3 allows for one, as we have no tracer of our own.
func headers(trace string) map[string]string {
	if len(trace) != 32 || strings.Trim(trace, "0123456789abcdef") != "" {
		return nil
	}
	return map[string]string{"X-B3-TraceId": trace, "X-B3-SpanId": trace[16:]}
}

// mostRecords bounds what a register has of one person.
const mostRecords = 500

func parse(raw []byte, field string) ([]json.RawMessage, error) {
	var answer struct {
		Data   map[string]json.RawMessage `json:"data"`
		Errors []struct {
			Extensions struct {
				Code string `json:"code"`
			} `json:"extensions"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, adapters.BadData("/", "an answer of GraphQL")
	}
	if len(answer.Errors) > 0 {
		return nil, fault(answer.Errors[0].Extensions.Code)
	}
	var records []json.RawMessage
	list, ok := answer.Data[field]
	if !ok || json.Unmarshal(list, &records) != nil || records == nil {
		return nil, adapters.BadData("/data/"+field, "a list")
	}
	if len(records) > mostRecords {
		return nil, adapters.BadData("/data/"+field, "fewer records")
	}
	return records, nil
}

func fault(code string) error {
	switch code {
	case "FORBIDDEN", "UNAUTHENTICATED", "UNAUTHORIZED":
		return adapters.NotAuthorised()
	case "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT", "BAD_REQUEST":
		return adapters.Bug() // the query is ours
	case "TIMEOUT", "GATEWAY_TIMEOUT":
		return adapters.Timeout()
	default:
		return adapters.Unavailable()
	}
}
