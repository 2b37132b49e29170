package message_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/trial"
)

const award = `<berichten><bericht soort="IPGB501"><Toekenningsbericht><Verstrekker>0119</Verstrekker>
<Bsn>999940004</Bsn><Wet>Wmo</Wet><Budgetidentificatie>B1</Budgetidentificatie><Functiebudgetten><Functiebudget>
<Zorgfunctie>02</Zorgfunctie><Begindatum>2025-01-01</Begindatum><Einddatum>2025-12-31</Einddatum><Bedrag>1248000</Bedrag>
</Functiebudget></Functiebudgetten></Toekenningsbericht></bericht></berichten>`

const allocation = `<?xml version="1.0"?><berichten><bericht soort="WMO301">
<w:Bericht xmlns:w="http://www.istandaarden.nl/iwmo/3_2/wmo301/schema"><w:Header><w:BerichtCode>414</w:BerichtCode>
<w:Afzender>0119</w:Afzender></w:Header><w:Client><w:Bsn>999940004</w:Bsn><w:ToegewezenProducten><w:ToegewezenProduct>
<w:ToewijzingNummer>1</w:ToewijzingNummer><w:Product><w:Categorie>07</w:Categorie></w:Product>
<w:Ingangsdatum>2025-01-01</w:Ingangsdatum></w:ToegewezenProduct></w:ToegewezenProducten></w:Client></w:Bericht></bericht></berichten>`

func reader(t testing.TB) message.Reader {
	return message.Reader{
		BSN: trial.BSN(t), Party: "GM0119", Ours: func(code string) bool { return code == "0119" },
	}
}

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WMO", "JW")
	found, err := message.Open([]byte(raw))
	if err != nil {
		return w, err
	}
	for _, f := range found {
		if err := reader(t).Read(f, w); err != nil {
			return w, err
		}
	}
	return w, nil
}

func TestMessagesAreReadWithAnyPrefix(t *testing.T) {
	for _, raw := range []string{award, allocation} {
		w, err := read(t, raw)
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		require.Len(t, a.GetLines(), 1)
	}
	w, err := read(t, `<berichten><bericht soort="WMO305"><x/></bericht></berichten>`)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	require.Equal(t, adapters.SkippedOtherMessage, a.GetNotices()[0].GetReason())
}

func TestNativeMessageIsKeptByteForByte(t *testing.T) {
	found, err := message.Open([]byte(award))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(found[0].Native), "<Toekenningsbericht>"))
	require.True(t, strings.HasSuffix(string(found[0].Native), "</Toekenningsbericht>"))
	require.Contains(t, award, string(found[0].Native))
}

func TestWrongMessageIsRefusedAtItsPlace(t *testing.T) {
	at := "/berichten/0"
	for _, c := range []struct{ raw, from, to, path string }{
		{award, "999940004", "999940016", at + "/Bsn"},
		{award, ">0119<", ">0999<", at + "/Verstrekker"},
		{award, ">Wmo<", ">Zvw<", at + "/Wet"},
		{award, "1248000", "12480,00", at + "/Functiebudgetten/0/Bedrag"},
		{award, "1248000", "-1", at + "/Functiebudgetten/0/Bedrag"},
		{award, "2025-01-01", "01-01-2025", at + "/Functiebudgetten/0/Begindatum"},
		{award, "2025-12-31", "2024-12-31", at + "/Functiebudgetten/0/Einddatum"},
		{award, ">02<", ">0 2<", "award/Functiebudgetten/0: product.code"},
		{award, "<Zorgfunctie>02</Zorgfunctie>", "", "award/Functiebudgetten/0: product.code"},
		{award, "<berichten>", "<andere>", "/"},
		{award, "</Toekenningsbericht>", "", "/"},
		{award, "<berichten>", `<!DOCTYPE x [<!ENTITY y "z">]><berichten>`, "/"},
		{allocation, "999940004", "999940016", at + "/Client/Bsn"},
		{allocation, ">0119<", "><", at + "/Header/Afzender"},
		{allocation, ">414<", ">436<", at + "/Header/BerichtCode"},
		{allocation, ">2025-01-01<", ">2025-02-29<", at + "/ToegewezenProducten/0/Ingangsdatum"},
		{allocation, "<w:Ingangsdatum>", volume("vier") + "<w:Ingangsdatum>", at + "/ToegewezenProducten/0/Omvang/volume"},
		{allocation, "<w:Ingangsdatum>", volume("4,5,6") + "<w:Ingangsdatum>", at + "/ToegewezenProducten/0/Omvang/volume"},
		{allocation, "<w:Ingangsdatum>", volume("1.23456") + "<w:Ingangsdatum>", at + "/ToegewezenProducten/0/Omvang/volume"},
		{allocation, "<w:Ingangsdatum>", volume("-4") + "<w:Ingangsdatum>", at + "/ToegewezenProducten/0/Omvang/volume"},
	} {
		w, err := read(t, strings.ReplaceAll(c.raw, c.from, c.to))
		trial.Refused(t, w, err, c.path)
	}
}

func volume(text string) string {
	return "<w:Omvang><w:Volume>" + text + "</w:Volume><w:Eenheid>04</w:Eenheid><w:Frequentie>2</w:Frequentie></w:Omvang>"
}

func TestQuantityOfAnAllocation(t *testing.T) {
	w, err := read(t, strings.Replace(allocation, "<w:Ingangsdatum>", volume("4.5")+"<w:Ingangsdatum>", 1))
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	q := a.GetLines()[0].GetQuantity()
	require.Equal(t, []string{"4.5", "04", "2"}, []string{q.GetVolume(), q.GetUnit(), q.GetFrequency()})
}

func TestMessageHasItsBounds(t *testing.T) {
	deep := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	many := "<berichten>" + strings.Repeat("<bericht/>", 1001) + "</berichten>"
	for _, raw := range []string{deep, many, "", "<", "<berichten>", "tekst"} {
		_, err := message.Open([]byte(raw))
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(award))
	f.Add([]byte(allocation))
	f.Add([]byte(strings.ReplaceAll(allocation, "WMO301", "JW301")))
	f.Add([]byte(`<berichten><bericht soort="IPGB501"><![CDATA[</]]></bericht><!-- x --><bericht/></berichten>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}
