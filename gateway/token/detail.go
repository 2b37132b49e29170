package token

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
)

// DetailType is the type of the details that are read.
const DetailType = "ontschot"

// everything must be written out: an empty list names nothing.
const everything = "*"

// Detail of type "ontschot" (RFC 9396 section 2): the purposes the token may be used
// for, and of which sources it allows which categories. Several details are
// alternatives; what one names is never combined with what another does.
type Detail struct {
	Type       string   `json:"type"`
	Purposes   []string `json:"purposes"`
	Sources    []string `json:"sources"`    // OINs, or "*"
	Categories []string `json:"categories"` // names, or "*"
}

// UnmarshalJSON refuses a member that is not known, which may be meant to narrow.
// Details of other types are for others, and nothing is read of them.
func (d *Detail) UnmarshalJSON(raw []byte) error {
	var says struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &says); err != nil {
		return err
	}
	*d = Detail{Type: says.Type}
	if says.Type != DetailType {
		return nil
	}
	type plain Detail
	exact := json.NewDecoder(bytes.NewReader(raw))
	exact.DisallowUnknownFields()
	return exact.Decode((*plain)(d))
}

func (d Detail) may(purpose string) bool {
	return d.Type == DetailType && slices.Contains(d.Purposes, purpose)
}

// reaches reports whether it names the source, and anything of it.
func (d Detail) reaches(source identity.OIN) bool {
	return names(d.Sources, string(source)) && len(d.Categories) > 0
}

func names(list []string, one string) bool {
	return slices.Contains(list, one) || slices.Contains(list, everything)
}
