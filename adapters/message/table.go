package message

import "github.com/ontschot/ontschot/adapters/native"

// Tables lists the members of each format of message: which are read, and which are known
// and not read.
func Tables() []native.Table { return []native.Table{awardTable(), allocationTable(), closingTable()} }

func tableOf(k Kind) native.Table {
	switch k {
	case AwardWmo, AwardJeugd, AwardWlz:
		return awardTable()
	case AllocationWmo, AllocationJeugd:
		return allocationTable()
	}
	return closingTable()
}

// header are the members of a header that every message has and nothing is decided by.
func header(more ...string) []string {
	return append(more, "Header/BerichtVersie", "Header/BerichtSubversie", "Header/BerichtIdentificatie/Identificatie", "Header/XsdVersie/*")
}

// awardTable is iPgb 2.1, 501.
func awardTable() native.Table {
	const row = "Client/Budget/FunctieBudgetten/FunctieBudget[]/"
	return native.Table{
		Format: "iPgb 501",
		Read: []string{
			"Header/BerichtCode", "Header/Afzender", "Header/BerichtIdentificatie/Dagtekening", "Client/Bsn",
			"Client/Budget/BudgetIdentificatie", "Client/Budget/BudgetIdentificatieOud",
			row + "Zorgfunctie", row + "FunctieBudgetPeriode/Begindatum", row + "FunctieBudgetPeriode/Einddatum", row + "FunctieBudgetBedrag",
		},
		Ignored: header(
			"Client/Contact/*", "Client/Relaties/*", // who helps, and where letters go
			"Client/Budget/Afgiftedatum", "Client/Budget/BudgetPeriode/*", // the rows have days of their own
			row+"VerantwoordingsvrijBedrag", // a part of the amount, not beside it
		),
	}
}

// closingTable is iPgb 2.1, 507, and the interim figure that is assumed beside it.
func closingTable() native.Table {
	const row = "Client/FunctieBudgettenBesteed/FunctieBudgetBesteed[]/"
	return native.Table{
		Format: "iPgb 507",
		Read: []string{
			"Header/BerichtCode", "Header/Ontvanger", "Header/BerichtIdentificatie/Dagtekening", "Client/Bsn",
			row + "BudgetIdentificatie", row + "Zorgfunctie", row + "BestedingsPeriode/Begindatum", row + "BestedingsPeriode/Einddatum",
			row + "FunctieBudgetBesteed",
		},
		Ignored: header(
			row+"VerantwoordingsvrijBedragBesteed", // a part of what was spent
			row+"ZiekengeldBesteed",                // beside it, and not out of the budget
			row+"RedenBudgetafsluiting",            // the period says which slice it is
		),
	}
}

// allocationTable is iJw 3.2, JW301; iWmo and the releases 3.0 have the same members.
func allocationTable() native.Table {
	const product = "Client/ToegewezenProducten/ToegewezenProduct[]/"
	return native.Table{
		Format: "iWmo and iJw 301",
		Read: []string{
			"Header/BerichtCode", "Header/Afzender", "Header/Ontvanger", "Client/Bsn",
			product + "ToewijzingNummer", product + "Product/Categorie", product + "Product/Code",
			product + "Toewijzingsdatum", product + "Toewijzingstijd", product + "Ingangsdatum", product + "Einddatum",
			product + "RedenWijziging", product + "Omvang/Volume", product + "Omvang/Eenheid", product + "Omvang/Frequentie",
		},
		Ignored: header(
			"Header/BerichtIdentificatie/Dagtekening", // each product has a moment of its own
			"Client/Geboortedatum/*", "Client/Geslacht", "Client/Naam/*", "Client/Communicatie/*", "Client/JuridischeStatus",
			"Client/WettelijkeVertegenwoordiging", "Client/Commentaar", "Client/Relaties/*", "Client/Contactgegevens/*",
			product+"ReferentieAanbieder", product+"Commentaar",
			product+"Budget", // money for the provider, and nobody's budget
		),
	}
}
