// Package codelist answers: what does this code of a national list mean, in
// Dutch? A code that is not on the list is kept as it is and called "onbekend".
package codelist

import "strconv"

// List is the name of a code list, as it stands in Product.system.
type List string

// The lists.
const (
	Wmo       List = "WMO020"          // iWmo: product categories
	Jeugd     List = "JZ020"           // iJw: product categories
	Wlz       List = "COD163"          // iWlz: care profiles (zzp)
	Benefit   List = "CdSzWet"         // SuwiML: social security acts
	Provision List = "UWV-voorziening" // provisions of UWV (assumed: no public list)
	Nursing   List = "Zvw-pgb"         // functions of the Zvw personal budget
	Transport List = "LLV"             // school transport: every municipality its own codes
	Function  List = "iPgb501"         // functions of the award message
	Support   List = "SWV"             // support of a samenwerkingsverband (assumed: no public list)
	Travel    List = "VALYS"           // kilometre budgets of Valys (assumed: no public list)
)

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

func table(list List) map[string]string {
	switch list {
	case Wmo:
		return wmo()
	case Jeugd:
		return jeugd()
	case Wlz:
		return wlz()
	case Benefit:
		return map[string]string{
			"WIA": "Wet werk en inkomen naar arbeidsvermogen",
			"WAJ": "Wet arbeidsongeschiktheidsvoorziening jonggehandicapten",
			"WW":  "Werkloosheidswet", "ZW": "Ziektewet",
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
	case Function:
		return map[string]string{"99": "Wlz, alle functies"}
	}
	return nil
}

// wmo is list WMO020 as far as it is in use for individual provisions. The
// entries 04 to 06, 09, 10, 13, 14, 16 and 17 were written from memory and are assumed.
func wmo() map[string]string {
	return map[string]string{
		"01": "hulp bij het huishouden", "02": "begeleiding", "03": "persoonlijke verzorging",
		"04": "kortdurend verblijf", "05": "overige maatwerkarrangementen",
		"06": "overige ondersteuning gericht op het individu", "07": "dagbesteding", "08": "vervoersdiensten",
		"09": "overige groepsgerichte ondersteuning", "10": "woondiensten", "11": "rolstoelen",
		"12": "vervoersvoorzieningen", "13": "woonvoorzieningen", "14": "overige hulpmiddelen",
		"15": "beschermd wonen", "16": "opvang", "17": "spoedopvang",
	}
}

// jeugd is list JZ020 without the entries that lapsed after 2015.
func jeugd() map[string]string {
	return map[string]string{
		"40": "persoonlijke verzorging", "41": "dagbehandeling", "42": "vervoerdiensten",
		"43": "jeugdhulp verblijf (incl. behandeling)", "44": "jeugdhulp verblijf (excl. behandeling)",
		"45": "jeugdhulp ambulant", "46": "jeugdhulp crisis", "47": "jeugdreclassering", "48": "jeugdbescherming",
		"49": "preventief justitieel kader", "50": "maatwerkarrangementen jeugd",
		"51": "generalistische basis-ggz", "52": "specialistische ggz", "53": "kindergeneeskunde",
		"54": "jeugd-ggz", "55": "landelijk ingekochte zorg",
	}
}

// wlz takes the care profiles since 2015, the eight hundreds (assumed: the list
// itself was not read). One label for all: the name of a profile discloses the
// diagnosis group, which may not leave the care office.
func wlz() map[string]string {
	labels := map[string]string{}
	for code := 800; code < 860; code++ {
		labels[strconv.Itoa(code)] = "Wlz-zorgprofiel"
	}
	return labels
}
