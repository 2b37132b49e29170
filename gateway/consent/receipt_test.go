package consent_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// terms of the vocabularies that a receipt uses: every one exists there.
func terms() []string {
	return []string{
		"dpv:ConsentReceipt", "dpv:ConsentRecord", "dpv:ConsentNotice", "dpv:ConsentGiven", "dpv:ConsentRefused", "dpv:ExplicitlyExpressedConsent",
		"dpv:DataSubject", "dpv:Child", "dpv:Adult", "dpv:ParentOfDataSubject", "dpv:GuardianOfDataSubject", "dpv:Representative",
		"dpv:DataController", "dpv:Recipient", "dpv:DataSource", "dpv:Organisation", "dpv:Process", "dpv:Purpose", "dpv:ServiceProvision",
		"dpv:PersonalData", "dpv:SpecialCategoryPersonalData", "dpv:Collect", "dpv:Combine", "dpv:StorageCondition", "dpv:LegalBasis",
		"dpv:WithdrawConsent", "dpv:DataSubjectRight", "dpv:UntilTimeDuration",
		"dpv:hasRecordOfActivity", "dpv:hasDataSubject", "dpv:hasDataController", "dpv:hasRecipient", "dpv:hasDataSource", "dpv:hasEntity",
		"dpv:hasIdentifier", "dpv:hasName", "dpv:hasProcess", "dpv:hasPurpose", "dpv:hasPersonalData", "dpv:hasProcessing", "dpv:hasStorageCondition",
		"dpv:hasLegalBasis", "dpv:hasJurisdiction", "dpv:hasApplicableLaw", "dpv:hasConsentControl", "dpv:hasConsentStatus", "dpv:hasNotice",
		"dpv:hasRight", "dpv:hasDuration", "dpv:isExercisedAt", "dpv:isIndicatedAtTime", "dpv:isIndicatedBy", "dpv:hasIndicationMethod",
		"eu-gdpr:GDPR", "eu-gdpr:A6-1-e", "eu-gdpr:A9-2-a", "eu-gdpr:A7-3", "loc:NL",
		"dct:identifier", "dct:conformsTo", "dct:created", "dct:publisher", "dct:audience", "dct:source", "dct:format", "dct:hasPart", "dct:title",
		"dct:requires", "dpv:hasScope", "dct:description", "dct:hasVersion", "dct:language", "dct:replaces", "dct:valid", "rdf:value", "skos:broader",
		"schema:contactPoint", "schema:ContactPoint", "schema:url",
	}
}

func TestTheReceiptForMachines(t *testing.T) {
	f, keys := openFamily(t)
	d := draft(f)
	d.Born = civil.MustParse("2009-11-03")
	d.Authority = consent.Authority{Kind: "TweehoofdigOuderlijkGezag", Holders: 2, LookedUp: "2025-01-01"}
	d.CoGivenBy = []consent.Signature{signature("ouder_met_gezag", "harm"), signature("ouder_met_gezag", "sanne")}
	d.GivenBy = signature("self", "femke")
	wide := verify(t, keys, issue(t, f, d))
	less, err := wide.Narrow([]consent.Grant{{Source: f.Parties["SVB"].OIN}})
	require.NoError(t, err)
	out := issue(t, f, less)
	doc := verify(t, keys, out)
	names := map[identity.OIN]string{f.Requester().OIN: "Gemeente Meppel", f.Parties["UWV"].OIN: "UWV"}
	at := time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)
	raw, err := doc.Receipt("nl", names, at)
	require.NoError(t, err)
	again, err := doc.Receipt("nl", names, at)
	require.NoError(t, err)
	require.Equal(t, raw, again)

	var r map[string]any
	require.NoError(t, json.Unmarshal(raw, &r))
	require.Equal(t, "dpv:ConsentReceipt", r["@type"])
	require.Equal(t, "2025-01-02T12:00:00Z", r["dct:created"])
	record := r["dpv:hasRecordOfActivity"].(map[string]any)
	require.Equal(t, doc.ID(), record["dct:identifier"])
	require.Equal(t, "urn:uuid:"+wide.ID(), record["dct:replaces"])
	require.Equal(t, doc.Claims().Subject, record["dpv:hasDataSubject"].(map[string]any)["dct:identifier"])
	given := record["dpv:hasConsentStatus"].(map[string]any)
	require.Len(t, given["dpv:isIndicatedBy"], 3)
	require.Equal(t, "2025-01-01/2025-11-02", given["dct:valid"])
	refused := 0
	for _, p := range record["dpv:hasProcess"].([]any) {
		process := p.(map[string]any)
		if process["dpv:hasConsentStatus"] == "dpv:ConsentRefused" {
			refused++
			require.NotContains(t, process, "dpv:hasPersonalData")
			continue
		}
		require.Len(t, process["dpv:hasPersonalData"], 3)
	}
	require.Equal(t, 1, refused)
	require.Contains(t, string(raw), "Gemeente Meppel")

	// The signed document is in it, and what opens its grants; not what opens the person.
	source := r["dct:source"].(map[string]any)
	require.Equal(t, string(out.Document), source["rdf:value"])
	var disclosures []string
	for _, one := range source["dct:hasPart"].([]any) {
		disclosures = append(disclosures, one.(string))
	}
	_, err = consent.Verify(keys, []byte(source["rdf:value"].(string)), disclosures, out.SubjectKey)
	require.NoError(t, err)
	for _, hidden := range []string{harm, "2009-11-03", "AgeGroup", string(out.SubjectKey)} {
		require.NotContains(t, string(raw), hidden)
	}
	used := regexp.MustCompile(`"((?:dpv|eu-gdpr|loc|dct|rdf|skos|schema):[A-Za-z0-9-]+)"`).FindAllStringSubmatch(string(raw), -1)
	require.NotEmpty(t, used)
	for _, term := range used {
		require.True(t, slices.Contains(terms(), term[1]), term[1])
	}
}

// Whoever is given a copy cannot change the document by it.
func TestAccessorsGiveCopies(t *testing.T) {
	f, keys := openFamily(t)
	out := issue(t, f, draft(f))
	d := verify(t, keys, out)
	before, err := d.Receipt("nl", nil, f.Now)
	require.NoError(t, err)
	c := d.Claims()
	c.Recipients[0], c.Grants[0] = "x", "x"
	d.Claims().Recipients[0] = "x"
	d.Grants()[0].Categories[0] = budgetv1.CategoryAmount
	clear(out.Document)
	clear(out.SubjectKey)
	after, err := d.Receipt("nl", nil, f.Now)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
	_, err = ask(t, f, "UWV", "2025-06-30", d)
	require.NoError(t, err)
	require.False(t, strings.Contains(string(after), `"x"`))
}

// The receipt names every legal basis that was signed, and none that was not.
func TestTheReceiptNamesTheLegalBasis(t *testing.T) {
	f, keys := openFamily(t)
	article := func(title string) map[string]any {
		return map[string]any{"@type": "dpv:LegalBasis", "dct:title": title}
	}
	for _, c := range []struct {
		basis consent.Basis
		want  []any
	}{
		{consent.Basis{AVG6: "avg-6-1-e", AVG9: "avg-9-2-a", National: "Wmo 2015 art. 5.2.5"}, []any{"eu-gdpr:A6-1-e", "eu-gdpr:A9-2-a", article("Wmo 2015 art. 5.2.5")}},
		{consent.Basis{AVG6: "6-1-e"}, []any{"eu-gdpr:A6-1-e"}},
		{consent.Basis{AVG6: "6-1-e", National: "Jw art. 7.4.1"}, []any{"eu-gdpr:A6-1-e", article("Jw art. 7.4.1")}},
	} {
		d := draft(f)
		d.Basis = c.basis
		raw, err := verify(t, keys, issue(t, f, d)).Receipt("nl", nil, f.Now)
		require.NoError(t, err)
		var r struct {
			Record struct {
				Basis []any `json:"dpv:hasLegalBasis"`
			} `json:"dpv:hasRecordOfActivity"`
		}
		require.NoError(t, json.Unmarshal(raw, &r))
		require.Equal(t, c.want, r.Record.Basis)
	}
}

// The whole receipt, as it stands in testdata/receipt.json: an adult's yes to UWV and no
// to the SVB, with the keeper as the controller and itself and the SVB as recipients.
func TestTheWholeReceipt(t *testing.T) {
	f, keys := openFamily(t)
	d := draft(f)
	d.Recipients = []identity.OIN{f.Requester().OIN, f.Parties["SVB"].OIN}
	d.Grants[1].Categories = nil
	now := time.Date(2025, 1, 1, 9, 30, 0, 0, time.UTC)
	out, err := d.Issue(f.Requester().Sign, bsn(t, harm), now)
	require.NoError(t, err)
	doc := verify(t, keys, out)
	raw, err := doc.Receipt("nl", map[identity.OIN]string{f.Parties["UWV"].OIN: "Uitvoeringsinstituut"}, now.Add(time.Hour))
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/receipt.json")
	require.NoError(t, err)
	differs := strings.NewReplacer("$ID", doc.ID(), "$SUBJECT", doc.Claims().Subject, "$DOCUMENT", string(out.Document), "$OPENS_1", out.Disclosures[0], "$OPENS_2", out.Disclosures[1])
	require.JSONEq(t, differs.Replace(string(want)), string(raw))
}

// How old the person is and in which role each signed, in the terms of the vocabulary.
func TestWhoInTheReceipt(t *testing.T) {
	f, keys := openFamily(t)
	type party struct {
		Type any    `json:"@type"`
		Role string `json:"dct:identifier"`
	}
	receipt := func(d consent.Document) (subject any, by []party) {
		raw, err := d.Receipt("nl", nil, f.Now)
		require.NoError(t, err)
		var r struct {
			Record struct {
				Subject party `json:"dpv:hasDataSubject"`
				Status  struct {
					By []party `json:"dpv:isIndicatedBy"`
				} `json:"dpv:hasConsentStatus"`
			} `json:"dpv:hasRecordOfActivity"`
		}
		require.NoError(t, json.Unmarshal(raw, &r))
		return r.Record.Subject.Type, r.Record.Status.By
	}
	for group, want := range map[string]string{"under_12": "dpv:Child", "12_15": "dpv:Child", "16_17": "dpv:Child", "adult": "dpv:Adult", "": ""} {
		lapses := ""
		if want == "dpv:Child" {
			lapses = "2026-06-15"
		}
		is, _ := receipt(failure{claims: minor(group, lapses)}.given(t, f, keys))
		types := []any{"dpv:DataSubject"}
		if want != "" {
			types = append(types, want)
		}
		require.Equal(t, types, is, group)
	}
	for role, want := range map[string]string{
		"self": "dpv:DataSubject", "ouder_met_gezag": "dpv:ParentOfDataSubject", "voogd": "dpv:GuardianOfDataSubject", "curator": "dpv:GuardianOfDataSubject",
		"mentor": "dpv:GuardianOfDataSubject", "gemachtigde": "dpv:Representative", "bewindvoerder": "dpv:Representative", "naaste": "dpv:Representative",
	} {
		_, by := receipt(failure{claims: func(c *consent.Claims) {
			if c.GivenBy.Role = role; role == "gemachtigde" {
				c.GivenBy.Mandate = &consent.Mandate{Document: strings.Repeat("a", 64), Scope: []string{c.Purpose}, Until: c.Until}
			}
		}}.given(t, f, keys))
		require.Equal(t, []party{{want, role}}, by, role)
	}
}
