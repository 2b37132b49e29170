package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter is an adapter by a mapping.
type Adapter struct {
	kind    Kind
	own     *Mapping // compiled into the program; nil when the configuration has it
	wrong   error    // with the one that was compiled in
	current atomic.Pointer[configured]
}

type configured struct {
	mapping *Mapping
	asking  Asking
}

// New gives an adapter of a kind. raw is the mapping that belongs to the program; without
// one the configuration has a key mapping, with the text of it. What is wrong with the
// program's own is what Configure says.
func New(kind Kind, raw []byte) *Adapter {
	a := &Adapter{kind: kind}
	if len(raw) > 0 {
		a.own, a.wrong = Parse(kind, raw)
	}
	return a
}

// Describe implements adapters.Adapter. By a mapping that is compiled in it always says the
// same. Without one it names no law and no identifier, and so is sent nothing, until it
// is configured; its id is that of its kind.
func (a *Adapter) Describe() *adapterv1.DescribeResponse {
	facts := a.kind.Facts()
	d := &adapterv1.DescribeResponse{Id: facts.Name, Version: "1.0.0"}
	if a.own != nil {
		d = a.own.Describe()
	} else if now := a.current.Load(); now != nil {
		d = now.mapping.Describe()
		d.Id = facts.Name
	}
	d.ConfigSchema, d.Secrets, d.Egress = facts.Schema, facts.Secrets, facts.Egress
	return d
}

// Configure implements adapters.Adapter: all of a new configuration, or what there was.
func (a *Adapter) Configure(_ context.Context, c adapters.Config) error {
	m, rest, err := a.mapping(c)
	if err != nil {
		return err
	}
	asking, err := m.plan.Connect(rest)
	if err != nil {
		return err
	}
	if before := a.current.Swap(&configured{m, asking}); before != nil {
		time.AfterFunc(longestUse, before.close) // questions that were asked of it have ended by then
	}
	return nil
}

// longestUse is longer than any question takes.
const longestUse = time.Minute

func (c *configured) close() {
	if held, ok := c.asking.(io.Closer); ok {
		_ = held.Close()
	}
}

// Validate implements adapters.Validator: everything that is wrong with the mapping, its
// tests among that, and with the rest of a configuration.
func (a *Adapter) Validate(_ context.Context, c adapters.Config) error {
	m, rest, err := a.mapping(c)
	if err != nil {
		return err
	}
	asking, err := m.plan.Connect(rest)
	if err == nil {
		(&configured{m, asking}).close()
	}
	return errors.Join(refused(m.Test()), err)
}

// mapping takes the mapping out of a configuration.
func (a *Adapter) mapping(c adapters.Config) (*Mapping, adapters.Config, error) {
	var keys map[string]json.RawMessage
	var text string
	if json.Unmarshal(c.JSON, &keys) != nil {
		return nil, c, c.Decode(&keys)
	}
	raw, there := keys["mapping"]
	switch {
	case a.wrong != nil:
		return nil, c, refused(a.wrong)
	case a.own != nil && there:
		return nil, c, &adapters.ConfigError{Path: "mapping", NL: "dit programma heeft er zelf een", EN: "this program has one of its own"}
	case a.own != nil:
		return a.own, c, nil
	case !there || json.Unmarshal(raw, &text) != nil:
		return nil, c, &adapters.ConfigError{Path: "mapping", NL: "de tekst van een mapping is nodig (config_files)", EN: "the text of a mapping is needed (config_files)"}
	}
	m, err := Parse(a.kind, []byte(text))
	if err != nil {
		return nil, c, refused(err)
	}
	delete(keys, "mapping")
	if c.JSON, err = json.Marshal(keys); err != nil {
		return nil, c, adapters.Bug()
	}
	return m, c, nil
}

// refused is what is wrong with a mapping, as findings on a configuration.
func refused(err error) error {
	problems := asProblems(err)
	if len(problems) == 0 {
		return err
	}
	var all []error
	for _, p := range problems {
		all = append(all, p.config())
	}
	return errors.Join(all...)
}

// Fetch implements adapters.Adapter.
func (a *Adapter) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	now := a.current.Load()
	if now == nil {
		return adapters.NotConfigured()
	}
	person, err := now.mapping.take(r)
	if err != nil {
		return err
	}
	if !now.mapping.asked(r) {
		return nil
	}
	found, err := now.asking.Ask(ctx, Question{
		Person: person, From: r.GetWindow().GetFrom(), To: r.GetWindow().GetTo(), History: r.GetHistoryFrom(), Trace: r.GetTrace(),
	})
	if err != nil {
		return err
	}
	return now.mapping.write(found, person, now.asking.Us(), out)
}

// ReadAnswer writes what comes of one whole answer of the source, in the form that the
// tests of a mapping have it. It is for tests: nothing is asked.
func (m *Mapping) ReadAnswer(raw []byte, person Person, us Us, out *adapters.Writer) error {
	found, err := m.plan.Read(raw, person)
	if err != nil {
		return err
	}
	return m.write(Answer{List: found}, person, us, out)
}

// write puts an answer in the writer.
func (m *Mapping) write(found Answer, person Person, us Us, out *adapters.Writer) error {
	if !found.AsOf.IsZero() {
		out.AsOf(found.AsOf)
	}
	if found.Stale {
		out.Notice(adapters.NoticeStale, "", "")
	}
	found.Notice(out)
	return m.Read(found.Records, person, us, out)
}

// take takes the identifier of the mapping out of a request.
func (m *Mapping) take(r *budgetv1.FetchRequest) (Person, error) {
	var person Person
	var err error
	switch m.identifier {
	case "bsn":
		person, err = adapters.TakeBSN(r)
	case "education_number":
		person, err = adapters.TakeEducationNumber(r)
	case "pass_number":
		person, err = adapters.TakePassNumber(r)
	default:
		err = errors.New("no identifier")
	}
	return person, err
}

// asked reports whether anything that the mapping gives may be disclosed.
func (m *Mapping) asked(r *budgetv1.FetchRequest) bool {
	if m.own == nil {
		return len(adapters.Asked(r, m.laws...)) > 0
	}
	return slices.ContainsFunc(m.laws, func(law string) bool {
		return slices.Contains(adapters.Granted(r, law), budgetv1.CategoryOwnContribution)
	})
}
