package authzen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/identity"
)

// Bounds of a body.
const (
	maxBody        = 256 << 10
	maxEvaluations = 64
	maxDepth       = 8
)

// Semantics of several evaluations (Authorization API 1.0, section 7.1.2).
const (
	executeAll        = "execute_all"
	denyOnFirstDeny   = "deny_on_first_deny"
	permitOnFirstYes  = "permit_on_first_permit"
	errNotJSON        = "is not one JSON object without members that are listed twice"
	resourceOfAnAct   = "operation"
	membersOfARequest = "subject action resource context"
)

// request is one evaluation: its members as they came.
type request map[string]json.RawMessage

// several is what evaluations asks.
type several struct {
	requests []request
	semantic string
	single   bool // no evaluations: it is one evaluation, and is answered as one
}

// readOne reads the body of an evaluation.
func readOne(body []byte) (request, error) {
	var q request
	if err := strict(body, &q); err != nil {
		return nil, err
	}
	return q.known(), nil
}

// known leaves out members that nobody knows.
func (q request) known() request {
	maps.DeleteFunc(q, func(name string, _ json.RawMessage) bool {
		return !slices.Contains(strings.Fields(membersOfARequest), name)
	})
	return q
}

// readSeveral reads the body of evaluations. What stands beside them holds for those that
// do not say it themselves, member by member, whole.
func readSeveral(body []byte) (several, error) {
	var top request
	if err := strict(body, &top); err != nil {
		return several{}, err
	}
	s := several{semantic: executeAll}
	if err := s.readOptions(top["options"]); err != nil {
		return several{}, err
	}
	var list []request
	if raw, ok := top["evaluations"]; ok && json.Unmarshal(raw, &list) != nil {
		return several{}, admission.Invalid("evaluations", "is no list of objects")
	}
	if len(list) > maxEvaluations {
		return several{}, admission.Invalid("evaluations", "has more than %d entries", maxEvaluations)
	}
	top.known()
	if len(list) == 0 {
		s.requests, s.single = []request{top}, true
		return s, nil
	}
	for i, q := range list {
		if q == nil {
			return several{}, admission.Invalid(fmt.Sprintf("evaluations[%d]", i), "is no object")
		}
		for name, value := range top {
			if _, own := q.known()[name]; !own {
				q[name] = value
			}
		}
	}
	s.requests = list
	return s, nil
}

func (s *several) readOptions(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	var options map[string]json.RawMessage
	if json.Unmarshal(raw, &options) != nil {
		return admission.Invalid("options", "is no object")
	}
	value, said := options["evaluations_semantic"] // of other options the standard says nothing
	if said && (json.Unmarshal(value, &s.semantic) != nil || !slices.Contains([]string{executeAll, denyOnFirstDeny, permitOnFirstYes}, s.semantic)) {
		return admission.Invalid("options.evaluations_semantic", "is %s, %s or %s", executeAll, denyOnFirstDeny, permitOnFirstYes)
	}
	return nil
}

// ends reports whether nothing is judged after an answer.
func (s several) ends(decision bool) bool {
	return s.semantic == denyOnFirstDeny && !decision || s.semantic == permitOnFirstYes && decision
}

// raw is the request as one object again.
func (q request) raw() []byte {
	raw, err := json.Marshal(q)
	if err != nil {
		return nil // raw messages that were read are JSON
	}
	return raw
}

// contract that it names; empty: none.
func (q request) contract() string {
	var c struct {
		Contract string `json:"contract"`
	}
	_ = json.Unmarshal(q["context"], &c) // of another type: it names none
	return c.Contract
}

// work is an operation without its resource, which AuthZEN asks for: {type: operation, id:
// the name of the action}.
func (q request) work() ([]byte, error) {
	var action, resource map[string]any
	if json.Unmarshal(q["action"], &action) != nil || json.Unmarshal(q["resource"], &resource) != nil ||
		resource["type"] != resourceOfAnAct || action["name"] == nil || resource["id"] != action["name"] {
		return nil, admission.Invalid("resource", `must be {"type": "operation", "id": the name of the action}`)
	}
	rest := maps.Clone(q)
	delete(rest, "resource")
	return rest.raw(), nil
}

// ofAPerson is the path of a text that may be a burgerservicenummer; empty: there is none.
func ofAPerson(in policy.Input) string {
	texts := map[string]string{"resource.id": in.Resource.ID}
	if a := in.Context.Agreement; a != nil {
		texts["context.agreement.id"] = a.ID
	}
	if c := in.Context.Consent; c != nil {
		texts["context.consent.id"], texts["context.consent.subject"] = c.ID, c.Subject
	}
	for _, path := range []string{"resource.id", "context.agreement.id", "context.consent.id", "context.consent.subject"} {
		if identity.LooksLikeBSN(texts[path]) {
			return path
		}
	}
	return ""
}

// strict reads one JSON object: no member twice, also in another case, nothing behind it,
// and no deeper than anything of the contract is.
func strict(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if len(bytes.TrimSpace(body)) == 0 || bytes.TrimSpace(body)[0] != '{' || once(d, 0) != nil {
		return admission.Invalid("body", errNotJSON)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return admission.Invalid("body", errNotJSON)
	}
	if json.Unmarshal(body, into) != nil {
		return admission.Invalid("body", errNotJSON)
	}
	return nil
}

// errTwice ends the reading of a value; what it was is not said.
var errTwice = errors.New("a member is listed twice, or it is too deep")

// once walks one value.
func once(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return errors.Join(err, errTwice)
	}
	bracket, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if bracket == '{' {
			name, err := d.Token()
			text, _ := name.(string)
			if text = strings.ToLower(text); err != nil || seen[text] {
				return errors.Join(err, errTwice)
			}
			seen[text] = true
		}
		if err := once(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
