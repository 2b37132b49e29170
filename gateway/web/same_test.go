package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/ontschot/ontschot/gateway/web"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// told is a problem as a client reads it.
type told struct {
	Type, Title, Detail, Code, Reason string
	Status                            int
	Metadata                          map[string]string
	Errors                            []struct{ In, Pointer, Name, Field, Detail string }
}

func routeOf(rpc string) web.Route {
	i := slices.IndexFunc(web.Routes(), func(r web.Route) bool { return r.RPC == rpc })
	return web.Routes()[i]
}

// json calls at the JSON door what a message asks.
func (h *house) json(r web.Route, in proto.Message, also said) (proto.Message, error) {
	h.t.Helper()
	fields := map[string]any{}
	raw, err := protojson.Marshal(in)
	require.NoError(h.t, err)
	require.NoError(h.t, json.Unmarshal(raw, &fields))
	path := r.Path
	for name, value := range fields {
		if strings.Contains(path, "{"+name+"}") {
			path = strings.Replace(path, "{"+name+"}", url.PathEscape(fmt.Sprint(value)), 1)
			delete(fields, name)
		}
	}
	body := ""
	if r.Verb == http.MethodGet {
		query := url.Values{}
		for name, value := range fields {
			query.Set(name, fmt.Sprint(value))
		}
		path += "?" + query.Encode()
	} else {
		raw, err := json.Marshal(fields)
		require.NoError(h.t, err)
		body = string(raw)
	}
	got := h.do(h.client, r.Verb, path, body, also)
	h.sound(got)
	if got.StatusCode != http.StatusOK {
		return nil, h.problem(got)
	}
	name := string(r.Method().Output().Name())
	kind, err := protoregistry.GlobalTypes.FindMessageByName(r.Method().Output().FullName())
	require.NoError(h.t, err)
	out := kind.New().Interface()
	lines := bytes.SplitAfter(bytes.TrimSuffix(got.body, []byte("\n")), []byte("\n"))
	require.True(h.t, len(lines) == 1 || r.Method().IsStreamingServer())
	for _, line := range lines {
		h.fits(name, line)
		out = kind.New().Interface()
		require.NoError(h.t, protojson.Unmarshal(line, out))
	}
	return out, nil
}

// sound checks what every answer has.
func (h *house) sound(got response) {
	h.t.Helper()
	for name, want := range map[string]string{
		"API-Version": web.Version, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=31536000",
		"Set-Cookie": "", "Access-Control-Allow-Origin": "", "Location": "",
	} {
		require.Equal(h.t, want, got.Header.Get(name), name)
	}
	require.Contains(h.t, got.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
}

// problem is an error of the JSON door as one of gRPC, with all that it says.
func (h *house) problem(got response) error {
	h.t.Helper()
	var p told
	require.Equal(h.t, "application/problem+json", got.Header.Get("Content-Type"), string(got.body))
	require.NoError(h.t, json.Unmarshal(got.body, &p), string(got.body))
	h.fits("Problem", got.body)
	require.Equal(h.t, got.StatusCode, p.Status)
	require.NotEmpty(h.t, p.Title)
	var code codes.Code
	require.NoError(h.t, code.UnmarshalJSON([]byte(`"`+p.Code+`"`)))
	s := status.New(code, p.Detail)
	if p.Reason != "" {
		var err error
		s, err = s.WithDetails(&errdetails.ErrorInfo{Reason: p.Reason, Domain: "ontschot.nl", Metadata: p.Metadata})
		require.NoError(h.t, err)
	}
	if len(p.Errors) > 0 {
		bad := &errdetails.BadRequest{}
		for _, e := range p.Errors {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: e.Field, Description: e.Detail})
		}
		var err error
		s, err = s.WithDetails(bad)
		require.NoError(h.t, err)
	}
	return s.Err()
}

// fits holds an answer against the description of the API.
func (h *house) fits(schema string, raw []byte) {
	h.t.Helper()
	if h.api == nil {
		h.api = jsonschema.NewCompiler()
		file, err := os.ReadFile("openapi.json")
		require.NoError(h.t, err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
		require.NoError(h.t, err)
		require.NoError(h.t, h.api.AddResource("openapi.json", doc))
	}
	s, err := h.api.Compile("openapi.json#/components/schemas/" + schema)
	require.NoError(h.t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(h.t, err)
	require.NoError(h.t, s.Validate(value), schema)
}

// shape is which fields a message has, and those values that are the same whenever it is asked.
func shape(m proto.Message) []string {
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return []string{err.Error()}
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return []string{err.Error()}
	}
	all := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, one := range v {
				walk(path+"."+name, one)
			}
		case []any:
			for _, one := range v {
				walk(path+"[]", one)
			}
		default:
			last := path[strings.LastIndex(path, ".")+1:]
			if changes := []string{"id", "document", "record", "replaces", "index", "signature", "with", "source", "oin", "entries"}; slices.Contains(changes, last) || strings.HasSuffix(last, "_ms") ||
				strings.HasPrefix(last, "text_") || strings.HasSuffix(last, "sha256") || strings.Contains(path, "budget.receipt.") {
				v = "..."
			}
			all[fmt.Sprintf("%s=%v", path, v)] = true
		}
	}
	walk("", v)
	return slices.Sorted(maps.Keys(all))
}

// both asks the same over gRPC and at the JSON door, and holds answers, errors and the entries in
// the log against each other. Each door can have a message of its own. It gives both answers.
func (h *house) both(name, rpc string, also said, in func(door int) proto.Message) (answers [2]proto.Message, code codes.Code) {
	h.t.Helper()
	r := routeOf(rpc)
	var errs [2]error
	var entered [2][]string
	from := h.entered
	for door, ask := range []func(web.Route, proto.Message, said) (proto.Message, error){h.grpc, h.json} {
		answers[door], errs[door] = ask(r, in(door), maps.Clone(also))
		entered[door] = h.entries(from)
		from += int64(len(entered[door]))
	}
	h.entered = from
	require.Equal(h.t, entered[0], entered[1], "%s: the log", name)
	want, have := status.Convert(errs[0]), status.Convert(errs[1])
	require.Equal(h.t, want.Code(), have.Code(), "%s: %v, %v", name, errs[0], errs[1])
	if errs[0] == nil {
		require.Equal(h.t, shape(answers[0]), shape(answers[1]), name)
		return answers, codes.OK
	}
	require.Equal(h.t, want.Message(), have.Message(), name)
	require.Len(h.t, have.Details(), len(want.Details()), name)
	for i := range want.Details() {
		require.True(h.t, proto.Equal(want.Details()[i].(proto.Message), have.Details()[i].(proto.Message)), "%s: %v, %v", name, want.Details()[i], have.Details()[i])
	}
	return answers, want.Code()
}

// Every call gives the same answer at both doors, the same error, and the same entries in the log.
func TestBothDoorsGiveTheSameAnswer(t *testing.T) {
	h := newHouse(t)
	h.entered = int64(len(h.entries(0)))
	asked := map[string]map[codes.Code]bool{}
	ask := func(name, rpc string, also said, in func(door int) proto.Message) [2]proto.Message {
		t.Helper()
		answers, code := h.both(name, rpc, also, in)
		if asked[rpc] == nil {
			asked[rpc] = map[codes.Code]bool{}
		}
		asked[rpc][code] = true
		return answers
	}
	same := func(m proto.Message) func(int) proto.Message {
		return func(int) proto.Message { return proto.Clone(m) }
	}
	ok := h.with(h.token)
	h.budgets(ask, same, ok)
	h.consents(ask, same, ok)
	h.agreements(ask, same, ok)
	for name, also := range map[string]said{
		"no token": {}, "another scheme": {"authorization": {"Basic " + h.token}}, "no token at all": h.with("x"), "two tokens": {"authorization": {"Bearer " + h.token, "Bearer " + h.token}},
		"half a token": h.with(h.token[:len(h.token)/2]), "a role that may not": h.with(h.mint("--role", "nobody")), "a token for something else": h.with(h.mint("--purposes", "policy.evaluate")),
		"a short key": {"authorization": {"Bearer " + h.token}, "idempotency-key": {"short"}}, "a key that is a number": {"authorization": {"Bearer " + h.token}, "idempotency-key": {"0000" + h.bsn("A1") + "0000"}},
		"a case that is none": {"authorization": {"Bearer " + h.token}, "ontschot-case": {strings.Repeat("x", 200)}}, "a second person that is none": {"authorization": {"Bearer " + h.token}, "ontschot-second": {"x"}},
		"a trace that is none": {"authorization": {"Bearer " + h.token}, "traceparent": {"00-zz"}},
	} {
		for _, r := range web.Routes() {
			kind, err := protoregistry.GlobalTypes.FindMessageByName(r.Method().Input().FullName())
			require.NoError(t, err)
			in := kind.New()
			if id := in.Descriptor().Fields().ByName("id"); id != nil {
				in.Set(id, in.Get(id)) // empty: the path needs one
				require.NoError(t, protojson.Unmarshal([]byte(`{"id":"01900000-0000-7000-8000-000000000001"}`), in.Interface()))
			}
			ask(name, r.RPC, also, same(in.Interface()))
		}
	}
	// That takes the proposal of another gateway, or a record that lacked entries.
	noYes := []string{
		ontschotv1.AgreementService_AcceptAgreement_FullMethodName, ontschotv1.AgreementService_ConfirmAgreement_FullMethodName, ontschotv1.ConsentService_ConfirmConsent_FullMethodName,
	}
	for _, r := range web.Routes() {
		require.NotEqual(t, slices.Contains(noYes, r.RPC), asked[r.RPC][codes.OK], "%s: whether it was answered with a yes", r.RPC)
		require.Greater(t, len(asked[r.RPC]), 2, "%s was hardly refused: %v", r.RPC, asked[r.RPC])
	}
}

type asking func(name, rpc string, also said, in func(door int) proto.Message) [2]proto.Message

// whole asks for the budget of the family.
func (h *house) whole() *ontschotv1.AssembleBudgetRequest {
	r := &ontschotv1.AssembleBudgetRequest{Purpose: h.family.Purpose, Window: &budgetv1.Window{From: h.family.Window.From.String(), To: h.family.Window.To.String()}}
	for _, m := range h.family.Household {
		r.Persons = append(r.Persons, &ontschotv1.Person{
			Ref: string(m.Ref), Born: m.Born.String(), Identifiers: &budgetv1.Identifiers{Bsn: m.BSN, EducationNumber: m.IDs.Onderwijsnummer, PassNumber: m.IDs.Pasnummer},
		})
	}
	for _, pair := range h.family.Pairs() {
		r.Asks = append(r.Asks, &ontschotv1.Ask{Person: string(pair.Person), Source: pair.Source})
	}
	return r
}

func (h *house) budgets(ask asking, same func(proto.Message) func(int) proto.Message, ok said) {
	const assemble = ontschotv1.ExchangeService_AssembleBudget_FullMethodName
	got := ask("the whole budget", assemble, ok, same(h.whole()))
	b := got[0].(*ontschotv1.AssembleBudgetResponse).GetBudget()
	require.NotEmpty(h.t, b.GetLines())
	ask("the same request under one key at both doors", assemble, said{"authorization": ok["authorization"], "idempotency-key": {uuid.NewString()}}, same(h.whole()))
	for name, change := range map[string]func(*ontschotv1.AssembleBudgetRequest){
		"no persons": func(r *ontschotv1.AssembleBudgetRequest) { r.Persons = nil }, "a wrong date": func(r *ontschotv1.AssembleBudgetRequest) { r.Window.From = "2025-02-30" },
		"no BSN": func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[1].Identifiers.Bsn = "123456789" }, "a reference that is one": func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[0].Ref = h.bsn("A1") },
		"a source that nobody knows": func(r *ontschotv1.AssembleBudgetRequest) { r.Asks[0].Source = "NOBODY" }, "another purpose": func(r *ontschotv1.AssembleBudgetRequest) { r.Purpose = "other.purpose" },
		"a text that cannot be shown": func(r *ontschotv1.AssembleBudgetRequest) { r.Purpose = "\u202e" }, "too many": func(r *ontschotv1.AssembleBudgetRequest) { r.Asks = slices.Repeat(r.Asks, 40) },
	} {
		r := h.whole()
		change(r)
		ask(name, assemble, ok, same(r))
	}
	// A budget that was read as JSON is the budget that was signed, at either door.
	own := func(ask func(*budgetv1.Budget) proto.Message) func(int) proto.Message {
		return func(int) proto.Message {
			return ask(proto.CloneOf(got[1].(*ontschotv1.AssembleBudgetResponse).GetBudget()))
		}
	}
	plan := &budgetv1.Plan{}
	basis := &budgetv1.LegalBasis{Id: "assumed", Article: "art. 1", From: "2025-01-01", To: "2025-12-31", PoolableLaws: []string{"WMO", "JW"}, Municipalities: []string{"GM0119"}}
	ask("a view", ontschotv1.BudgetService_View_FullMethodName, ok, own(func(b *budgetv1.Budget) proto.Message { return &ontschotv1.ViewRequest{Budget: b, Person: "A3"} }))
	ask("a changed budget", ontschotv1.BudgetService_View_FullMethodName, ok, own(func(b *budgetv1.Budget) proto.Message {
		b.Complete = !b.GetComplete()
		return &ontschotv1.ViewRequest{Budget: b, Person: "A3"}
	}))
	ask("a plan", ontschotv1.BudgetService_CheckPlan_FullMethodName, ok, own(func(b *budgetv1.Budget) proto.Message { return &ontschotv1.CheckPlanRequest{Budget: b, Plan: plan} }))
	ask("accounts", ontschotv1.BudgetService_Account_FullMethodName, ok, own(func(b *budgetv1.Budget) proto.Message { return &ontschotv1.AccountRequest{Budget: b, Plan: plan} }))
	ask("dissolved", ontschotv1.BudgetService_Dissolve_FullMethodName, ok, own(func(b *budgetv1.Budget) proto.Message {
		return &ontschotv1.DissolveRequest{Budget: b, Date: "2025-07-01"}
	}))
	ask("a sunset of nothing", ontschotv1.BudgetService_Sunset_FullMethodName, ok, own(func(b *budgetv1.Budget) proto.Message { return &ontschotv1.SunsetRequest{Budget: b, Plan: plan} }))
	ask("a sunset", ontschotv1.BudgetService_Sunset_FullMethodName, ok, own(func(b *budgetv1.Budget) proto.Message { return &ontschotv1.SunsetRequest{Budget: b, Assume: basis} }))
}

func (h *house) consents(ask asking, same func(proto.Message) func(int) proto.Message, ok said) {
	question := &ontschotv1.ConsentQuestion{
		Person:  &ontschotv1.Person{Ref: "A2", Born: h.born("A2"), Identifiers: &budgetv1.Identifiers{Bsn: h.bsn("A2")}},
		Purpose: h.family.Purpose, Grants: []*ontschotv1.ConsentGrant{{Source: "UWV", Categories: []string{"*"}}, {Source: "SVB", Categories: []string{"*"}}}, From: h.family.Today.String(),
	}
	person := &budgetv1.Identifiers{Bsn: h.bsn("A2")}
	asked := ask("what a person is asked", ontschotv1.ConsentService_AskConsent_FullMethodName, ok, same(&ontschotv1.AskConsentRequest{Question: question}))
	notice := asked[1].(*ontschotv1.AskConsentResponse).GetNotice().GetSha256Nl()
	give := func(role string) func(int) proto.Message {
		return same(&ontschotv1.GiveConsentRequest{Question: question, NoticeSha256: notice, Signatures: []*ontschotv1.ConsentSignature{{Role: role, Kind: "digid", Loa: "substantieel", Sha256: strings.Repeat("a", 64)}}})
	}
	given := ask("a yes", ontschotv1.ConsentService_GiveConsent_FullMethodName, ok, give("self"))
	ask("who may not", ontschotv1.ConsentService_GiveConsent_FullMethodName, ok, give("voogd"))
	id := func(door int) string { return given[door].(*ontschotv1.GiveConsentResponse).GetReceipt().GetId() }
	ask("a receipt", ontschotv1.ConsentService_GetConsent_FullMethodName, ok, func(door int) proto.Message { return &ontschotv1.GetConsentRequest{Id: id(door)} })
	ask("an id of nothing", ontschotv1.ConsentService_GetConsent_FullMethodName, ok, same(&ontschotv1.GetConsentRequest{Id: "01900000-0000-7000-8000-000000000001"}))
	ask("an id of signs", ontschotv1.ConsentService_GetConsent_FullMethodName, ok, same(&ontschotv1.GetConsentRequest{Id: "../../x y?#%2f\u00e9"}))
	ask("a long id", ontschotv1.ConsentService_GetConsent_FullMethodName, ok, same(&ontschotv1.GetConsentRequest{Id: strings.Repeat("x", 65)}))
	ask("a list", ontschotv1.ConsentService_ListConsents_FullMethodName, ok, same(&ontschotv1.ListConsentsRequest{Identifiers: person, Purpose: h.family.Purpose}))
	ask("a page that is too large", ontschotv1.ConsentService_ListConsents_FullMethodName, ok, same(&ontschotv1.ListConsentsRequest{Identifiers: person, Purpose: h.family.Purpose, PageSize: 501}))
	narrowed := ask("less", ontschotv1.ConsentService_NarrowConsent_FullMethodName, ok, func(door int) proto.Message {
		return &ontschotv1.NarrowConsentRequest{Id: id(door), Identifiers: person, Without: []*ontschotv1.ConsentGrant{{Source: "SVB", Categories: []string{"*"}}}}
	})
	ask("of another person", ontschotv1.ConsentService_NarrowConsent_FullMethodName, ok, func(door int) proto.Message {
		return &ontschotv1.NarrowConsentRequest{Id: id(door), Identifiers: &budgetv1.Identifiers{Bsn: h.bsn("A1")}, Without: []*ontschotv1.ConsentGrant{{Source: "UWV", Categories: []string{"*"}}}}
	})
	last := func(door int) string { return narrowed[door].(*ontschotv1.NarrowConsentResponse).GetReceipt().GetId() }
	ask("confirmed", ontschotv1.ConsentService_ConfirmConsent_FullMethodName, ok, func(door int) proto.Message {
		return &ontschotv1.ConfirmConsentRequest{Id: last(door), Identifiers: person}
	})
	ask("withdrawn", ontschotv1.ConsentService_WithdrawConsent_FullMethodName, ok, func(door int) proto.Message { return &ontschotv1.WithdrawConsentRequest{Id: last(door)} })
	worker := []string{"--purposes", ontschotv1.PurposeEraseConsents, "--role", "kwaliteitsmedewerker"}
	erase := h.with(h.mint(worker...))
	ask("erased by one person", ontschotv1.ConsentService_EraseConsents_FullMethodName, erase, same(&ontschotv1.EraseConsentsRequest{Identifiers: person}))
	erase["ontschot-second"] = []string{h.mint(append(worker, "--subject", "another")...)}
	ask("erased, by another token", ontschotv1.ConsentService_EraseConsents_FullMethodName, ok, same(&ontschotv1.EraseConsentsRequest{Identifiers: person}))
	ask("erased", ontschotv1.ConsentService_EraseConsents_FullMethodName, erase, func(door int) proto.Message {
		return &ontschotv1.EraseConsentsRequest{Identifiers: &budgetv1.Identifiers{Bsn: h.bsn([]string{"A3", "A4"}[door])}}
	})
}

func (h *house) born(ref string) string {
	for _, m := range h.family.Household {
		if string(m.Ref) == ref {
			return m.Born.String()
		}
	}
	return ""
}

func (h *house) agreements(ask asking, same func(proto.Message) func(int) proto.Message, ok said) {
	listed := ask("agreements", ontschotv1.AgreementService_ListAgreements_FullMethodName, ok, same(&ontschotv1.ListAgreementsRequest{}))
	ask("of one party, one at a time", ontschotv1.AgreementService_ListAgreements_FullMethodName, ok, same(&ontschotv1.ListAgreementsRequest{With: "UWV", PageSize: 1}))
	ask("a page of nothing", ontschotv1.AgreementService_ListAgreements_FullMethodName, ok, same(&ontschotv1.ListAgreementsRequest{PageToken: "x"}))
	with := map[string]*ontschotv1.Agreement{}
	for _, a := range listed[0].(*ontschotv1.ListAgreementsResponse).GetAgreements() {
		with[a.GetWith()] = a
	}
	of := func(door int) *ontschotv1.Agreement { return with[[]string{"UWV", "SVB"}[door]] }
	ask("one", ontschotv1.AgreementService_GetAgreement_FullMethodName, ok, same(&ontschotv1.GetAgreementRequest{Id: of(0).GetId()}))
	ask("none", ontschotv1.AgreementService_GetAgreement_FullMethodName, ok, same(&ontschotv1.GetAgreementRequest{Id: "01900000-0000-7000-8000-000000000001"}))
	terms := proto.CloneOf(of(0).GetTerms())
	for _, g := range terms.GetGrants() {
		g.RetentionDays--
	}
	proposed := ask("a proposal", ontschotv1.AgreementService_ProposeAgreement_FullMethodName, ok, same(&ontschotv1.ProposeAgreementRequest{Terms: terms, Replaces: of(0).GetId()}))
	ask("without terms", ontschotv1.AgreementService_ProposeAgreement_FullMethodName, ok, same(&ontschotv1.ProposeAgreementRequest{}))
	id := func(door int) string {
		return proposed[door].(*ontschotv1.ProposeAgreementResponse).GetAgreement().GetId()
	}
	ask("what it changes", ontschotv1.AgreementService_DiffAgreements_FullMethodName, ok, func(door int) proto.Message { return &ontschotv1.DiffAgreementsRequest{Id: id(door)} })
	ask("one's own", ontschotv1.AgreementService_AcceptAgreement_FullMethodName, ok, func(door int) proto.Message {
		return &ontschotv1.AcceptAgreementRequest{Id: id(door), TermsSha256: strings.Repeat("a", 64)}
	})
	ask("taken back", ontschotv1.AgreementService_RejectAgreement_FullMethodName, ok, func(door int) proto.Message {
		return &ontschotv1.RejectAgreementRequest{Id: id(door), Reason: "a mistake"}
	})
	ask("without why", ontschotv1.AgreementService_RejectAgreement_FullMethodName, ok, func(door int) proto.Message { return &ontschotv1.RejectAgreementRequest{Id: id(door)} })
	ask("holds as it is", ontschotv1.AgreementService_ConfirmAgreement_FullMethodName, ok, same(&ontschotv1.ConfirmAgreementRequest{Id: of(0).GetId(), Asked: true}))
	delegated := ask("who may act", ontschotv1.AgreementService_Delegate_FullMethodName, ok, same(&ontschotv1.DelegateRequest{
		To: "00000099000005503000", Purposes: []string{h.family.Purpose}, From: h.family.Today.String(), Until: "2025-12-31",
	}))
	ask("who may", ontschotv1.AgreementService_ListDelegations_FullMethodName, ok, same(&ontschotv1.ListDelegationsRequest{}))
	ask("who may, some", ontschotv1.AgreementService_ListDelegations_FullMethodName, ok, same(&ontschotv1.ListDelegationsRequest{PageSize: -1}))
	ask("who may no more", ontschotv1.AgreementService_EndDelegation_FullMethodName, ok, func(door int) proto.Message {
		return &ontschotv1.EndDelegationRequest{Id: delegated[door].(*ontschotv1.DelegateResponse).GetId()}
	})
	register := ontschotv1.RegistryService_Register_FullMethodName
	ended := delegated[0].(*ontschotv1.DelegateResponse).GetDocument()
	ask("a document that has ended", register, ok, same(&ontschotv1.RegisterRequest{Document: ended}))
	there := &ontschotv1.RegisterRequest{}
	raw, err := os.ReadFile(filepath.Join(h.dir, "documents", "001-agreement.json"))
	require.NoError(h.t, err)
	require.NoError(h.t, protojson.Unmarshal(raw, there))
	ask("a document that is there", register, ok, same(there))
	ask("none", register, ok, same(&ontschotv1.RegisterRequest{}))
	ask("bytes", register, ok, same(&ontschotv1.RegisterRequest{Document: bytes.Repeat([]byte{0xff}, 100)}))
	ask("revoked", ontschotv1.AgreementService_RevokeAgreement_FullMethodName, ok, func(door int) proto.Message {
		return &ontschotv1.RevokeAgreementRequest{Id: of(door).GetId(), Reason: "it ends"}
	})
}
