package mapping

import "strings"

// What becomes of a code that a table does not have.
const (
	unknownNotice = "notice" // it stays as it is, with a notice UNKNOWN_CODE
	unknownRefuse = "refuse" // the record is odd: BAD_DATA_AT_SOURCE
	unknownDrop   = "drop"   // it is left out, with a notice UNKNOWN_CODE
)

// table says what the codes of a source mean.
type table struct {
	fold    bool // capitals do not count; the keys are in capitals
	unknown string
	values  map[string]string
	labels  map[string]string // of a code that comes out, in Dutch
}

// mostCodes bounds a table.
const mostCodes = 2000

// tables reads the section codes.
func tables(s *Section) map[string]*table {
	all := map[string]*table{}
	for _, name := range s.Keys() {
		one := s.Under(name)
		if one == nil {
			continue
		}
		one.Known("unknown", "fold", "values", "labels")
		one.Need("unknown", "values")
		t := &table{
			unknown: one.Word("unknown", unknownRefuse, unknownNotice, unknownDrop), fold: one.Flag("fold"),
			values: texts(one.Under("values")), labels: texts(one.Under("labels")),
		}
		if t.fold {
			t.values = folded(one, t.values)
		}
		if len(t.values) > mostCodes {
			one.Problem("values", "ten hoogste 2000 codes", "at most 2000 codes")
		}
		all[name] = t
	}
	return all
}

func texts(s *Section) map[string]string {
	all := map[string]string{}
	for _, key := range s.Keys() {
		all[key] = s.Text(key)
	}
	return all
}

// folded has the keys in capitals.
func folded(s *Section, values map[string]string) map[string]string {
	all := map[string]string{}
	for key, code := range values {
		upper := strings.ToUpper(key)
		if _, twice := all[upper]; twice {
			s.Problem("values", "twee codes verschillen alleen in hoofdletters", "two codes differ in capitals alone")
		}
		all[upper] = code
	}
	return all
}
