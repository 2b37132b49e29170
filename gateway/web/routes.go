package web

import (
	_ "embed"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// PathOpenAPI is where the description of the API is.
const PathOpenAPI = "/v1/openapi.json"

// openAPI is the same as proto/openapi.yaml.
//
//go:embed openapi.json
var openAPI []byte

// Route says which call stands at which method and path. What is in braces is a field of the
// request, and never one of a person: an address is written down by everything on its way. Who is
// asked about stands in the body, also where something is only looked up.
type Route struct {
	Verb, Path string
	RPC        string // /service/method
}

// Routes are all there are, but for that of the description.
func Routes() []Route {
	return []Route{
		{"POST", "/v1/budgets", ontschotv1.ExchangeService_AssembleBudget_FullMethodName},
		{"POST", "/v1/budget-views", ontschotv1.BudgetService_View_FullMethodName},
		{"POST", "/v1/plan-checks", ontschotv1.BudgetService_CheckPlan_FullMethodName},
		{"POST", "/v1/accounts", ontschotv1.BudgetService_Account_FullMethodName},
		{"POST", "/v1/dissolutions", ontschotv1.BudgetService_Dissolve_FullMethodName},
		{"POST", "/v1/sunsets", ontschotv1.BudgetService_Sunset_FullMethodName},
		{"POST", "/v1/consent-questions", ontschotv1.ConsentService_AskConsent_FullMethodName},
		{"POST", "/v1/consents", ontschotv1.ConsentService_GiveConsent_FullMethodName},
		{"GET", "/v1/consents/{id}", ontschotv1.ConsentService_GetConsent_FullMethodName},
		{"POST", "/v1/consents/{id}/narrowings", ontschotv1.ConsentService_NarrowConsent_FullMethodName},
		{"POST", "/v1/consents/{id}/withdrawals", ontschotv1.ConsentService_WithdrawConsent_FullMethodName},
		{"POST", "/v1/consents/{id}/confirmations", ontschotv1.ConsentService_ConfirmConsent_FullMethodName},
		{"POST", "/v1/consent-searches", ontschotv1.ConsentService_ListConsents_FullMethodName},
		{"POST", "/v1/consent-erasures", ontschotv1.ConsentService_EraseConsents_FullMethodName},
		{"POST", "/v1/agreements", ontschotv1.AgreementService_ProposeAgreement_FullMethodName},
		{"GET", "/v1/agreements", ontschotv1.AgreementService_ListAgreements_FullMethodName},
		{"GET", "/v1/agreements/{id}", ontschotv1.AgreementService_GetAgreement_FullMethodName},
		{"POST", "/v1/agreements/{id}/differences", ontschotv1.AgreementService_DiffAgreements_FullMethodName},
		{"POST", "/v1/agreements/{id}/acceptances", ontschotv1.AgreementService_AcceptAgreement_FullMethodName},
		{"POST", "/v1/agreements/{id}/rejections", ontschotv1.AgreementService_RejectAgreement_FullMethodName},
		{"POST", "/v1/agreements/{id}/revocations", ontschotv1.AgreementService_RevokeAgreement_FullMethodName},
		{"POST", "/v1/agreements/{id}/confirmations", ontschotv1.AgreementService_ConfirmAgreement_FullMethodName},
		{"POST", "/v1/delegations", ontschotv1.AgreementService_Delegate_FullMethodName},
		{"GET", "/v1/delegations", ontschotv1.AgreementService_ListDelegations_FullMethodName},
		{"POST", "/v1/delegations/{id}/endings", ontschotv1.AgreementService_EndDelegation_FullMethodName},
		{"POST", "/v1/documents", ontschotv1.RegistryService_Register_FullMethodName},
	}
}

// route is one line of the table, with what its call takes and gives. The one of the description
// has no method.
type route struct {
	Route
	segments []string
	inPath   []string // names of the fields in it
	method   protoreflect.MethodDescriptor
	in, out  protoreflect.MessageType
}

// compiled is the table, ready for use. That it fits the protos is tested.
func compiled() []route {
	all := []route{{Route: Route{Verb: http.MethodGet, Path: PathOpenAPI}, segments: segmentsOf(PathOpenAPI)}}
	for _, line := range Routes() {
		r := route{Route: line, segments: segmentsOf(line.Path), method: line.Method()}
		for _, s := range r.segments {
			if name, ok := fieldIn(s); ok {
				r.inPath = append(r.inPath, name)
			}
		}
		r.in, _ = protoregistry.GlobalTypes.FindMessageByName(r.method.Input().FullName()) // linked in
		r.out, _ = protoregistry.GlobalTypes.FindMessageByName(r.method.Output().FullName())
		all = append(all, r)
	}
	return all
}

// Method is that of the call; nil: there is none of that name.
func (r Route) Method() protoreflect.MethodDescriptor {
	service, name, _ := strings.Cut(strings.TrimPrefix(r.RPC, "/"), "/")
	for _, file := range ontschotv1.Files() {
		if s := file.Services().ByName(protoreflect.FullName(service).Name()); s != nil && string(s.FullName()) == service {
			return s.Methods().ByName(protoreflect.Name(name))
		}
	}
	return nil
}

func segmentsOf(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

// fieldIn is the field that a segment of the table stands for.
func fieldIn(segment string) (name string, ok bool) {
	name, ok = strings.CutPrefix(segment, "{")
	return strings.TrimSuffix(name, "}"), ok
}

// kind of the answer.
func (r *route) kind() string {
	if r.method != nil && r.method.IsStreamingServer() {
		return linesKind
	}
	return jsonKind
}

// match finds the route of a request, and what its path says; the methods that its path takes.
func (d *Door) match(r *http.Request) (found *route, values map[string]string, allow []string) {
	have := segmentsOf(r.URL.EscapedPath())
	for i := range d.routes {
		one := &d.routes[i]
		said, fits := one.fits(have)
		if !fits {
			continue
		}
		allow = append(allow, one.Verb)
		if one.Verb == r.Method {
			found, values = one, said
		}
	}
	slices.Sort(allow)
	return found, values, allow
}

func (r *route) fits(have []string) (values map[string]string, ok bool) {
	if len(have) != len(r.segments) {
		return nil, false
	}
	values = map[string]string{}
	for i, s := range r.segments {
		name, field := fieldIn(s)
		if !field {
			if s != have[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(have[i])
		if err != nil || value == "" {
			return nil, false
		}
		values[name] = value
	}
	return values, true
}

// fill has a message say what the path says.
func (r *route) fill(in protoreflect.Message, values map[string]string) (proto.Message, error) {
	for name, value := range values {
		if !utf8.ValidString(value) {
			return nil, admission.Invalid(name, "is no UTF-8")
		}
		in.Set(in.Descriptor().Fields().ByName(protoreflect.Name(name)), protoreflect.ValueOfString(value))
	}
	return in.Interface(), nil
}

// query reads what stands behind the question mark: fields of the request, each at most once.
func (r *route) query(raw string, in protoreflect.Message) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return admission.Invalid("query", "is no name=value&name=value")
	}
	fields := in.Descriptor().Fields()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		said, f := values[name], fields.ByJSONName(name)
		switch {
		case f == nil || slices.Contains(r.inPath, string(f.Name())):
			return admission.Invalid(shown("query", name), "nobody knows it here")
		case len(said) != 1:
			return admission.Invalid(string(f.Name()), "stands there more than once")
		case !utf8.ValidString(said[0]):
			return admission.Invalid(string(f.Name()), "is no UTF-8")
		case f.Kind() == protoreflect.StringKind:
			in.Set(f, protoreflect.ValueOfString(said[0]))
		default: // int32: the table has no other, as its test says
			n, err := strconv.ParseInt(said[0], 10, 32)
			if err != nil {
				return admission.Invalid(string(f.Name()), "is no whole number that fits")
			}
			in.Set(f, protoreflect.ValueOfInt32(int32(n)))
		}
	}
	return nil
}

// shown is the path of what nobody knows, when its name can be repeated: it may be anything.
func shown(path, name string) string {
	if len(name) > 64 || identity.HoldsBSN(name) || strings.Trim(name, letters) != "" {
		return path
	}
	return strings.TrimPrefix(path+"."+name, ".")
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
