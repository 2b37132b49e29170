package wording

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// refusals is reasons/refusals.<lang>.yaml: why a part of a plan cannot be paid so,
// and what can be done instead.
type refusals struct {
	// Part words what one budget pays; Beside stands between two of them.
	Part     string                 `yaml:"part"`
	Beside   string                 `yaml:"beside"`
	Refusals map[string]refusalText `yaml:"refusals"`
}

type refusalText struct {
	Why     string `yaml:"why"`
	Instead string `yaml:"instead"`
}

// Refusal words why an allocation of a plan cannot be paid so, and the lawful way
// to reach the same. Params may hold law (a code or a list, "WMO, JW"), product,
// label, person, from, to and date as for Finding; basis, its id; amount in cents, which is
// written in euros; and parts, what each budget pays: one "person law cents" per line of
// text. A code that is not known gives empty texts.
func (t *Texts) Refusal(code, lang string, params map[string]string) (why, instead string) {
	text, ok := t.language(lang).refusals.Refusals[code]
	if !ok {
		return "", ""
	}
	worded := map[string]string{}
	for name, value := range params {
		switch name {
		case "amount":
			value = euros(value, lang)
		case "parts":
			value = t.parts(value, lang)
		}
		worded[name] = value
	}
	return t.fill(text.Why, lang, worded), t.fill(text.Instead, lang, worded)
}

// parts words a list of parts. What has not the form of one is left out.
func (t *Texts) parts(list, lang string) string {
	r := t.language(lang).refusals
	var worded []string
	for entry := range strings.Lines(list) {
		entry = strings.TrimSuffix(entry, "\n")
		at := strings.LastIndexByte(entry, ' ')
		if at < 0 {
			continue
		}
		who, law, found := cutLast(entry[:at])
		if !found {
			continue
		}
		part := map[string]string{"person": who, "law": law, "amount": euros(entry[at+1:], lang)}
		worded = append(worded, t.fill(r.Part, lang, part))
	}
	return strings.Join(worded, r.Beside)
}

// cutLast cuts at the last space: a person's reference may hold one, a law not.
func cutLast(s string) (before, after string, found bool) {
	at := strings.LastIndexByte(s, ' ')
	if at < 0 {
		return "", s, false
	}
	return s[:at], s[at+1:], true
}

// euros writes cents as a language writes euros: "€ 14.976,00", "€14,976.00". What
// is no number of cents stays as it is.
func euros(cents, lang string) string {
	n, err := strconv.ParseInt(cents, 10, 64)
	if err != nil {
		return cents
	}
	sign, digits := "", strconv.FormatInt(n, 10)
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	digits = strings.Repeat("0", max(0, 3-len(digits))) + digits
	whole, rest := digits[:len(digits)-2], digits[len(digits)-2:]
	thousands, point, euro := ".", ",", "€ "
	if lang == English {
		thousands, point, euro = ",", ".", "€"
	}
	var grouped strings.Builder
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			grouped.WriteString(thousands)
		}
		grouped.WriteRune(d)
	}
	return sign + euro + grouped.String() + point + rest
}

func readRefusals(fsys fs.FS, lang string) (refusals, error) {
	var r refusals
	err := readTable(fsys, "reasons/refusals."+lang+".yaml", &r)
	return r, err
}

// check refuses empty texts, and places that nobody fills in.
func (r refusals) check(lang string, unknown map[string]string) error {
	own := []string{"amount", "parts", "basis"}
	for code, text := range r.Refusals {
		for _, one := range []string{text.Why, text.Instead, r.Part, r.Beside} {
			if one == "" {
				return fmt.Errorf("%w: reasons/refusals.%s.yaml: %s, part or beside is empty", ErrTable, lang, code)
			}
			for _, name := range places(one) {
				if _, ok := unknown[name]; !ok && !slices.Contains(own, name) {
					return fmt.Errorf("%w: reasons/refusals.%s.yaml: %s has a place {%s} that nobody fills", ErrTable, lang, code, name)
				}
			}
		}
	}
	return nil
}
