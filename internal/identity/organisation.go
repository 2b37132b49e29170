package identity

import (
	"slices"
	"sync/atomic"
)

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

// Roster is the Directory of the moment: whoever holds one reads who there is now. It is safe
// for concurrent use; a nil Roster names nobody.
type Roster struct{ now atomic.Pointer[Directory] }

// NewRoster begins with a Directory.
func NewRoster(d Directory) *Roster {
	r := &Roster{}
	r.Replace(d)
	return r
}

// Replace has another Directory count from now on, all of it at once.
func (r *Roster) Replace(d Directory) { r.now.Store(&d) }

// Now is the Directory that counts; it is not changed any more.
func (r *Roster) Now() Directory {
	if r == nil {
		return nil
	}
	return *r.now.Load()
}

// ByCode finds an organisation by its code.
func (r *Roster) ByCode(code string) (Organisation, bool) { return r.Now().ByCode(code) }

// ByOIN finds an organisation by its number.
func (r *Roster) ByOIN(oin OIN) (Organisation, bool) { return r.Now().ByOIN(oin) }
