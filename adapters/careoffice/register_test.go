package careoffice

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// mediationOf is a sound record, with some of its members changed or left out (nil).
func mediationOf(change map[string]string) string {
	members := map[string]string{
		"bemiddelingspecificatieID": `"m-1"`, "leveringsvorm": `"7"`, "toewijzingIngangsdatum": `"2024-05-17"`, "toewijzingEinddatum": "null",
		"vaststellingMoment": `"2024-05-10T09:00:00Z"`, "redenIntrekking": "null",
	}
	of := map[string]string{
		"verantwoordelijkZorgkantoor": `"5503"`, "verantwoordelijkheidIngangsdatum": `"2024-05-17"`, "verantwoordelijkheidEinddatum": "null",
		"client": `{"bsn":"999940004"}`,
	}
	for name, value := range change {
		if _, its := of[name]; its {
			of[name] = value
		} else {
			members[name] = value
		}
	}
	members["bemiddeling"] = object(of)
	return object(members)
}

func object(members map[string]string) string {
	var out []string
	for name, value := range members {
		if value != "" {
			out = append(out, fmt.Sprintf("%q:%s", name, value))
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

func indicationOf(change map[string]string) string {
	members := map[string]string{
		"wlzindicatieID": `"i-1"`, "bsn": `"999940004"`, "ingangsdatum": `"2024-05-17"`, "einddatum": "null",
		"besluitnummer": "100200300", "afgiftedatum": `"2024-04-02"`,
	}
	for name, value := range change {
		members[name] = value
	}
	return object(members)
}

// told reads records of both registers.
func told(t testing.TB, mediated, indicated []string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WLZ")
	r := &register{bsn: trial.BSN(t), party: "ZK5503", ours: func(code string) bool { return code == "5503" }, out: w}
	records, err := mediationQuery(true).records([]byte(`{"data":{"bemiddelingspecificatie":[`+strings.Join(mediated, ",")+`]}}`), w)
	if err == nil {
		err = r.readMediations(records)
	}
	if err != nil {
		return w, err
	}
	records, err = indicationQuery(true, true).records([]byte(`{"data":{"getWlzIndicatiesVoorBsn":[`+strings.Join(indicated, ",")+`]}}`), w)
	if err != nil {
		return w, err
	}
	return w, r.readIndications(records)
}

func answer(t testing.TB, mediated, indicated []string) *budgetv1.FetchResponse {
	t.Helper()
	w, err := told(t, mediated, indicated)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

// stories writes each line as code start..end form, and the type of each record it rests on.
func stories(a *budgetv1.FetchResponse) []string {
	out := []string{}
	for _, l := range a.GetLines() {
		out = append(out, fmt.Sprintf("%s %s..%s %s %d", l.GetProduct().GetCode(), l.GetPeriod().GetStart(), l.GetPeriod().GetEnd(), l.GetDeliveryForm(), len(l.GetProvenance())))
	}
	return out
}

func reasons(a *budgetv1.FetchResponse) []string {
	out := []string{}
	for _, n := range a.GetNotices() {
		out = append(out, strings.TrimSpace(n.GetCode()+" "+n.GetReason()+" "+n.GetGap()))
	}
	return out
}

type change = map[string]string

func TestMediations(t *testing.T) {
	for name, c := range map[string]struct {
		mediated      []change
		indicated     []change
		want, notices []string
	}{
		"stay":             {[]change{{"leveringsvorm": `"4"`}}, nil, []string{"99 2024-05-17.. ZIN 1"}, nil},
		"full package":     {[]change{{"leveringsvorm": `"5"`}}, nil, []string{"99 2024-05-17.. VPT 1"}, nil},
		"modular package":  {[]change{{"leveringsvorm": `7`}}, nil, []string{"99 2024-05-17.. MPT 1"}, nil},
		"part-time stay":   {[]change{{"leveringsvorm": `"08"`}}, nil, []string{"99 2024-05-17.. DTV 1"}, nil},
		"personal budget":  {[]change{{"leveringsvorm": `"2"`}}, nil, []string{"99 2024-05-17.. PGB 1"}, nil},
		"waits":            {[]change{{"leveringsvorm": `"9"`}}, nil, []string{}, []string{"SKIPPED NO_AWARD"}},
		"waits, indicated": {[]change{{"leveringsvorm": `"9"`}}, []change{{}}, []string{"99 2024-05-17.. UNDECIDED 1"}, []string{"SKIPPED NO_AWARD"}},
		"an unknown form":  {[]change{{"leveringsvorm": `"6"`}}, nil, []string{"99 2024-05-17.. UNDECIDED 1"}, []string{"UNKNOWN_CODE"}},
		"withdrawn in March": {[]change{{"redenIntrekking": `"5"`, "toewijzingEinddatum": `"2025-03-31"`}}, nil,
			[]string{"99 2024-05-17..2025-03-31 MPT 1"}, nil},
		"withdrawn on its first day": {[]change{{"redenIntrekking": `"2"`, "toewijzingEinddatum": `"2024-05-17"`}}, nil,
			[]string{}, []string{"SKIPPED LAPSED"}},
		"withdrawn before it": {[]change{{"redenIntrekking": `"2"`, "toewijzingEinddatum": `"2024-05-16"`}}, nil,
			[]string{}, []string{"SKIPPED LAPSED"}},
		"a day of care": {[]change{{"toewijzingIngangsdatum": `"2025-02-01"`, "toewijzingEinddatum": `"2025-02-01"`}}, nil,
			[]string{"99 2025-02-01..2025-02-01 MPT 1"}, nil},
		"ended before it began":    {[]change{{"toewijzingEinddatum": `"2024-05-16"`}}, nil, []string{}, []string{"SKIPPED LAPSED"}},
		"withdrawn without an end": {[]change{{"redenIntrekking": `"2"`}}, nil, []string{}, []string{"SKIPPED ODD_RECORD RECORD_SKIPPED"}},
		"a withdrawal that was fixed last": {[]change{{}, {"vaststellingMoment": `"2025-02-01T09:00:00+01:00"`, "redenIntrekking": `"8"`, "toewijzingEinddatum": `"2025-01-31"`}}, nil,
			[]string{"99 2024-05-17..2025-01-31 MPT 1"}, []string{"SKIPPED SUPERSEDED"}},
		"the same record twice": {[]change{{"bemiddelingspecificatieID": ""}}, nil, []string{"99 2024-05-17.. MPT 1"}, nil},
		"responsible from March": {[]change{{"verantwoordelijkheidIngangsdatum": `"2025-03-01"`}}, nil,
			[]string{"99 2025-03-01.. MPT 1"}, nil},
		"responsible until March": {[]change{{"verantwoordelijkheidEinddatum": `"2025-03-31"`}}, nil,
			[]string{"99 2024-05-17..2025-03-31 MPT 1"}, nil},
		"of another office": {[]change{{"verantwoordelijkZorgkantoor": `"5506"`}}, []change{{}}, []string{}, []string{"SKIPPED OTHER_PARTY"}},
		"of nobody":         {[]change{{"verantwoordelijkZorgkantoor": "null"}}, nil, []string{}, []string{"SKIPPED ODD_RECORD RECORD_SKIPPED"}},
		"a profile, asked":  {[]change{{"zzpCode": `"830"`}}, nil, []string{"830 2024-05-17.. MPT 1"}, nil},
		"an unknown one":    {[]change{{"zzpCode": `"801"`}}, nil, []string{"801 2024-05-17.. MPT 1"}, []string{"UNKNOWN_CODE"}},
		"indicated alone":   {nil, []change{{}}, []string{"99 2024-05-17.. UNDECIDED 1"}, nil},
		"indicated and mediated": {[]change{{}}, []change{{}},
			[]string{"99 2024-05-17.. MPT 2"}, nil},
		"indicated before it was mediated": {[]change{{"toewijzingIngangsdatum": `"2025-03-01"`}}, []change{{}},
			[]string{"99 2024-05-17..2025-02-28 UNDECIDED 1", "99 2025-03-01.. MPT 2"}, nil},
		"indicated, and mediated with days between": {
			[]change{
				{"toewijzingEinddatum": `"2025-03-31"`},
				{"bemiddelingspecificatieID": `"m-2"`, "toewijzingIngangsdatum": `"2025-07-01"`, "toewijzingEinddatum": `"2025-08-31"`, "leveringsvorm": `"2"`},
			}, []change{{}},
			[]string{"99 2024-05-17..2025-03-31 MPT 2", "99 2025-04-01..2025-06-30 UNDECIDED 1", "99 2025-07-01..2025-08-31 PGB 2", "99 2025-09-01.. UNDECIDED 1"}, nil},
		"indicated, and taken over in March": {[]change{{"verantwoordelijkheidIngangsdatum": `"2025-03-01"`}}, []change{{}},
			[]string{"99 2025-03-01.. MPT 2"}, nil},
		"indicated, and handed over in March": {[]change{{"verantwoordelijkheidEinddatum": `"2025-03-31"`}}, []change{{}},
			[]string{"99 2024-05-17..2025-03-31 MPT 2"}, nil},
		"indicated, and handed over after care that had stopped": {
			[]change{
				{"toewijzingEinddatum": `"2025-01-31"`},
				{"bemiddelingspecificatieID": `"m-2"`, "verantwoordelijkZorgkantoor": `"5506"`, "verantwoordelijkheidIngangsdatum": `"2025-06-01"`, "toewijzingIngangsdatum": `"2025-08-01"`},
			}, []change{{}},
			[]string{"99 2024-05-17..2025-01-31 MPT 2", "99 2025-02-01..2025-05-31 UNDECIDED 1"}, []string{"SKIPPED OTHER_PARTY"}},
		"responsible, with an office in between": {
			[]change{
				{"verantwoordelijkheidEinddatum": `"2025-02-28"`},
				{"bemiddelingspecificatieID": `"m-2"`, "verantwoordelijkheidIngangsdatum": `"2025-06-01"`, "toewijzingIngangsdatum": `"2025-08-01"`, "leveringsvorm": `"5"`},
			}, []change{{}},
			[]string{"99 2024-05-17..2025-02-28 MPT 2", "99 2025-06-01..2025-07-31 UNDECIDED 1", "99 2025-08-01.. VPT 2"}, nil},
		"an unknown form, indicated": {[]change{{"leveringsvorm": `"6"`, "toewijzingIngangsdatum": `"2025-02-01"`}}, []change{{}},
			[]string{"99 2024-05-17.. UNDECIDED 2"}, []string{"UNKNOWN_CODE"}},
		"indicated twice over": {nil, []change{{"einddatum": `"2025-06-30"`}, {"wlzindicatieID": `"i-2"`, "ingangsdatum": `"2025-04-01"`}},
			[]string{"99 2024-05-17..2025-06-30 UNDECIDED 2", "99 2025-07-01.. UNDECIDED 1"}, nil},
		"indicated anew": {[]change{{"toewijzingEinddatum": `"2025-03-31"`}}, []change{{"einddatum": `"2025-03-31"`}, {"wlzindicatieID": `"i-2"`, "ingangsdatum": `"2025-04-01"`}},
			[]string{"99 2024-05-17..2025-03-31 MPT 2", "99 2025-04-01.. UNDECIDED 1"}, nil},
		"indicated, and withdrawn at once": {[]change{{"redenIntrekking": `"2"`, "toewijzingEinddatum": `"2024-05-17"`}}, []change{{}},
			[]string{"99 2024-05-17.. UNDECIDED 1"}, []string{"SKIPPED LAPSED"}},
		"indicated with a profile": {nil, []change{{"geindiceerdZorgzwaartepakket": `[{"zzpCode":"804","ingangsdatum":"2023-01-01","einddatum":"2024-05-16"},{"zzpCode":"830","ingangsdatum":"2024-05-17"}]`}},
			[]string{"830 2024-05-17.. UNDECIDED 1"}, nil},
	} {
		var mediated, indicated []string
		for _, m := range c.mediated {
			mediated = append(mediated, mediationOf(m))
		}
		if name == "the same record twice" {
			mediated = append(mediated, mediated...)
			c.notices = []string{"SKIPPED SUPERSEDED"}
		}
		for _, i := range c.indicated {
			indicated = append(indicated, indicationOf(i))
		}
		if name == "of another office" {
			c.notices = []string{"SKIPPED OTHER_PARTY"} // both
		}
		a := answer(t, mediated, indicated)
		require.Equal(t, c.want, stories(a), name)
		require.ElementsMatch(t, c.notices, reasons(a), name)
	}
}

// The office that is responsible is the funder; of an indication the number of the decision
// goes along.
func TestLinesOfARegister(t *testing.T) {
	l := answer(t, []string{mediationOf(change{"leveringsvorm": `"2"`})}, []string{indicationOf(nil)}).GetLines()[0]
	require.Equal(t, "ZK5503", l.GetFunder())
	require.Nil(t, l.GetAmount())
	require.Equal(t, "POOLABLE", l.GetFungibility())
	require.Equal(t, "100200300 2024-04-02", l.GetDecision().GetNumber()+" "+l.GetDecision().GetIssued())
	require.Equal(t, "iwlz m-1", l.GetProvenance()[0].GetRecordType()+" "+l.GetProvenance()[0].GetRecordId())
	require.Equal(t, "i-1", l.GetProvenance()[1].GetRecordId())
	require.Equal(t, "WLZ022 99 Wlz-zorg", l.GetProduct().GetSystem()+" "+l.GetProduct().GetCode()+" "+l.GetProduct().GetLabel())
}

// An odd record costs itself, and the sound one beside it stands.
func TestOddRecordsOfARegister(t *testing.T) {
	beside := mediationOf(change{"bemiddelingspecificatieID": `"m-2"`, "leveringsvorm": `"5"`})
	for name, c := range map[string]struct{ record, path string }{
		"somebody else":   {mediationOf(change{"client": `{"bsn":"999940016"}`}), "/bemiddeling/client/bsn"},
		"nobody":          {mediationOf(change{"client": "null"}), "/bemiddeling/client/bsn"},
		"no first day":    {mediationOf(change{"toewijzingIngangsdatum": "null"}), "/toewijzingIngangsdatum"},
		"no day":          {mediationOf(change{"toewijzingEinddatum": `"2025-02-30"`}), "/toewijzingEinddatum"},
		"another type":    {mediationOf(change{"leveringsvorm": `["7"]`}), "/leveringsvorm"},
		"in capitals":     {strings.Replace(mediationOf(nil), `"leveringsvorm"`, `"Leveringsvorm"`, 1), ""},
		"twice":           {strings.Replace(mediationOf(nil), `{`, `{"leveringsvorm":"4",`, 1), ""},
		"no record":       {`"m"`, ""},
		"null":            {`null`, ""},
		"a list of lists": {`[{}]`, ""},
	} {
		w, err := told(t, []string{c.record, beside}, nil)
		a := trial.Odd(t, w, err, "/data/bemiddelingspecificatie/0"+c.path)
		require.Equal(t, []string{"99 2024-05-17.. VPT 1"}, stories(a), name)
		require.NotContains(t, a.String(), "999940016")
	}
	w, err := told(t, []string{beside}, []string{indicationOf(change{"bsn": `"999940016"`})})
	trial.Odd(t, w, err, "/data/getWlzIndicatiesVoorBsn/0/bsn")
	a := answer(t, []string{mediationOf(change{"nieuw": `"830"`})}, nil)
	require.Equal(t, []string{"99 2024-05-17.. MPT 1"}, stories(a))
	require.Equal(t, []string{"UNKNOWN_ELEMENT"}, reasons(a))
}

func TestFormatsAreNamed(t *testing.T) {
	for _, table := range []native.Table{mediations(), indications()} {
		require.NotEmpty(t, table.Format)
	}
}

func FuzzIndication(f *testing.F) {
	for _, seed := range []string{indicationOf(nil), indicationOf(change{"einddatum": `"2024-12-31"`}), `{}`, `null`, `[]`,
		indicationOf(change{"geindiceerdZorgzwaartepakket": `[{"zzpCode":"830","ingangsdatum":"2024-05-17"},{"zzpCode":"831","ingangsdatum":"2025-02-30"}]`}),
		indicationOf(change{"bsn": `"999940016"`}), indicationOf(change{"ingangsdatum": `"2024-05-00"`})} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, mutated string) {
		beside := indicationOf(change{"wlzindicatieID": `"i-2"`, "besluitnummer": "7", "ingangsdatum": `"2023-08-08"`, "einddatum": `"2025-02-28"`})
		w, err := told(t, nil, []string{beside, mutated})
		trial.Settle(t, w, err)
		if err != nil { // no JSON
			return
		}
		a, err := w.Response()
		require.NoError(t, err)
		found := false
		for _, l := range a.GetLines() {
			found = found || strings.HasPrefix(l.GetPeriod().GetStart(), "2023-08-08")
		}
		require.True(t, found, mutated)
	})
}

// Sound records stand beside one that was changed in any way.
func FuzzMediation(f *testing.F) {
	for _, seed := range []string{mediationOf(nil), mediationOf(change{"zzpCode": `"830"`, "redenIntrekking": `"5"`}), `{}`, `null`, `[]`,
		mediationOf(change{"toewijzingIngangsdatum": `"2024-02-00"`})} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, mutated string) {
		beside := mediationOf(change{"bemiddelingspecificatieID": `"m-2"`, "leveringsvorm": `"5"`, "toewijzingIngangsdatum": `"2024-08-08"`})
		w, err := told(t, []string{beside, mutated}, nil)
		trial.Settle(t, w, err)
		if err != nil { // no JSON
			return
		}
		a, err := w.Response()
		require.NoError(t, err)
		found := false
		for _, l := range a.GetLines() {
			found = found || l.GetPeriod().GetStart() == "2024-08-08"
		}
		// What names the sound record may be a later version of it.
		require.True(t, found || strings.Contains(mutated, "m-2") || strings.Contains(mutated, `\`), mutated)
	})
}
