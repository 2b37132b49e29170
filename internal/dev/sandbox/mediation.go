package sandbox

import (
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/google/uuid"
)

// mediation writes a bemiddelingspecificatie of a case as the register has it: the person
// and the responsible office on the mediation that it is part of, percentages in
// hundredths. What a case does not say is made up, and always the same.
func (h *host) mediation(raw json.RawMessage, n int) json.RawMessage {
	var own map[string]json.RawMessage
	if json.Unmarshal(raw, &own) != nil {
		return raw
	}
	out := map[string]any{}
	for name, value := range own {
		out[name] = value
	}
	of := map[string]any{
		"bemiddelingID":                    h.id("bemiddeling", n),
		"wlzIndicatieID":                   h.id("indicatie", n),
		"client":                           map[string]any{"clientID": h.id(text(raw, "bsn"), 0), "bsn": text(raw, "bsn")},
		"verantwoordelijkZorgkantoor":      h.party.SchemeCode(),
		"verantwoordelijkheidIngangsdatum": text(raw, "toewijzingIngangsdatum"),
		"verantwoordelijkheidEinddatum":    nil,
	}
	for name := range of {
		if value, told := own[name]; told {
			of[name] = value
			delete(out, name)
		}
	}
	delete(out, "bsn")
	out["bemiddeling"] = of
	out["bemiddelingspecificatieID"] = cmp.Or(text(raw, "bemiddelingspecificatieID"), h.id("specificatie", n))
	out["vaststellingMoment"] = cmp.Or(text(raw, "vaststellingMoment"), text(raw, "toewijzingIngangsdatum")+"T00:00:00Z")
	for _, name := range []string{"percentage", "pgbPercentage"} {
		if percent, err := strconv.Atoi(text(raw, name)); err == nil {
			out[name] = 100 * percent
		}
	}
	written, err := json.Marshal(out)
	if err != nil {
		return raw
	}
	return written
}

// id makes up the id of something that the party holds.
func (h *host) id(what string, n int) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(h.party.Code+"/"+what+"/"+strconv.Itoa(n))).String()
}
