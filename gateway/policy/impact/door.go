package impact

import "github.com/ontschot/ontschot/gateway/policy"

// Names of the dimensions of a door.
const (
	dimOperation       = "operation"
	dimOrganisation    = "overlay"
	dimSecond          = "second"
	dimSecondRole      = "second_role"
	dimSecondAssurance = "second_assurance"
)

// doors is the domain of what case workers come to do.
func doors(v vocabulary) (*domain, error) {
	d := &domain{head: 1, dims: []dimension{
		{name: dimOperation, values: words(v.operations)},
		{name: dimOrganisation, values: oins(v.overlays, askerOIN)[1:]},
		{name: dimSecond, values: []value{{name: missing}, {name: present}}},
		{name: dimRole, values: words(v.roles)},
		{name: dimAssurance, values: words(v.assurance)},
		{name: dimSecondRole, values: choice(v.roles...)},
		{name: dimSecondAssurance, values: choice(v.assurance...)},
	}}
	for i := range d.dims {
		d.dims[i].control = none
	}
	if err := d.index(); err != nil {
		return nil, err
	}
	d.dims[d.at[dimSecond]].control = controlAgreement
	d.paths = []path{
		{"subject.type", nil}, {"subject.id", []string{dimOrganisation}},
		{"subject.properties.role", []string{dimRole}}, {"subject.properties.assurance", []string{dimAssurance}},
		{"subject.second", []string{dimSecond}},
		{"subject.second.role", []string{dimSecondRole}}, {"subject.second.assurance", []string{dimSecondAssurance}},
		{"action.name", []string{dimOperation}}, {"context.contract", nil},
	}
	role, assurance := d.at[dimSecondRole], d.at[dimSecondAssurance]
	d.permit = func(level int, c controls) set {
		switch {
		case level != role && level != assurance || c[controlAgreement] == 0:
			return ^set(0)
		case c[controlAgreement] == 1:
			return 1
		}
		return ^set(1)
	}
	d.document = d.door
	d.near(v.cells)
	return d, nil
}

// door writes a combination as the rules see it.
func (d *domain) door(point []int) map[string]any {
	subject := map[string]any{"type": "organisation", "id": d.text(point, dimOrganisation), "properties": map[string]any{
		"role": d.text(point, dimRole), "assurance": d.text(point, dimAssurance)}}
	if d.is(point, dimSecond) == present {
		subject["second"] = map[string]any{"role": d.text(point, dimSecondRole), "assurance": d.text(point, dimSecondAssurance)}
	}
	return map[string]any{
		"subject": subject,
		"action":  map[string]any{"name": d.text(point, dimOperation)},
		"context": map[string]any{"contract": policy.ContractOperation},
	}
}
