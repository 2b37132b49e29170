package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/ontschot/ontschot/adapters"
)

// JSON reads one JSON value. Numbers are kept as they are written. The error is bad data
// at /, for what is no JSON, has something behind it, or is too large.
func JSON(raw []byte) (Node, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")) // RFC 8259, section 8.1
	r := jsonReader{d: json.NewDecoder(bytes.NewReader(raw)), raw: raw}
	r.d.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return Node{}, err
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return Node{}, errJSON()
	}
	return Node{v: v}, nil
}

func errJSON() error { return adapters.BadData("/", "JSON") }

type jsonReader struct {
	d        *json.Decoder
	raw      []byte
	elements int
}

func (r *jsonReader) value(depth int) (*value, error) {
	if r.elements++; r.elements > mostElements {
		return nil, tooMuch()
	}
	if depth > mostDepth { // what is this deep costs the record that holds it
		var deep json.RawMessage
		if r.d.Decode(&deep) != nil {
			return nil, errJSON()
		}
		return &value{kind: tooDeep, json: true}, nil
	}
	t, err := r.d.Token()
	if err != nil {
		return nil, errJSON()
	}
	switch t := t.(type) {
	case nil:
		return &value{kind: null, json: true}, nil
	case string:
		return &value{text: t, json: true}, nil
	case json.Number:
		return &value{text: t.String(), number: true, json: true}, nil
	case bool:
		return &value{text: strconv.FormatBool(t), truth: true, json: true}, nil
	}
	v := &value{kind: list, json: true}
	start := r.d.InputOffset() - 1
	if t == json.Delim('{') {
		v.kind = object
	}
	for r.d.More() {
		m := member{}
		if v.kind == object {
			name, err := r.d.Token()
			if err != nil {
				return nil, errJSON()
			}
			m.name, _ = name.(string)
		}
		if m.value, err = r.value(depth + 1); err != nil {
			return nil, err
		}
		v.members = append(v.members, m)
	}
	if _, err := r.d.Token(); err != nil {
		return nil, errJSON()
	}
	v.raw = r.raw[start:r.d.InputOffset()]
	return v, nil
}
