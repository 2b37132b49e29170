package sandbox

import "encoding/json"

// store holds what one party has, by kind of record, each in its native shape.
type store struct {
	lists map[string][]json.RawMessage // award, case_system, wmo301, jw301, suwi, zvw, ...
	iwlz  map[string][]json.RawMessage // by register
}

func newStore(records map[string]json.RawMessage) *store {
	s := &store{lists: map[string][]json.RawMessage{}, iwlz: map[string][]json.RawMessage{}}
	for kind, raw := range records {
		if kind != "iwlz" {
			s.lists[kind] = list(raw)
			continue
		}
		var registers map[string]json.RawMessage
		_ = json.Unmarshal(raw, &registers) // no object: no registers
		for name, held := range registers {
			s.iwlz[name] = list(held)
		}
	}
	return s
}

// list takes a list, and one record by itself as a list of one.
func list(raw json.RawMessage) (items []json.RawMessage) {
	if json.Unmarshal(raw, &items) != nil {
		return []json.RawMessage{raw}
	}
	return items
}

// of gives the records of one kind about one person: those whose number, at the
// path that this kind has it at, is the given one.
func of(list []json.RawMessage, bsn string, path ...string) []json.RawMessage {
	found := []json.RawMessage{}
	for _, raw := range list {
		if text(raw, path...) == bsn {
			found = append(found, raw)
		}
	}
	return found
}

// text gives the string or number at a path in an object; empty when there is none.
func text(raw json.RawMessage, path ...string) string {
	for _, key := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return ""
		}
		raw = object[key]
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}
