package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// application is one of a thick file, about somebody.
func application(bsn string, id int) string {
	return fmt.Sprintf(`{"identificatie":"%[2]d","bsn":"%[1]s","regeling":{"identificatie":"WMO"},"beschikking":{"beschikkingNummer":%[2]d,
"beschikteProducten":[{"productCategorie":{"code":"12"},"resultaat":"toegewezen","toegewezenProduct":{
"datumIngangGeldigheid":"2025-01-01","datumEindeGeldigheid":"2025-12-31","leveringsvorm":"pgb","budget":{"bedrag":%[2]d.5,"per":"jaar"}}}]}}`, bsn, id)
}

// A thick file comes in pages, and all of them count.
func TestThickFileComesInPages(t *testing.T) {
	c := embedded(t, "meppel")
	bsn := c.Household[0].BSN
	var all []string
	for id := range 45 {
		all = append(all, application(bsn, id+1))
	}
	c.Records["GM0119"]["case_system"] = json.RawMessage("[" + strings.Join(all, ",") + "]")
	r := newRig(t, c)
	a := r.answer("GM0119", string(c.Household[0].Ref))
	require.Len(t, a.GetLines(), 45)
	pages := 0
	for _, q := range r.box.Asked("GM0119") {
		if q.Operation == "/aanvragen" {
			pages++
		}
	}
	require.Equal(t, 3, pages)
	require.Empty(t, a.GetNotices())
}

// What a system can say and no case file can: each through the adapter's own process.
func TestAnswersThatNoCaseFileCanGive(t *testing.T) {
	r := newRig(t, embedded(t, "meppel"))
	r.box.SetFault("GM0119", sandbox.Says("/aanvragen", "application/json", `{"error":"x"}`))
	_, err := r.fetch("GM0119", r.request("GM0119", "A3"))
	require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))

	bsn := "999940004"
	for _, m := range r.c.Household {
		if m.Ref == "A3" {
			bsn = m.BSN
		}
	}
	twice := strings.Replace(application(bsn, 2), `"bsn":`, `"bsn":"999940004","bsn":`, 1)
	r.box.SetFault("GM0119", sandbox.Says("/aanvragen", "application/hal+json",
		`{"_embedded":{"aanvraag":[`+application(bsn, 1)+","+twice+`]}}`))
	a := r.answer("GM0119", "A3")
	var codes []string
	for _, l := range a.GetLines() {
		codes = append(codes, l.GetProduct().GetCode())
	}
	require.Contains(t, codes, "12")
	require.Len(t, a.GetNotices(), 1)
	require.Equal(t, budgetv1.GapRecordSkipped, a.GetNotices()[0].GetGap())
	require.EqualValues(t, 0, a.GetNotices()[0].GetCount())
}
