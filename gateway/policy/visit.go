package policy

import "encoding/binary"

// pathFields is the one list whose entries come back in an answer.
const pathFields = "resource.properties.fields"

// visitor sees every path of a request, in one fixed order.
type visitor struct {
	text    func(path, value string)
	list    func(path string, values []string)
	present func(path string, is bool)
}

// visit walks a request. A path that is added to Input is added here too; a test
// walks the type and says so.
func (in *Input) visit(v visitor) {
	v.text("subject.type", in.Subject.Type)
	v.text("subject.id", in.Subject.ID)
	v.text("subject.properties.org_type", in.Subject.Properties.OrgType)
	v.text("subject.properties.role", in.Subject.Properties.Role)
	v.text("subject.properties.assurance", in.Subject.Properties.Assurance)
	v.text("action.name", in.Action.Name)
	v.text("action.properties.purpose", in.Action.Properties.Purpose)
	v.text("action.properties.law", in.Action.Properties.Law)
	v.text("resource.type", in.Resource.Type)
	v.text("resource.id", in.Resource.ID)
	v.text("resource.properties.source", in.Resource.Properties.Source)
	v.text("resource.properties.source_kind", in.Resource.Properties.SourceKind)
	v.list(pathFields, in.Resource.Properties.Fields)
	v.text("resource.properties.legal_basis", in.Resource.Properties.LegalBasis)
	v.text("context.contract", in.Context.Contract)
	v.text("context.date", in.Context.Date)
	in.Context.Agreement.visit(v)
	in.Context.Consent.visit(v)
}

func (a *AgreementTerms) visit(v visitor) {
	v.present("context.agreement", a != nil)
	if a == nil {
		return
	}
	v.text("context.agreement.id", a.ID)
	v.text("context.agreement.requester", a.Requester)
	v.text("context.agreement.source", a.Source)
	v.list("context.agreement.purposes", a.Purposes)
	v.text("context.agreement.from", a.From)
	v.text("context.agreement.until", a.Until)
	v.list("context.agreement.fields", a.Fields)
	v.text("context.agreement.digest", a.Digest)
}

func (c *ConsentTerms) visit(v visitor) {
	v.present("context.consent", c != nil)
	if c == nil {
		return
	}
	v.text("context.consent.id", c.ID)
	v.text("context.consent.status", c.Status)
	v.text("context.consent.subject", c.Subject)
	v.text("context.consent.by", c.By)
	v.list("context.consent.purposes", c.Purposes)
	v.list("context.consent.sources", c.Sources)
	v.text("context.consent.from", c.From)
	v.text("context.consent.until", c.Until)
	c.Mandate.visit(v)
}

func (m *MandateTerms) visit(v visitor) {
	v.present("context.consent.mandate", m != nil)
	if m == nil {
		return
	}
	v.list("context.consent.mandate.scope", m.Scope)
	v.text("context.consent.mandate.until", m.Until)
}

// key appends what stands for everything the rules see of a request, and nothing
// else; a test walks the type and says so. Texts and lists are preceded by their lengths,
// so that no two requests have the same key.
func (in *Input) key(to []byte) []byte {
	subject, action, resource := &in.Subject.Properties, &in.Action.Properties, &in.Resource.Properties
	to = appendTexts(to, in.Subject.Type, in.Subject.ID, subject.OrgType, subject.Role, subject.Assurance,
		in.Action.Name, action.Purpose, action.Law,
		in.Resource.Type, in.Resource.ID, resource.Source, resource.SourceKind, resource.LegalBasis,
		in.Context.Contract, in.Context.Date)
	to = appendList(to, resource.Fields)
	a, c := in.Context.Agreement, in.Context.Consent
	if to = append(to, bit(a != nil)); a != nil {
		to = appendTexts(to, a.ID, a.Requester, a.Source, a.From, a.Until, a.Digest)
		to = appendList(appendList(to, a.Purposes), a.Fields)
	}
	if to = append(to, bit(c != nil)); c == nil {
		return to
	}
	to = appendTexts(to, c.ID, c.Status, c.Subject, c.By, c.From, c.Until)
	to = appendList(appendList(to, c.Purposes), c.Sources)
	if to = append(to, bit(c.Mandate != nil)); c.Mandate == nil {
		return to
	}
	return appendList(appendTexts(to, c.Mandate.Until), c.Mandate.Scope)
}

func appendList(to []byte, list []string) []byte {
	return appendTexts(binary.AppendUvarint(to, uint64(len(list))), list...)
}

func appendTexts(to []byte, texts ...string) []byte {
	for _, text := range texts {
		to = append(binary.AppendUvarint(to, uint64(len(text))), text...)
	}
	return to
}

func bit(is bool) byte {
	if is {
		return 1
	}
	return 0
}
