package impact

import (
	"slices"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Names of the dimensions of a request.
const (
	dimPurpose   = "purpose"
	dimKind      = "source_kind"
	dimLaw       = "law"
	dimCategory  = "category"
	dimAgreement = "agreement"
	dimAsker     = "overlay_of_asker"
	dimSource    = "overlay_of_source"
	dimConsent   = "consent"
	dimDate      = "date"
	dimRole      = "role"
	dimAssurance = "assurance"
	dimOrgType   = "org_type"
	dimBasis     = "legal_basis"
	dimProof     = "agreement_proof"
	dimWindow    = "agreement_days"
	dimTerms     = "agreement_terms"
	dimFields    = "agreement_fields"
	dimConsentID = "consent_proof"
	dimStatus    = "consent_status"
	dimSigner    = "consent_signer"
	dimScope     = "mandate_scope"
	dimMandate   = "mandate_days"
	dimSubject   = "consent_subject"
	dimPurposes  = "consent_purpose"
	dimSources   = "consent_source"
	dimDays      = "consent_days"
)

// Names of values that mean the same in several dimensions.
const (
	notThere  = "-"       // means nothing here: what it is of is not there
	unknown   = "unknown" // a word that no table has
	noOverlay = "none"
	present   = "present"
	own       = "own_source"
	mandated  = "with_mandate"
	missing   = "missing"
	good      = "right"
	other     = "other"
)

// What no table and no overlay has.
const (
	otherPurpose = "other.purpose"
	otherOIN     = "00000000000000000003"
	askerOIN     = "00000000000000000001"
	sourceOIN    = "00000000000000000002"
	personID     = "p-1"
)

// The controls of a request.
const (
	controlAgreement = iota
	controlAsker
	controlConsent
)

// days are the sides of a span of days: each value says on which side the date of the
// question lies.
func days() []value {
	return []value{{name: notThere}, {name: "not_yet"}, {name: "first_day"}, {name: "within"}, {name: "last_day"}, {name: "over"}}
}

func choice(names ...string) []value {
	all := []value{{name: notThere}}
	for _, name := range names {
		all = append(all, value{name: name})
	}
	return all
}

// requests is the domain of questions for data: everything that a rule could tell apart in a
// question by the tables of two revisions and the words of their rules.
func requests(v vocabulary) (*domain, error) {
	d := &domain{head: 4, dims: []dimension{
		{name: dimPurpose, values: words(v.purposes)},
		{name: dimKind, values: words(v.kinds)},
		{name: dimLaw, values: words(v.laws)},
		{name: dimCategory, values: words(v.categories)},
		{name: dimAgreement, values: []value{{name: missing}, {name: own}, {name: present}}},
		{name: dimAsker, values: oins(v.overlays, askerOIN)[1:]},
		{name: dimSource, values: oins(v.overlays, sourceOIN)},
		{name: dimConsent, values: []value{{name: missing}, {name: present}, {name: mandated}}},
		{name: dimDate, values: words(v.dates)},
		{name: dimRole, values: words(v.roles)},
		{name: dimAssurance, values: words(v.assurance)},
		{name: dimOrgType, values: words(v.orgTypes)},
		{name: dimBasis, values: words(v.bases)},
		{name: dimProof, values: choice(good, "no_id", "no_digest")},
		{name: dimWindow, values: days()},
		{name: dimTerms, values: choice(good, "other_requester", "other_source", "other_purpose")},
		{name: dimFields, values: choice("named", "not_named")},
		{name: dimConsentID, values: choice(good, "no_id")},
		{name: dimStatus, values: choice(v.statuses...)},
		{name: dimSigner, values: choice(v.signers...)},
		{name: dimScope, values: choice(good, other)},
		{name: dimMandate, values: choice("runs", "last_day", "over")},
		{name: dimSubject, values: choice(good, other)},
		{name: dimPurposes, values: choice(good, other)},
		{name: dimSources, values: choice(good, other)},
		{name: dimDays, values: days()},
	}}
	for i := range d.dims {
		d.dims[i].control = none
	}
	if err := d.index(); err != nil {
		return nil, err
	}
	d.dims[d.at[dimAgreement]].control = controlAgreement
	d.dims[d.at[dimAsker]].control = controlAsker
	d.dims[d.at[dimConsent]].control = controlConsent
	d.paths = requestPaths()
	d.permit = d.permitRequest()
	d.document = d.request
	d.inOrder()
	d.dims[d.at[dimSigner]].order = d.only(dimSigner, append(ontschotv1.Signers(), notThere)...)
	d.dims[d.at[dimOrgType]].order = d.only(dimOrgType, policy.OrgType(budgetv1.KindMunicipality))
	d.near(v.cells)
	return d, nil
}

// oins are the organisations that differ: one without an overlay, and each with one. The
// first is none at all: the source is that of who asks.
func oins(overlays []string, plain string) []value {
	all := []value{{name: notThere}, {name: noOverlay, text: plain}}
	for _, oin := range overlays {
		all = append(all, value{name: oin})
	}
	return all
}

// inOrder says of each dimension with which values nothing is denied for it.
func (d *domain) inOrder() {
	for name, values := range map[string][]string{
		dimAgreement: {own, present}, dimConsent: {present, mandated},
		dimProof: {notThere, good}, dimWindow: {notThere, "first_day", "within", "last_day"},
		dimTerms: {notThere, good}, dimFields: {notThere, "named"}, dimConsentID: {notThere, good},
		dimStatus: {notThere, "active"}, dimScope: {notThere, good}, dimMandate: {notThere, "runs", "last_day"},
		dimSubject: {notThere, good}, dimPurposes: {notThere, good}, dimSources: {notThere, good},
		dimDays: {notThere, "first_day", "within", "last_day"},
	} {
		dim := &d.dims[d.at[name]]
		dim.order, dim.best = d.only(name, values...), d.only(name, present, good, "within", "runs", "active", "named")
	}
}

func requestPaths() []path {
	return []path{
		{"subject.type", nil}, {"subject.id", []string{dimAsker}},
		{"subject.properties.org_type", []string{dimOrgType}}, {"subject.properties.role", []string{dimRole}}, {"subject.properties.assurance", []string{dimAssurance}},
		{"action.name", nil}, {"action.properties.purpose", []string{dimPurpose}}, {"action.properties.law", []string{dimLaw}},
		{"resource.type", nil}, {"resource.id", nil},
		{"resource.properties.source", []string{dimAgreement, dimAsker, dimSource}}, {"resource.properties.source_kind", []string{dimKind}},
		{"resource.properties.fields", []string{dimCategory}}, {"resource.properties.legal_basis", []string{dimBasis}},
		{"context.contract", nil}, {"context.date", []string{dimDate}},
		{"context.agreement", []string{dimAgreement}},
		{"context.agreement.id", []string{dimProof}}, {"context.agreement.digest", []string{dimProof}},
		{"context.agreement.requester", []string{dimAsker, dimTerms}}, {"context.agreement.source", []string{dimAsker, dimSource, dimTerms}},
		{"context.agreement.purposes", []string{dimPurpose, dimTerms}},
		{"context.agreement.from", []string{dimDate, dimWindow}}, {"context.agreement.until", []string{dimDate, dimWindow}},
		{"context.agreement.fields", []string{dimCategory, dimFields}},
		{"context.consent", []string{dimConsent}},
		{"context.consent.id", []string{dimConsentID}}, {"context.consent.status", []string{dimStatus}},
		{"context.consent.subject", []string{dimSubject}}, {"context.consent.by", []string{dimSigner}},
		{"context.consent.purposes", []string{dimPurpose, dimPurposes}},
		{"context.consent.sources", []string{dimAgreement, dimAsker, dimSource, dimSources}},
		{"context.consent.from", []string{dimDate, dimDays}}, {"context.consent.until", []string{dimDate, dimDays}},
		{"context.consent.mandate", []string{dimConsent}},
		{"context.consent.mandate.scope", []string{dimPurpose, dimScope}}, {"context.consent.mandate.until", []string{dimDate, dimMandate}},
	}
}

// permitRequest: what is of an agreement, a consent or a mandate means something only where
// that is there. A source of one's own has one's own overlay, and two organisations are two.
func (d *domain) permitRequest() func(level int, c controls) set {
	of := map[int]func(c controls) (known, there bool){}
	beside := func(control, least int, names ...string) {
		for _, name := range names {
			of[d.at[name]] = func(c controls) (bool, bool) { return c[control] != 0, int(c[control])-1 >= least }
		}
	}
	beside(controlAgreement, 2, dimProof, dimWindow, dimTerms, dimFields)
	beside(controlConsent, 1, dimConsentID, dimStatus, dimSigner, dimSubject, dimPurposes, dimSources, dimDays)
	beside(controlConsent, 2, dimScope, dimMandate)
	source := d.at[dimSource]
	return func(level int, c controls) set {
		if level == source {
			return permitSource(c)
		}
		rule, ok := of[level]
		if !ok {
			return ^set(0)
		}
		switch known, there := rule(c); {
		case !known:
			return ^set(0)
		case there:
			return ^set(1)
		default:
			return 1
		}
	}
}

func permitSource(c controls) set {
	switch c[controlAgreement] - 1 {
	case -1:
		return ^set(0)
	case 1: // one's own
		return 1
	}
	if asker := int(c[controlAsker]) - 1; asker > 0 { // 0: the one without an overlay
		return ^set(1) &^ (1 << (asker + 1))
	}
	return ^set(1)
}

// source is the OIN of the source: that of who asks, where it is its own.
func (d *domain) sourceOf(point []int) string {
	if d.is(point, dimAgreement) == own || d.is(point, dimSource) == notThere {
		return d.text(point, dimAsker)
	}
	return d.text(point, dimSource)
}

// request writes a combination as the rules see it.
func (d *domain) request(point []int) map[string]any {
	context := map[string]any{"contract": policy.ContractRequest, "date": d.text(point, dimDate)}
	if d.is(point, dimAgreement) == present {
		context["agreement"] = d.agreement(point)
	}
	if d.is(point, dimConsent) != missing {
		context["consent"] = d.consent(point)
	}
	return map[string]any{
		"subject": map[string]any{"type": "organisation", "id": d.text(point, dimAsker), "properties": map[string]any{
			"org_type": d.text(point, dimOrgType), "role": d.text(point, dimRole), "assurance": d.text(point, dimAssurance)}},
		"action": map[string]any{"name": "read", "properties": map[string]any{"purpose": d.text(point, dimPurpose), "law": d.text(point, dimLaw)}},
		"resource": map[string]any{"type": "person", "id": personID, "properties": map[string]any{
			"source": d.sourceOf(point), "source_kind": d.text(point, dimKind),
			"fields": []any{d.text(point, dimCategory)}, "legal_basis": d.text(point, dimBasis)}},
		"context": context,
	}
}

func unless(is bool, otherwise, text string) string {
	if is {
		return otherwise
	}
	return text
}

func (d *domain) agreement(point []int) map[string]any {
	proof, terms := d.is(point, dimProof), d.is(point, dimTerms)
	from, until := d.span(point, dimWindow)
	return map[string]any{
		"id": unless(proof == "no_id", "", "a-1"), "digest": unless(proof == "no_digest", "", "d-1"),
		"requester": unless(terms == "other_requester", otherOIN, d.text(point, dimAsker)),
		"source":    unless(terms == "other_source", otherOIN, d.sourceOf(point)),
		"purposes":  []any{unless(terms == "other_purpose", otherPurpose, d.text(point, dimPurpose))},
		"fields":    []any{unless(d.is(point, dimFields) == "not_named", "nothing", d.text(point, dimCategory))},
		"from":      from, "until": until,
	}
}

func (d *domain) consent(point []int) map[string]any {
	from, until := d.span(point, dimDays)
	said := map[string]any{
		"id": unless(d.is(point, dimConsentID) == "no_id", "", "c-1"), "status": d.text(point, dimStatus), "by": d.text(point, dimSigner),
		"subject":  unless(d.is(point, dimSubject) == other, "p-2", personID),
		"purposes": []any{unless(d.is(point, dimPurposes) == other, otherPurpose, d.text(point, dimPurpose))},
		"sources":  []any{unless(d.is(point, dimSources) == other, otherOIN, d.sourceOf(point))},
		"from":     from, "until": until,
	}
	if d.is(point, dimConsent) == mandated {
		_, until := d.span(point, dimMandate)
		said["mandate"] = map[string]any{
			"scope": []any{unless(d.is(point, dimScope) == other, otherPurpose, d.text(point, dimPurpose))}, "until": until,
		}
	}
	return said
}

// span gives the first and the last day of a span on which side of the date it says.
func (d *domain) span(point []int, side string) (from, until string) {
	today := civil.MustParse(d.text(point, dimDate))
	first, last := today-1, today+1
	switch d.is(point, side) {
	case "not_yet":
		first = today + 1
	case "first_day":
		first = today
	case "last_day":
		last = today
	case "over":
		last = today - 1
	}
	return first.String(), last.String()
}

// asked is a combination as the gateway writes it.
func (d *domain) asked(point []int, categories ...string) policy.Input {
	in := policy.Input{
		Subject: policy.Subject{Type: "organisation", ID: d.text(point, dimAsker), Properties: policy.SubjectProperties{
			OrgType: d.text(point, dimOrgType), Role: d.text(point, dimRole), Assurance: d.text(point, dimAssurance)}},
		Action: policy.Action{Name: "read", Properties: policy.ActionProperties{Purpose: d.text(point, dimPurpose), Law: d.text(point, dimLaw)}},
		Resource: policy.Resource{Type: "person", ID: personID, Properties: policy.ResourceProperties{
			Source: d.sourceOf(point), SourceKind: d.text(point, dimKind), Fields: slices.Clone(categories), LegalBasis: d.text(point, dimBasis)}},
		Context: policy.Context{Contract: policy.ContractRequest, Date: d.text(point, dimDate)},
	}
	if len(categories) == 0 {
		in.Resource.Properties.Fields = []string{d.text(point, dimCategory)}
	}
	if d.is(point, dimAgreement) == present {
		a := d.agreement(point)
		in.Context.Agreement = &policy.AgreementTerms{
			ID: a["id"].(string), Requester: a["requester"].(string), Source: a["source"].(string), Purposes: texts(a["purposes"]),
			From: a["from"].(string), Until: a["until"].(string), Fields: texts(a["fields"]), Digest: a["digest"].(string),
		}
		if len(categories) > 0 && d.is(point, dimFields) == "named" {
			in.Context.Agreement.Fields = slices.Clone(categories)
		}
	}
	if d.is(point, dimConsent) != missing {
		c := d.consent(point)
		in.Context.Consent = &policy.ConsentTerms{
			ID: c["id"].(string), Status: c["status"].(string), Subject: c["subject"].(string), By: c["by"].(string),
			Purposes: texts(c["purposes"]), Sources: texts(c["sources"]), From: c["from"].(string), Until: c["until"].(string),
		}
		if m := member(c, "mandate"); m != nil {
			in.Context.Consent.Mandate = &policy.MandateTerms{Scope: texts(m["scope"]), Until: m["until"].(string)}
		}
	}
	return in
}
