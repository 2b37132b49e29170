package mapping

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// trial is a test of a mapping: an answer of the source, and what comes of it.
type trial struct {
	at                *Section
	name, answer      string
	person            string
	from, to, history string
	us                Us
	lines, notices    []map[string]string
	contributions     []map[string]string
	refused           string
}

// mostTests bounds the tests of a mapping.
const mostTests = 200

func trials(s *Section) (all []trial) {
	list := s.List("tests")
	if s.Has("tests") && (len(list) == 0 || len(list) > mostTests) {
		s.Problem("tests", "een tot 200 tests", "one to 200 tests")
	}
	for _, one := range list {
		one.Known("name", "answer", "person", "from", "to", "history", "party", "scheme_codes", "lines", "own_contributions", "notices", "refused")
		one.Need("name", "answer", "person")
		t := trial{at: one, name: one.Text("name"), answer: one.Text("answer"), person: one.Text("person"), refused: one.Text("refused")}
		t.from, t.to, t.history = otherwise(one.Text("from"), "2025-01-01"), otherwise(one.Text("to"), "2025-12-31"), otherwise(one.Text("history"), "2024-01-01")
		t.us = Us{Party: otherwise(one.Text("party"), "PARTY"), Codes: one.Words("scheme_codes")}
		t.lines = expected(one, "lines", lineKeys())
		t.contributions = expected(one, "own_contributions", contributionKeys())
		t.notices = expected(one, "notices", noticeKeys())
		if one.Has("refused") && len(t.lines)+len(t.notices)+len(t.contributions) > 0 {
			one.Problem("refused", "niet samen met lines of notices", "not together with lines or notices")
		}
		all = append(all, t)
	}
	return all
}

func otherwise(text, default_ string) string {
	if text == "" {
		return default_
	}
	return text
}

func lineKeys() []string {
	return []string{"law", "kind", "form", "fungibility", "system", "product", "label", "local_code", "from", "to", "volume", "unit", "frequency",
		"cents", "divisor", "basis", "income", "number", "issued", "budget", "provider", "history"}
}

func contributionKeys() []string { return []string{"law", "from", "to", "cents", "household"} }

func noticeKeys() []string {
	return []string{"code", "reason", "law", "path", "rule", "element", "gap", "count"}
}

func expected(s *Section, key string, keys []string) (all []map[string]string) {
	for _, one := range s.List(key) {
		one.Known(keys...)
		all = append(all, texts(one))
	}
	return all
}

// Test runs the tests of a mapping and gives what did not come out as it says: nil when
// all did. Nothing is asked of any source.
func (m *Mapping) Test() error {
	doc := &document{}
	for _, t := range m.tests {
		t.run(m, doc)
	}
	return doc.failed()
}

// run says to doc what came out otherwise.
func (t trial) run(m *Mapping, doc *document) {
	say := func(key, nl, en string) {
		doc.say(t.at.at(key), join(t.at.path, key), nl, en)
	}
	a, err := t.fetch(m)
	if adapters.Reason(err) == adapters.ReasonScopeUnsupported {
		say("person", "geen nummer dat bij identifiers past, of geen data", "no number that fits identifiers, or no dates")
		return
	}
	if err != nil || t.refused != "" {
		if got := refusal(err); got != t.refused {
			say("refused", "geweigerd bij "+strconv.Quote(got)+", niet bij "+strconv.Quote(t.refused), "refused at "+strconv.Quote(got)+" ("+adapters.Rule(err)+"), not at "+strconv.Quote(t.refused))
		}
		return
	}
	for _, one := range []struct {
		key  string
		want []map[string]string
		got  []map[string]string
	}{{"lines", t.lines, linesOf(a)}, {"own_contributions", t.contributions, contributionsOf(a)}, {"notices", t.notices, noticesOf(a)}} {
		if diff := differ(one.want, one.got); diff != "" {
			say(one.key, "anders: "+diff, "different: "+diff)
		}
	}
}

// refusal is where a whole answer is refused, or why where it is refused at no place; empty
// when it is not.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	return cmp.Or(adapters.Path(err), adapters.Reason(err), adapters.ReasonAdapterBug)
}

// fetch gives the answer to a test's question, by the adapter's own way.
func (t trial) fetch(m *Mapping) (*budgetv1.FetchResponse, error) {
	r := &budgetv1.FetchRequest{
		Window: &budgetv1.Window{From: t.from, To: t.to}, HistoryFrom: t.history, Laws: m.laws, Identifiers: &budgetv1.Identifiers{},
	}
	switch m.identifier {
	case "bsn":
		r.Identifiers.Bsn = t.person
	case "education_number":
		r.Identifiers.EducationNumber = t.person
	default:
		r.Identifiers.PassNumber = t.person
	}
	for _, law := range m.laws {
		r.Scopes = append(r.Scopes, &budgetv1.Scope{Law: law, Categories: categories()})
	}
	key := sha256.Sum256([]byte(t.name))
	out, err := adapters.NewWriter(r, adapters.Origin{Adapter: m.id, Version: m.version, Key: key[:]})
	if err != nil {
		return nil, err
	}
	person, err := m.take(r)
	if err != nil {
		return nil, err
	}
	if err := m.ReadAnswer([]byte(t.answer), person, t.us, out); err != nil {
		return nil, err
	}
	return out.Response()
}

func categories() (all []string) {
	for _, c := range budgetv1.Categories() {
		all = append(all, string(c))
	}
	return all
}

func linesOf(a *budgetv1.FetchResponse) (all []map[string]string) {
	for _, l := range a.GetLines() {
		one := map[string]string{
			"law": l.GetLaw(), "kind": l.GetKind(), "form": l.GetDeliveryForm(), "fungibility": l.GetFungibility(),
			"system": l.GetProduct().GetSystem(), "product": l.GetProduct().GetCode(), "label": l.GetProduct().GetLabel(), "local_code": l.GetProduct().GetLocalCode(),
			"from": l.GetPeriod().GetStart(), "to": l.GetPeriod().GetEnd(),
			"volume": l.GetQuantity().GetVolume(), "unit": l.GetQuantity().GetUnit(), "frequency": l.GetQuantity().GetFrequency(),
			"number": l.GetDecision().GetNumber(), "issued": l.GetDecision().GetIssued(), "budget": l.GetDecision().GetBudget(), "provider": l.GetProvider(),
		}
		if x := l.GetAmount(); x != nil {
			one["cents"], one["basis"] = fmt.Sprint(x.GetCents()), x.GetBasis()
			if x.GetDivisor() > 0 {
				one["divisor"] = fmt.Sprint(x.GetDivisor())
			}
		}
		if x := l.GetIncome(); x != nil {
			one["income"], one["basis"] = fmt.Sprint(x.GetCents()), x.GetBasis()
		}
		all = append(all, one)
	}
	for _, h := range a.GetHistory() {
		all = append(all, map[string]string{"history": "true", "law": h.GetLaw(), "product": h.GetProduct().GetCode(), "from": h.GetPeriod().GetStart(), "to": h.GetPeriod().GetEnd()})
	}
	return all
}

func contributionsOf(a *budgetv1.FetchResponse) (all []map[string]string) {
	for _, c := range a.GetOwnContributions() {
		one := map[string]string{"law": c.GetLaw(), "from": c.GetPeriod().GetStart(), "to": c.GetPeriod().GetEnd()}
		if c.CentsPerMonth != nil {
			one["cents"] = fmt.Sprint(c.GetCentsPerMonth())
		}
		if c.GetHousehold() != "" { // a handle, by which nothing but that it is there can be told
			one["household"] = "true"
		}
		all = append(all, one)
	}
	return all
}

func noticesOf(a *budgetv1.FetchResponse) (all []map[string]string) {
	for _, n := range a.GetNotices() {
		one := map[string]string{
			"code": n.GetCode(), "reason": n.GetReason(), "law": n.GetLaw(), "path": n.GetPointer(), "rule": n.GetRule(),
			"element": n.GetElement(), "gap": n.GetGap(),
		}
		if n.GetCount() > 1 {
			one["count"] = fmt.Sprint(n.GetCount())
		}
		all = append(all, one)
	}
	return all
}

// differ says what of the expected did not come, and what came that was not expected;
// empty when neither is. Of each only the keys count that the mapping names.
func differ(want, got []map[string]string) string {
	left := slices.Clone(got)
	var missing []string
	for _, w := range want {
		at := slices.IndexFunc(left, func(g map[string]string) bool { return within(w, g) })
		if at < 0 {
			missing = append(missing, "not there: "+shown(w))
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	for _, g := range left {
		missing = append(missing, "not expected: "+shown(g))
	}
	text := strings.Join(missing, "; ")
	return text[:min(len(text), 2000)]
}

func within(want, got map[string]string) bool {
	for key, value := range want {
		if got[key] != value {
			return false
		}
	}
	return true
}

func shown(one map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(one)) {
		if one[key] != "" {
			all = append(all, key+": "+one[key])
		}
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// Validate reads a mapping and runs its tests. The error is Problems.
func Validate(kind Kind, raw []byte) (*Mapping, error) {
	m, err := Parse(kind, raw)
	if err != nil {
		return nil, err
	}
	return m, m.Test()
}
