package budget

import (
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Payers are the codes of the sources in a budget that disclosed what was spent: those of SVB.
func Payers(b *budgetv1.Budget, parties identity.Directory) (codes []string) {
	for _, s := range b.GetSources() {
		party, _ := parties.ByCode(s.GetSource())
		if s.Disclosed() && party.Kind == budgetv1.KindSVB && !slices.Contains(codes, party.Code) {
			codes = append(codes, party.Code)
		}
	}
	return codes
}

// NotNamed is the gap of a source for an auditor that no agreement with it names today. With
// its own source an organisation has none: then nobody can be named.
func NotNamed(source string, own bool) *budgetv1.Gap {
	way := &budgetv1.WayToYes{Act: budgetv1.ActAgreementExtend, Party: source, Code: budgetv1.GapAuditorNotNamed}
	if own {
		way = &budgetv1.WayToYes{Act: budgetv1.ActNever}
	}
	return &budgetv1.Gap{Source: source, Reason: budgetv1.ReasonNoAgreement, Code: budgetv1.GapAuditorNotNamed, Way: []*budgetv1.WayToYes{way}}
}

// Settle orders gaps, each once, and words them.
func Settle(gaps []*budgetv1.Gap, parties identity.Directory, text Texts) []*budgetv1.Gap {
	v := &view{q: Request{Parties: parties, Text: text}}
	return v.settle(gaps)
}
