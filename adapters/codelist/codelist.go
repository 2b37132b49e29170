// Package codelist answers: what does this code of a national list mean, in
// Dutch? A code that is not on the list is kept as it is and called "onbekend".
package codelist

import (
	"maps"
	"strconv"
)

// List is the name of a code list, as it stands in Product.system.
type List string

// The lists.
const (
	Wmo        List = "WMO020"          // iWmo: product categories
	Jeugd      List = "JZ020"           // iJw: product categories
	WmoAward   List = "WMO022"          // iPgb: functions of a Wmo award
	JeugdAward List = "JZ022"           // iPgb: functions of a Jeugdwet award
	WlzAward   List = "WLZ022"          // iPgb: the function of a Wlz award
	Wlz        List = "COD163"          // iWlz: care profiles (zzp)
	Delivery   List = "COD578"          // iWlz: forms of delivery
	CareOffice List = "COD001"          // care office regions
	Unit       List = "WJ756"           // iWmo, iJw: units of a volume
	Frequency  List = "WMO757"          // iWmo, iJw: over what time a volume is
	Closing    List = "PGB507"          // iPgb: why a budget was closed
	Benefit    List = "CdSzWet"         // SuwiML: social security acts
	Provision  List = "UWV-voorziening" // provisions of UWV (assumed: no public list)
	Nursing    List = "Zvw-pgb"         // functions of the Zvw personal budget
	Transport  List = "LLV"             // school transport: every municipality its own codes
	Support    List = "SWV"             // support of a samenwerkingsverband (assumed: no public list)
	Travel     List = "VALYS"           // kilometre budgets of Valys (assumed: no public list)
)

// Whole is the function of an award for every category of its law at once.
const Whole = "99"

// Unknown is the label of a code that is not on its list.
const Unknown = "onbekend"

// Label gives the Dutch label of a code; known is false when it is Unknown.
func Label(list List, code string) (label string, known bool) {
	if list == Transport { // no national list, so no code of it is unknown
		return "leerlingenvervoer", true
	}
	if label, known = table(list)[code]; !known {
		label = Unknown
	}
	return label, known
}

// Code writes a code as its list does, where a source leaves a zero out or puts one in
// front: a product category has two digits, a frequency has one. Any other text is given
// back as it is.
func Code(list List, code string) string {
	n, err := strconv.ParseUint(code, 10, 8)
	if err != nil || n > 99 {
		return code
	}
	switch list {
	case Wmo, Jeugd, WmoAward, JeugdAward, WlzAward, Unit:
		return strconv.Itoa(int(n) + 100)[1:]
	case Frequency, Closing:
		return strconv.Itoa(int(n))
	}
	return code
}

func table(list List) map[string]string {
	switch list {
	case Wmo:
		return wmo()
	case Jeugd:
		return jeugd()
	case Wlz:
		return wlz()
	case Delivery:
		return forms()
	case Benefit:
		return map[string]string{
			"WIA": "Wet werk en inkomen naar arbeidsvermogen", "WAO": "Wet op de arbeidsongeschiktheidsverzekering",
			"WAJ": "Wet arbeidsongeschiktheidsvoorziening jonggehandicapten",
			"WW":  "Werkloosheidswet", "ZW": "Ziektewet", "TW": "Toeslagenwet",
		}
	case Provision:
		return map[string]string{
			"JOBCOACH": "jobcoach", "RE-INTEGRATIE": "re-integratie", "REINTEGRATIE": "re-integratie",
			"VERVOER": "vervoersvoorziening", "VERVOERSVOORZIENING": "vervoersvoorziening",
			"WERKPLEKAANPASSING": "aanpassing van de werkplek", "SCHOLING": "scholing",
			"TOLK": "tolkvoorziening", "TOLKVOORZIENING": "tolkvoorziening", "MEENEEMBAAR": "meeneembare voorziening",
		}
	case Nursing:
		return map[string]string{"VV": "verpleging en verzorging", "VP": "verpleging", "PV": "persoonlijke verzorging"}
	case Support:
		return map[string]string{"ARR": "arrangement passend onderwijs", "TLV": "toelaatbaarheidsverklaring"}
	case Travel:
		return map[string]string{"PKB-STD": "persoonlijk kilometerbudget"}
	case WmoAward:
		return whole(wmo())
	case JeugdAward:
		return whole(jeugd())
	case WlzAward:
		return map[string]string{Whole: "Wlz-zorg"}
	case CareOffice:
		return careOffices()
	case Unit:
		return map[string]string{
			"01": "minuut", "04": "uur", "14": "etmaal", "16": "dagdeel", "21": "week", "81": "wat nodig is",
			"82": "stuk", "83": "euro", "84": "stuk", // 82 what is reached, 84 what is done
		}
	case Frequency: // 3 and 5 ended on 31 December 2020
		return map[string]string{
			"1": "per dag", "2": "per week", "3": "per vier weken", "4": "per maand", "5": "per jaar", "6": "in totaal",
		}
	case Closing:
		return map[string]string{"1": "einde van de periode", "2": "einde van het jaar", "3": "bestedingsconflict"}
	}
	return nil
}

// whole is a list of categories with the one for all of them.
func whole(categories map[string]string) map[string]string {
	categories = maps.Clone(categories)
	categories[Whole] = "hele pakket"
	return categories
}

// careOffices is list COD001. It has a region for each code, of which the name serves no
// purpose here.
func careOffices() map[string]string {
	labels := map[string]string{}
	for code := 5501; code <= 5533; code++ {
		if code != 5522 {
			labels[strconv.Itoa(code)] = "zorgkantoorregio"
		}
	}
	return labels
}

// wmo is list WMO020 (iWmo 3.0).
func wmo() map[string]string {
	return map[string]string{
		"01": "hulp bij het huishouden", "02": "begeleiding", "03": "persoonlijke verzorging",
		"04": "kortdurend verblijf", "05": "woondiensten",
		"06": "overige ondersteuning gericht op het individu", "07": "dagbesteding", "08": "vervoersdiensten",
		"09": "overige groepsgerichte ondersteuning", "10": "overige maatwerkarrangementen", "11": "rolstoelen",
		"12": "vervoersvoorzieningen", "13": "woonvoorzieningen", "14": "overige hulpmiddelen",
		"15": "beschermd wonen", "16": "opvang", "17": "spoedopvang", "18": "overige beschermd wonen en opvang",
	}
}

// jeugd is list JZ020 (iJw 3.0 and 3.2). The thirties are the categories of 2015; no end
// is given for any of them.
func jeugd() map[string]string {
	return map[string]string{
		"31": "jeugdhulp door een wijkteam", "32": "jeugdhulp ambulant bij de aanbieder", "33": "daghulp bij de aanbieder",
		"34": "jeugdhulp in het eigen netwerk", "35": "pleegzorg", "36": "gezinsgerichte jeugdhulp",
		"37": "gesloten jeugdhulp", "38": "overige jeugdhulp met verblijf",
		"40": "persoonlijke verzorging", "41": "dagbehandeling", "42": "vervoerdiensten",
		"43": "jeugdhulp verblijf (incl. behandeling)", "44": "jeugdhulp verblijf (excl. behandeling)",
		"45": "jeugdhulp ambulant", "46": "jeugdhulp crisis", "47": "jeugdreclassering", "48": "jeugdbescherming",
		"49": "preventief justitieel kader", "50": "maatwerkarrangementen jeugd",
		"51": "generalistische basis-ggz", "52": "specialistische ggz", "53": "kindergeneeskunde",
		"54": "jeugd-ggz", "55": "landelijk ingekochte zorg",
	}
}

// wlz is list COD163 (iWlz 2.2). One label for all that are profiles: the name of one
// discloses the diagnosis group, which may not leave the care office.
func wlz() map[string]string {
	labels := map[string]string{}
	add := func(label string, from, to, step int) {
		for code := from; code <= to; code += step {
			labels[strconv.Itoa(code)] = label
		}
	}
	add("revalidatie voor ouderen", 190, 191, 1) // of before the Wlz
	for _, run := range [][3]int{
		{750, 759, 1}, {760, 772, 2}, {780, 784, 1}, {790, 790, 1}, {800, 814, 2}, {820, 832, 2},
		{840, 856, 2}, {860, 870, 2}, {880, 888, 2},
	} {
		add("Wlz-zorgprofiel", run[0], run[1], run[2])
	}
	add("overgangsrecht", 996, 997, 1)
	labels["998"], labels["999"] = "nog niet bepaald", "partner die meeverblijft"
	return labels
}

// forms is list COD578 (iWlz 2.2): how Wlz care is delivered.
func forms() map[string]string {
	return map[string]string{
		"2": "persoonsgebonden budget", "4": "verblijf", "5": "volledig pakket thuis", "7": "modulair pakket thuis",
		"8": "deeltijdverblijf", "9": "wacht in het ziekenhuis",
	}
}
