package agreement

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ontschot/ontschot/internal/identity"
)

// width at which texts are folded.
const width = 88

// writer writes YAML for people: a comment in Dutch above each part.
type writer struct {
	strings.Builder
	name func(identity.OIN) string
}

// WriteDraft writes terms as a draft that a lawyer can read and ReadDraft reads back
// unchanged. It leaves out id, replaces and proposed_at. name gives the name of an
// organisation, for the comment behind its OIN; nil or "" gives none.
func WriteDraft(t Terms, name func(identity.OIN) string) []byte {
	w := &writer{name: name}
	w.lines("# Overeenkomst, in concept. Zij geldt pas als beide partijen haar hebben getekend.",
		fmt.Sprintf("version: %d", t.Version), "")
	w.parties(t.Parties)
	w.lines("# Wat een partij aan een andere mag vragen. Meer dan hier staat, wordt nooit gedeeld.", "grants:")
	for _, g := range t.Grants {
		w.grant(g)
	}
	w.lines("", "# Het geld.", "finance:")
	w.text("  ", "settlement", "Hoe er wordt afgerekend.", t.Finance.Settlement)
	w.text("  ", "cost_share", "Wie welke kosten draagt.", t.Finance.CostShare)
	w.oversight(t.Oversight)
	w.lines("")
	w.text("", "sunset", "Wat er gebeurt als de wettelijke grond vervalt.", t.Sunset)
	w.lines("", "# De eerste en de laatste dag waarop de overeenkomst geldt. Beide tellen mee.",
		"from: "+quoted(t.From), "until: "+quoted(t.Until))
	return []byte(w.String())
}

func (w *writer) lines(lines ...string) {
	for _, line := range lines {
		w.WriteString(line)
		w.WriteByte('\n')
	}
}

func (w *writer) parties(ps []Party) {
	w.lines("# De partijen, met hun organisatie-identificatienummer (OIN). De rol: consumer vraagt",
		"# gegevens, source geeft ze, both doet het allebei.", "parties:")
	for _, p := range ps {
		w.lines("  - oin: "+w.oin(p.OIN), "    role: "+code(p.Role))
	}
	w.lines("")
}

func (w *writer) grant(g Grant) {
	w.lines("  # Wie vraagt, en aan wie.",
		"  - consumer: "+w.oin(g.Consumer), "    source: "+w.oin(g.Source),
		"    # Waarvoor de gegevens worden gebruikt.")
	w.list("    ", "purposes", g.Purposes)
	w.lines("    # Welke soorten gegevens.")
	w.list("    ", "categories", g.Categories)
	w.lines("    # De grond in de AVG.", "    legal_basis: "+code(g.LegalBasis),
		"    # Hoe zeker de medewerker zich heeft gemeld, ten minste: laag, substantieel of hoog.", "    assurance: "+code(g.Assurance),
		"    # Hoeveel dagen de vrager de gegevens ten hoogste bewaart.", fmt.Sprintf("    retention_days: %d", g.RetentionDays),
		"    # Hoeveel dagen er op een antwoord wordt voortgebouwd. Daarna wordt opnieuw gevraagd.", fmt.Sprintf("    max_age_days: %d", g.MaxAgeDays),
		"    # Hoeveel vragen per minuut de bron aanneemt.", fmt.Sprintf("    rate_per_minute: %d", g.RatePerMinute))
}

func (w *writer) oversight(o Oversight) {
	w.lines("", "# Het toezicht.", "oversight:", "  # Wie mag nagaan hoe het geld is besteed (OIN's).")
	if len(o.Auditors) == 0 {
		w.lines("  auditors: []")
	} else {
		w.lines("  auditors:")
	}
	for _, auditor := range o.Auditors {
		w.lines("    - " + w.oin(auditor))
	}
	w.lines("  # De SHA-256 van de gegevensbeschermingseffectbeoordeling (DPIA, AVG art. 35).", "  dpia_sha256: "+quoted(o.DPIA),
		"  # Wie er bij een datalek wordt gewaarschuwd (AVG art. 33).", "  breach_contact: "+quoted(o.BreachContact),
		"  # Hoeveel getuigen van buiten het logboek mee ondertekenen.", fmt.Sprintf("  witnesses: %d", o.Witnesses))
}

func (w *writer) list(indent, key string, codes []string) {
	if len(codes) == 0 {
		w.lines(indent + key + ": []")
		return
	}
	w.lines(indent + key + ":")
	for _, c := range codes {
		w.lines(indent + "  - " + code(c))
	}
}

// text writes a comment and below it a text, folded into lines (YAML 1.2, 8.1.3).
func (w *writer) text(indent, key, comment, s string) {
	w.lines(indent + "# " + comment)
	if !isText(s, len(s)) {
		w.lines(indent + key + ": " + quoted(s)) // folding would change it
		return
	}
	w.WriteString(indent + key + ": >-")
	at := width
	for word := range strings.SplitSeq(s, " ") {
		if at+len(word) >= width {
			w.WriteString("\n" + indent + "  ")
			at = len(indent) + 1
		} else {
			w.WriteByte(' ')
		}
		w.WriteString(word)
		at += 1 + len(word)
	}
	w.WriteByte('\n')
}

// oin is always quoted: unquoted, YAML takes it for a number.
func (w *writer) oin(o identity.OIN) string {
	if w.name == nil || w.name(o) == "" {
		return quoted(string(o))
	}
	printable := func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1 // a line break would end the comment
	}
	return quoted(string(o)) + " # " + strings.Map(printable, w.name(o))
}

// quoted is a string as JSON writes it, which YAML reads as the same.
func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return `""` // strings always have a JSON form
	}
	return string(raw)
}

// code is written bare, unless YAML could read it as something else.
func code(s string) string {
	special := []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
	if s == "" || !strings.Contains(lower, s[:1]) || !only(s, lower+digit+"_-.") || slices.Contains(special, s) {
		return quoted(s)
	}
	return s
}
