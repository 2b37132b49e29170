package consent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// node is an object of JSON-LD.
type node map[string]any

// Profiles of the schema by which the fields are read (DPV-27560).
const (
	receiptProfile = "https://w3id.org/dpv/schema/dpv-27560#receipt"
	recordProfile  = "https://w3id.org/dpv/schema/dpv-27560#record"
)

// Receipt gives what the person takes home for machines: a consent receipt with the
// fields of ISO/IEC TS 27560:2023 in the terms of the W3C Data Privacy Vocabulary
// (guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV"), as
// JSON-LD in canonical form, with the signed document in it. Language is that of the
// notice that was shown, names those of the organisations, for whom there is no
// other than the OIN; at is when it is made. It says that the consent was given,
// not whether it still counts.
//
// The person stands in it as the subject commitment. The key that opens it is left
// out: with it, the number could be found by trying all there are. The postal
// addresses that 27560 asks of each party are not in a consent, nor here.
func (d Document) Receipt(language string, names map[identity.OIN]string, at time.Time) ([]byte, error) {
	c := d.claims
	raw, err := signed.Canonical(node{
		"@context":       vocabularies(),
		"@id":            "urn:uuid:" + c.ID + "#receipt",
		"@type":          "dpv:ConsentReceipt",
		"dct:identifier": c.ID + "#receipt", "dct:conformsTo": receiptProfile,
		"dct:created": instant(at.Unix()), "dct:publisher": organisation(c.Issuer), "dct:audience": "dpv:DataSubject",
		"dct:source":              d.evidence(),
		"dpv:hasRecordOfActivity": d.record(language),
		"dpv:hasEntity":           d.entities(names),
	})
	if err != nil {
		return nil, fmt.Errorf("receipt of a consent: %w", err)
	}
	return raw, nil
}

func vocabularies() node {
	return node{
		"dpv":     "https://w3id.org/dpv#",
		"eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
		"loc":     "https://w3id.org/dpv/loc#",
		"dct":     "http://purl.org/dc/terms/",
		"rdf":     "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
		"skos":    "http://www.w3.org/2004/02/skos/core#",
		"schema":  "https://schema.org/",
	}
}

// evidence is the signed document and what opens its grants.
func (d Document) evidence() node {
	disclosures := []string{}
	for _, source := range slices.Sorted(maps.Keys(d.grants)) {
		disclosures = append(disclosures, d.grants[source].disclosure)
	}
	return node{"dct:format": string(signed.Consent), "rdf:value": d.raw, "dct:hasPart": disclosures}
}

func (d Document) record(language string) node {
	c := d.claims
	record := node{
		"@id": "urn:uuid:" + c.ID, "@type": "dpv:ConsentRecord",
		"dct:identifier": c.ID, "dct:conformsTo": recordProfile, "dct:created": instant(c.IssuedAt),
		"dpv:hasDataSubject":    node{"@type": subjectType(c.Authority.AgeGroup), "dct:identifier": c.Subject},
		"dpv:hasDataController": organisation(c.Controller),
		"dpv:hasLegalBasis":     legalBasis(c.Basis),
		"dpv:hasJurisdiction":   "loc:NL", "dpv:hasApplicableLaw": "eu-gdpr:GDPR",
		"dpv:hasConsentControl": node{"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": c.Withdraw},
		"dpv:hasRight": node{
			"@type": []string{"dpv:DataSubjectRight", "eu-gdpr:A7-3"}, "dct:title": "Right to Withdraw Consent", "dpv:isExercisedAt": c.Withdraw,
		},
		"dpv:hasNotice":        node{"@type": "dpv:ConsentNotice", "dct:identifier": c.Notice.SHA256, "dct:hasVersion": c.Notice.Version, "dct:language": language},
		"dpv:hasConsentStatus": d.given(),
		"dpv:hasProcess":       d.processes(),
	}
	if c.Replaces != "" {
		record["dct:replaces"] = "urn:uuid:" + c.Replaces
	}
	return record
}

// given is the event: when, by whom, how and for how long the consent was given.
func (d Document) given() node {
	by, how := []node{}, []string{}
	for _, s := range d.signatures() {
		who := node{"@type": partyType(s.Role), "dct:identifier": s.Role}
		if s.Mandate != nil {
			who["dct:requires"] = s.Mandate.node()
		}
		by = append(by, who)
		how = append(how, strings.TrimSpace(s.Proof.Kind+" "+s.Proof.LOA))
	}
	span := d.effective()
	return node{
		"@type":                 []string{"dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"},
		"dpv:isIndicatedAtTime": instant(d.claims.IssuedAt), "dpv:isIndicatedBy": by, "dpv:hasIndicationMethod": how,
		"dct:valid":       span.From.String() + "/" + span.To.String(),
		"dpv:hasDuration": node{"@type": "dpv:UntilTimeDuration", "rdf:value": span.To.String()},
	}
}

// node says on what a gemachtigde signed, for which purposes and until when.
func (m Mandate) node() node {
	return node{
		"dct:title": "Mandate", "dct:identifier": m.Document, "dpv:hasScope": m.Scope,
		"dpv:hasDuration": node{"@type": "dpv:UntilTimeDuration", "rdf:value": m.Until},
	}
}

// processes are one for each source, so that what is said to each stands apart.
func (d Document) processes() []node {
	purpose := node{"@type": "dpv:Purpose", "dct:identifier": d.claims.Purpose, "skos:broader": "dpv:ServiceProvision"}
	recipients := []string{}
	for _, r := range d.claims.Recipients {
		recipients = append(recipients, organisation(r))
	}
	all := []node{}
	for _, g := range d.Grants() {
		process := node{"@type": "dpv:Process", "dpv:hasPurpose": purpose, "dpv:hasDataSource": organisation(g.Source)}
		all = append(all, process)
		if len(g.Categories) == 0 {
			process["dpv:hasConsentStatus"] = "dpv:ConsentRefused"
			continue
		}
		data := []node{}
		for _, category := range g.Categories {
			// That somebody has a right to care or to a benefit says something of their health.
			data = append(data, node{"@type": "dpv:PersonalData", "dct:identifier": string(category), "skos:broader": "dpv:SpecialCategoryPersonalData"})
		}
		process["dpv:hasPersonalData"], process["dpv:hasRecipient"], process["dpv:hasProcessing"] = data, recipients, []string{"dpv:Collect", "dpv:Combine"}
		process["dpv:hasStorageCondition"] = node{
			"@type":           "dpv:StorageCondition",
			"dct:description": "The gateway keeps no answer. How long the recipient may keep it stands in its agreement with the source.",
		}
	}
	return all
}

func (d Document) entities(names map[identity.OIN]string) []node {
	roles := map[identity.OIN][]string{d.claims.Issuer: nil}
	add := func(o identity.OIN, role string) { roles[o] = append(roles[o], role) }
	add(d.claims.Controller, "dpv:DataController")
	for _, r := range d.claims.Recipients {
		add(r, "dpv:Recipient")
	}
	for source := range d.grants {
		add(source, "dpv:DataSource")
	}
	all := []node{}
	for _, o := range slices.Sorted(maps.Keys(roles)) {
		name := names[o]
		if name == "" {
			name = string(o)
		}
		entity := node{"@id": organisation(o), "@type": append([]string{"dpv:Organisation"}, roles[o]...), "dpv:hasIdentifier": string(o), "dpv:hasName": name}
		if o == d.claims.Controller {
			entity["schema:contactPoint"] = node{"@type": "schema:ContactPoint", "schema:url": d.claims.Withdraw}
		}
		all = append(all, entity)
	}
	return all
}

func organisation(o identity.OIN) string { return "urn:oin:" + string(o) }

func instant(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// subjectType distinguishes a child from an adult, as the age group in the document does.
func subjectType(group string) []string {
	switch group {
	case under12, From12, from16:
		return []string{"dpv:DataSubject", "dpv:Child"}
	case adult:
		return []string{"dpv:DataSubject", "dpv:Adult"}
	}
	return []string{"dpv:DataSubject"}
}

func partyType(role string) string {
	switch role {
	case ontschotv1.SignerSelf:
		return "dpv:DataSubject"
	case ontschotv1.SignerParent:
		return "dpv:ParentOfDataSubject"
	case ontschotv1.SignerGuardian, ontschotv1.SignerCurator, ontschotv1.SignerMentor:
		return "dpv:GuardianOfDataSubject"
	default:
		return "dpv:Representative"
	}
}

// legalBasis names the articles of the GDPR in the vocabulary's terms ("avg-6-1-e" or
// "6-1-e" is eu-gdpr:A6-1-e), and the national one as it is written.
func legalBasis(b Basis) []any {
	all := []any{}
	for _, article := range []string{b.AVG6, b.AVG9} {
		if article != "" {
			all = append(all, "eu-gdpr:A"+strings.TrimPrefix(article, "avg-"))
		}
	}
	if b.National != "" {
		all = append(all, node{"@type": "dpv:LegalBasis", "dct:title": b.National})
	}
	return all
}
