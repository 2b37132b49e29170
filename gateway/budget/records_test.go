package budget_test

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func (f *fixture) awards() {
	type award struct {
		Bsn, Wet, Budgetidentificatie, BudgetidentificatieOud string
		Functiebudgetten                                      []struct {
			Zorgfunctie, Begindatum, Einddatum string
			Bedrag                             int64
		}
	}
	var records []award
	f.read("award", &records)
	ends := map[string]string{} // of what the next message replaced, in these cases a budget of one row
	for _, r := range records {
		ends[r.Budgetidentificatie] = r.Functiebudgetten[0].Einddatum
	}
	for _, r := range records {
		for _, b := range r.Functiebudgetten {
			replaced := slices.ContainsFunc(records, func(o award) bool { return o.BudgetidentificatieOud == r.Budgetidentificatie })
			if r.Bsn != f.member.BSN || replaced {
				continue
			}
			law := strings.ToUpper(r.Wet)
			l := right(law, "PGB", "POOLABLE", law, b.Zorgfunctie, b.Begindatum, b.Einddatum)
			l.Amount = amount(b.Bedrag, "PERIOD_TOTAL")
			if end := ends[r.BudgetidentificatieOud]; end != "" {
				l.Period.OriginalEnd = &end
			}
			l.Decision = &budgetv1.Decision{Budget: r.Budgetidentificatie}
			f.add("award", r.Budgetidentificatie, l)
		}
	}
}

func (f *fixture) decisions() {
	var records []struct {
		Bsn         string
		Regeling    struct{ Identificatie string }
		Beschikking struct {
			BeschikkingNummer  int
			BeschikteProducten []struct {
				Product           struct{ Identificatie string }
				ProductCategorie  struct{ Code string }
				ToegewezenProduct struct {
					DatumIngangGeldigheid, DatumEindeGeldigheid string
					Omvang                                      *struct {
						Volume     int
						Eenheid    struct{ Code string }
						Frequentie struct{ Code string }
					}
					Budget *struct{ Bedrag, Per string }
				}
			}
		}
	}
	f.read("case_system", &records)
	bases := map[string]string{"jaar": "PER_YEAR", "beschikking": "PERIOD_TOTAL"}
	for _, r := range records {
		for _, p := range r.Beschikking.BeschikteProducten {
			if r.Bsn != f.member.BSN {
				continue
			}
			granted, code, kind := p.ToegewezenProduct, p.ProductCategorie.Code, "POOLABLE"
			if r.Regeling.Identificatie == "LLV" {
				code, kind = p.Product.Identificatie, "RINGFENCED"
			}
			l := right(r.Regeling.Identificatie, "PGB", kind, "WMO020", code, granted.DatumIngangGeldigheid, granted.DatumEindeGeldigheid)
			if o := granted.Omvang; o != nil {
				l.Quantity = &budgetv1.Quantity{Volume: strconv.Itoa(o.Volume), Unit: o.Eenheid.Code, Frequency: o.Frequentie.Code}
			}
			if b := granted.Budget; b != nil {
				l.Amount = amount(f.euros(b.Bedrag), bases[b.Per])
			}
			number := strconv.Itoa(r.Beschikking.BeschikkingNummer)
			l.Decision = &budgetv1.Decision{Number: number}
			f.add("case_system", number, l)
		}
	}
}

func (f *fixture) inKind(kind, law string) {
	var records []struct {
		Client              struct{ Bsn string }
		ToegewezenProducten []struct {
			ToewijzingNummer, Ingangsdatum, Einddatum string
			Product                                   struct{ Categorie string }
			Omvang                                    struct {
				Volume              int
				Eenheid, Frequentie string
			}
		}
	}
	f.read(kind, &records)
	for _, r := range records {
		for _, p := range r.ToegewezenProducten {
			if r.Client.Bsn != f.member.BSN {
				continue
			}
			l := right(law, "ZIN", "IN_KIND", "WMO020", p.Product.Categorie, p.Ingangsdatum, p.Einddatum)
			l.Quantity = &budgetv1.Quantity{Volume: strconv.Itoa(p.Omvang.Volume), Unit: p.Omvang.Eenheid, Frequency: p.Omvang.Frequentie}
			f.add(kind, p.ToewijzingNummer, l)
		}
	}
}

func (f *fixture) suwi() {
	var records []struct {
		Burgerservicenr      string
		Uitkeringsverhouding []struct {
			SzWet             struct{ CdSzWet string }
			Uitkeringsperiode []struct {
				DatBUitkeringsperiode, DatEUitkeringsperiode string
				BrutoUitkeringsbedr                          []struct {
					WaardeBedr          int64
					CdUitkeringsperiode string
				}
			}
		}
		Voorziening []struct {
			Soort, DatB, DatE string
			WaardeBedr        int64
		}
	}
	f.read("suwi", &records)
	laws := map[string]string{"WAJ": "WAJONG", "WIA": "WIA"}
	bases := map[string]string{"6": "PER_MONTH", "9": "ONE_OFF"}
	for _, r := range records {
		if r.Burgerservicenr != f.member.BSN {
			continue
		}
		for _, u := range r.Uitkeringsverhouding {
			for _, p := range u.Uitkeringsperiode {
				l := right(laws[u.SzWet.CdSzWet], "CASH", "INCOME", "CdSzWet", u.SzWet.CdSzWet,
					f.day(p.DatBUitkeringsperiode), f.day(p.DatEUitkeringsperiode))
				l.Kind = "BENEFIT"
				gross := p.BrutoUitkeringsbedr[0]
				l.Income = amount(gross.WaardeBedr, bases[gross.CdUitkeringsperiode])
				f.add("suwi", p.DatBUitkeringsperiode, l)
			}
		}
		for _, v := range r.Voorziening {
			l := right("UWV_PROVISION", "REIMBURSEMENT", "RINGFENCED", "UWV", strings.ToUpper(v.Soort), f.day(v.DatB), f.day(v.DatE))
			l.Amount = amount(v.WaardeBedr, "PERIOD_TOTAL")
			f.add("suwi", v.Soort, l)
		}
	}
}

func (f *fixture) zvw() {
	var records []struct {
		Bsn, Toekenning, Functie, Tarief, Ingangsdatum, Einddatum string
		UrenPerWeek                                               int64
	}
	f.read("zvw", &records)
	for _, r := range records {
		if r.Bsn == f.member.BSN {
			start, _ := civil.ParseDutch(r.Ingangsdatum)
			end, _ := civil.ParseDutch(r.Einddatum)
			l := right("ZVW", "PGB", "POOLABLE", "ZVW", r.Functie, start.String(), end.String())
			l.Amount = amount(r.UrenPerWeek*f.euros(r.Tarief), "PER_WEEK")
			f.add("zvw", r.Toekenning, l)
		}
	}
}

func (f *fixture) education() {
	var records []struct{ Onderwijsnummer, Nummer, Schooljaar, Bedrag string }
	f.read("education", &records)
	for _, r := range records {
		if r.Onderwijsnummer == f.member.IDs.Onderwijsnummer {
			from, to, _ := strings.Cut(r.Schooljaar, "-")
			l := right("EDU", "SUBSIDY", "RINGFENCED", "SWV", "ARR", from+"-08-01", to+"-07-31")
			l.Amount = amount(f.euros(r.Bedrag), "PERIOD_TOTAL")
			f.add("education", r.Nummer, l)
		}
	}
}

func (f *fixture) valys() {
	var records []struct {
		Pas, Vanaf, Tot string
		PkbKm           int
	}
	f.read("valys", &records)
	for _, r := range records {
		if r.Pas == f.member.IDs.Pasnummer {
			l := right("VALYS", "ZIN", "IN_KIND", "VALYS", "PKB-STD", r.Vanaf, r.Tot)
			l.Quantity = &budgetv1.Quantity{Volume: strconv.Itoa(r.PkbKm), Unit: "KM"}
			f.add("valys", "1", l)
		}
	}
}

func (f *fixture) payments() []*budgetv1.Spend {
	var records []struct {
		Bsn, Budgetidentificatie, Zorgfunctie, Begindatum, Peildatum string
		Besteed                                                      int64
	}
	f.read("payments", &records)
	var out []*budgetv1.Spend
	for _, r := range records {
		if r.Bsn == f.member.BSN {
			out = append(out, spent(r.Budgetidentificatie, r.Zorgfunctie, r.Begindatum, r.Besteed, r.Peildatum))
		}
	}
	return out
}

func spent(budgetID, function, start string, cents int64, asOf string) *budgetv1.Spend {
	return &budgetv1.Spend{Budget: budgetID, Function: function, Start: start, Cents: &cents, AsOf: asOf}
}

func (f *fixture) contributions() []*budgetv1.OwnContribution {
	var records []struct {
		Bsn, Wet, Ingangsdatum, Einddatum string
		BedragPerMaand                    int64
	}
	f.read("own_contribution", &records)
	var out []*budgetv1.OwnContribution
	for _, r := range records {
		if r.Bsn == f.member.BSN {
			out = append(out, perMonth(strings.ToUpper(r.Wet), r.BedragPerMaand, r.Ingangsdatum, r.Einddatum))
		}
	}
	return out
}

func perMonth(law string, cents int64, start, end string) *budgetv1.OwnContribution {
	o := &budgetv1.OwnContribution{Law: law, CentsPerMonth: &cents, Period: &budgetv1.Period{Start: start}}
	if end != "" {
		o.Period.End = &end
	}
	return o
}

func (f *fixture) euros(text string) int64 {
	cents, err := strconv.ParseInt(strings.Replace(text, ",", "", 1), 10, 64)
	require.NoError(f.t, err)
	return cents
}

func (f *fixture) day(compact string) string {
	d, _ := civil.ParseCompact(compact)
	return d.String()
}
