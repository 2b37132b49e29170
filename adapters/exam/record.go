package exam

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

// Record asks about each person and gives the file of persons with what came, for somebody
// who then reads whether that is right. Errors: ErrConfig.
func Record(ctx context.Context, c Config) ([]byte, error) {
	if c.Persons == nil {
		return nil, fmt.Errorf("%w: persons are needed", ErrConfig)
	}
	x := &examination{Config: c, first: map[string]told{}, ears: newEars(c.Persons, c.Secrets)}
	defer x.end()
	if f := greeted(ctx, x); f != nil {
		return nil, fmt.Errorf("%w: %s", ErrConfig, x.ears.cleaned(f.seen).EN)
	}
	filled := *c.Persons // with an answer to everybody, also when it is empty
	filled.Persons = append([]Person{}, c.Persons.Persons...)
	for i := range filled.Persons {
		p := &filled.Persons[i]
		now, f := x.about(ctx, *p)
		if f != nil {
			return nil, fmt.Errorf("%w: %s: %s", ErrConfig, p.ID, x.ears.cleaned(f.seen).EN)
		}
		p.Answer, p.Error = nil, reason(now.err)
		switch {
		case now.err != nil && p.Error == "":
			return nil, fmt.Errorf("%w: %s: %s", ErrConfig, p.ID, outcome(now.err))
		case now.answer != nil:
			raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(settled(now.answer.FetchResponse))
			if err != nil {
				return nil, fmt.Errorf("%w: %s: an answer that cannot be written", ErrConfig, p.ID)
			}
			if err := json.Unmarshal(raw, &p.Answer); err != nil {
				return nil, err
			}
		}
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(filled); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
