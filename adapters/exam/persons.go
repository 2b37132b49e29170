package exam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Persons is the file with those who do not exist, whom the source knows all the same, and
// with what must come of a question about them. It may also say it of nobody.
type Persons struct {
	// Party is the code of the party that answers: each line is of it. Empty: not looked at.
	Party string `yaml:"party,omitempty"`
	// From, To and HistoryFrom are the civil dates that are asked about, the last included.
	From        string `yaml:"from"`
	To          string `yaml:"to"`
	HistoryFrom string `yaml:"history_from"`
	// Unknown has numbers that the source knows nobody by; empty: those of nobody.
	Unknown Numbers  `yaml:"unknown,omitempty"`
	Persons []Person `yaml:"persons"`
}

// Numbers by which a source knows a person.
type Numbers struct {
	BSN             string `yaml:"bsn,omitempty"`
	EducationNumber string `yaml:"education_number,omitempty"`
	PassNumber      string `yaml:"pass_number,omitempty"`
}

// Person who does not exist.
type Person struct {
	// ID stands in the report.
	ID string `yaml:"id"`
	// Name the source has for them; it may come out nowhere.
	Name    string `yaml:"name,omitempty"`
	Numbers `yaml:",inline"`
	// Answer is a FetchResponse by the names of the proto file, without what differs each time.
	// Error is the reason of the error that comes instead.
	Answer any    `yaml:"answer,omitempty"`
	Error  string `yaml:"error,omitempty"`
}

// Nobody's numbers: burgerservicenummers that begin with 9999 are given to nobody. That of a
// pupil is no burgerservicenummer.
const (
	nobody  = "999990019"
	noPupil = "999940011"
)

// mostPersons bounds the file.
const (
	mostPersons = 64
	mostBytes   = 4 << 20
)

// ReadPersons reads the file. Errors: ErrConfig.
func ReadPersons(path string) (*Persons, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	p, err := parsePersons(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; docs/exam.md has an example", ErrConfig, path, err)
	}
	return p, nil
}

func parsePersons(raw []byte) (*Persons, error) {
	if len(raw) > mostBytes {
		return nil, fmt.Errorf("at most %d bytes", mostBytes)
	}
	var p Persons
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil {
		return nil, errors.New(unreadable(err))
	}
	if len(p.Persons) > mostPersons {
		return nil, fmt.Errorf("persons: at most %d", mostPersons)
	}
	seen := map[string]bool{}
	for i, one := range p.Persons {
		switch {
		case one.ID == "" || seen[one.ID]:
			return nil, fmt.Errorf("persons[%d].id: a name in the report is needed, each once", i)
		case one.Numbers == Numbers{}:
			return nil, fmt.Errorf("persons[%d]: a number is needed", i)
		case one.Answer != nil && one.Error != "":
			return nil, fmt.Errorf("persons[%d]: answer or error, not both", i)
		}
		seen[one.ID] = true
		if _, err := one.golden(); err != nil {
			return nil, fmt.Errorf("persons[%d].answer: %w", i, err)
		}
	}
	if p.From == "" || p.To == "" {
		return nil, fmt.Errorf("from and to, the civil dates that are asked about, are needed")
	}
	if p.HistoryFrom == "" {
		p.HistoryFrom = p.From
	}
	return &p, nil
}

// golden is the answer that must come; nil when the file does not say.
func (p Person) golden() (*answer, error) {
	if p.Answer == nil {
		return nil, nil
	}
	raw, err := json.Marshal(p.Answer)
	if err != nil {
		return nil, err
	}
	var a budgetv1.FetchResponse
	if err := protojson.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("no FetchResponse by the names of the proto file")
	}
	return settled(&a), nil
}

// canaries are the texts that may come out nowhere.
func (p *Persons) canaries() (all []string) {
	if p == nil {
		return nil
	}
	for _, one := range p.Persons {
		all = append(all, one.Name, one.BSN, one.EducationNumber, one.PassNumber)
	}
	return append(all, p.Unknown.BSN, p.Unknown.EducationNumber, p.Unknown.PassNumber, nobody, noPupil)
}

// unknown gives numbers that the source knows nobody by.
func (p *Persons) unknown() Numbers {
	if p == nil || p.Unknown == (Numbers{}) {
		return Numbers{BSN: nobody, EducationNumber: noPupil, PassNumber: nobody}
	}
	return p.Unknown
}

// How the YAML library says where, and of which key.
var (
	atLine  = regexp.MustCompile(`line (\d+): `)
	unknown = regexp.MustCompile(`field (\S{1,64}) not found in type`)
)

// unreadable words what the YAML library says, without types of Go and without what stands in
// the file, which are persons.
func unreadable(err error) string {
	where := ""
	if m := atLine.FindStringSubmatch(err.Error()); m != nil {
		where = "line " + m[1] + ": "
	}
	var kind *yaml.TypeError
	switch m := unknown.FindStringSubmatch(err.Error()); {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case m != nil:
		return where + fmt.Sprintf("unknown key %q", m[1])
	case errors.As(err, &kind):
		return where + "a text, a list or keys stand here where something else is needed"
	}
	return where + "this cannot be read as YAML"
}
