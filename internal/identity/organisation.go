package identity

import "slices"

// Organisation is one that the trust file names.
type Organisation struct {
	Code string
	Name string // for people
	OIN  OIN
	Kind string   // MUNICIPALITY CARE_OFFICE UWV INSURER SVB CAK EDUCATION TRANSPORT
	Laws []string // the laws it is a source of; a source of figures only has none
}

// Directory is every organisation that may be dealt with, in the order of the trust file.
type Directory []Organisation

// ByCode finds an organisation by its code.
func (d Directory) ByCode(code string) (Organisation, bool) {
	return d.first(func(o Organisation) bool { return o.Code == code })
}

// ByOIN finds an organisation by its number.
func (d Directory) ByOIN(oin OIN) (Organisation, bool) {
	return d.first(func(o Organisation) bool { return o.OIN == oin })
}

func (d Directory) first(is func(Organisation) bool) (Organisation, bool) {
	i := slices.IndexFunc(d, is)
	if i < 0 {
		return Organisation{}, false
	}
	return d[i], true
}

// Names of all by OIN.
func (d Directory) Names() map[OIN]string {
	names := map[OIN]string{}
	for _, o := range d {
		names[o.OIN] = o.Name
	}
	return names
}
