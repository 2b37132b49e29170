package wording

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// complete refuses texts that are empty, that are there in one language only, or
// that have a place to fill in which nobody fills.
func (t *Texts) complete() error {
	s := t.now.Load()
	nl, en := s.languages[Dutch], s.languages[English]
	for _, lang := range []string{Dutch, English} {
		if err := s.languages[lang].check(lang); err != nil {
			return err
		}
	}
	for _, pair := range []struct {
		file   string
		nl, en []string
	}{
		{"", keys(nl.reasons), keys(en.reasons)},
		{"gaps.", nl.gapCodes(), en.gapCodes()},
		{"findings.", nl.findingCodes(), en.findingCodes()},
		{"refusals.", keys(nl.refusals.Refusals), keys(en.refusals.Refusals)},
		{"peer.", keys(nl.hops), keys(en.hops)},
		{"way.", slices.Sorted(slices.Values(nl.wayCodes())), slices.Sorted(slices.Values(en.wayCodes()))},
		{"notice.", keys(nl.notices.Purposes), keys(en.notices.Purposes)},
		{"notice.", keys(nl.notices.Roles), keys(s.catalogs["signers"])},
		{"notice.", keys(en.notices.Roles), keys(s.catalogs["signers"])},
		{"words.", keys(nl.words.Unknown), keys(en.words.Unknown)},
		{"words.", keys(nl.words.Numbers), keys(en.words.Numbers)},
	} {
		if code, differs := difference(pair.nl, pair.en); differs {
			return fmt.Errorf("%w: reasons/%s{nl,en}.yaml: %s is there in one language only", ErrTable, pair.file, code)
		}
	}
	return t.completeCatalogs()
}

func (l language) check(lang string) error {
	for code, r := range l.reasons {
		if err := l.texts(lang+".yaml", code, r.Short, r.Explanation, r.Do, r.Article); err != nil {
			return err
		}
	}
	for reason, g := range l.gaps {
		if err := l.texts("gaps."+lang+".yaml", reason, g.Short, g.Missing, g.Do+g.Act); err != nil {
			return err
		}
		for code, text := range g.Codes {
			if err := l.texts("gaps."+lang+".yaml", reason+" "+code, text.Missing, text.Do+text.Act); err != nil {
				return err
			}
		}
	}
	for code, f := range l.findings {
		if err := l.texts("findings."+lang+".yaml", code, f.Says, f.Do); err != nil {
			return err
		}
		for detail, text := range f.Codes {
			if err := l.texts("findings."+lang+".yaml", code+" "+detail, text.Says, text.Do); err != nil {
				return err
			}
		}
	}
	if err := l.refusals.check(lang, l.words.Unknown); err != nil {
		return err
	}
	if err := l.hops.check(lang); err != nil {
		return err
	}
	if err := l.ways.check(l, lang); err != nil {
		return err
	}
	if err := l.notices.check(lang); err != nil {
		return err
	}
	if len(l.words.Months) != 12 || l.words.Day == "" || l.words.Days == "" {
		return fmt.Errorf("%w: reasons/words.%s.yaml: twelve months, day and days are needed", ErrTable, lang)
	}
	return l.texts("words."+lang+".yaml", "only or unlisted", l.words.OnlyLaws, l.words.OnlyCategories, l.words.OnlyBoth, l.words.Unlisted)
}

func (l language) texts(file, code string, texts ...string) error {
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("%w: reasons/%s: %s has an empty text", ErrTable, file, code)
		}
		for _, name := range places(text) {
			if _, ok := l.words.Unknown[name]; !ok {
				return fmt.Errorf("%w: reasons/%s: %s has a place {%s} that nobody fills", ErrTable, file, code, name)
			}
		}
	}
	return nil
}

func (t *Texts) completeCatalogs() error {
	for list, labels := range t.now.Load().catalogs {
		for key, entry := range labels {
			if entry.Code == "" || entry.NL == "" || entry.EN == "" {
				return fmt.Errorf("%w: rules/catalog/%s/data.yaml: %s needs code, nl and en", ErrTable, list, key)
			}
		}
	}
	return nil
}

// gapCodes are the reasons, and beside them each with a code that has a text of its own.
func (l language) gapCodes() []string {
	all := keys(l.gaps)
	for reason, g := range l.gaps {
		for code := range g.Codes {
			all = append(all, reason+" "+code)
		}
	}
	slices.Sort(all)
	return all
}

// findingCodes are the findings, and beside them each with a detail that has a text of its own.
func (l language) findingCodes() []string {
	all := keys(l.findings)
	for code, f := range l.findings {
		for detail := range f.Codes {
			all = append(all, code+" "+detail)
		}
	}
	slices.Sort(all)
	return all
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// difference gives the first entry that two sorted lists do not share.
func difference(a, b []string) (string, bool) {
	for _, entry := range a {
		if _, found := slices.BinarySearch(b, entry); !found {
			return entry, true
		}
	}
	for _, entry := range b {
		if _, found := slices.BinarySearch(a, entry); !found {
			return entry, true
		}
	}
	return "", false
}
