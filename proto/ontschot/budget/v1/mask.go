package budgetv1

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Mask is how much of a category may be disclosed.
type Mask string

// The masks.
const (
	MaskNone   Mask = "none"   // whole
	MaskGroup  Mask = "group"  // a code as the group it belongs to; where it has none, as MaskExists
	MaskExists Mask = "exists" // that there is something, and no more
)

// MaskNames lists them all, the stricter ones later. A closed list.
func MaskNames() []Mask { return []Mask{MaskNone, MaskGroup, MaskExists} }

// Masks are the masks of categories; one that is not among them has none. CategoryEntitlement
// has none either: that there is a right is all that it says.
type Masks map[Category]Mask

// Of gives the mask of a category as it can be applied: codes that belong to groups are
// in products alone, and a mask that nobody knows discloses no more than that there is
// something.
func (m Masks) Of(c Category) Mask {
	switch mask := m[c]; mask {
	case "", MaskNone:
		return MaskNone
	case MaskGroup:
		if c == CategoryProduct {
			return MaskGroup
		}
	}
	return MaskExists
}

// Narrow takes in the masks of a scope: of two masks of one category the stricter holds.
func (m Masks) Narrow(s *Scope) {
	for category, mask := range s.GetMasks() {
		c := Category(category)
		if !slices.Contains(MaskNames(), Mask(mask)) {
			mask = string(MaskExists)
		}
		if slices.Index(MaskNames(), Mask(mask)) > slices.Index(MaskNames(), m[c]) {
			m[c] = Mask(mask)
		}
	}
}

// The lists of products under the Wlz. The functions of an award (iPgb, WLZ022) are the
// groups of the care profiles (iWlz, COD163): a profile tells a group of diagnoses.
const (
	ListWlzProfiles  = "COD163"
	ListWlzFunctions = "WLZ022"
	CodeWlzCare      = "99"       // the whole of Wlz care: the one function there is
	LabelWlzCare     = "Wlz-zorg" // said of it
)

// GroupOf gives the group that a product belongs to; nil when its list knows none.
func GroupOf(p *Product) *Product {
	if system := p.GetSystem(); system != ListWlzProfiles && system != ListWlzFunctions {
		return nil
	}
	return &Product{System: ListWlzFunctions, Code: CodeWlzCare, Label: LabelWlzCare}
}

// masked leaves of a granted field what its mask allows.
func masked(m protoreflect.Message, f protoreflect.FieldDescriptor, mask Mask) {
	if mask == MaskNone {
		return
	}
	if p, is := m.Get(f).Interface().(protoreflect.Message); is && mask == MaskGroup {
		if product, is := p.Interface().(*Product); is {
			if group := GroupOf(product); group != nil {
				m.Set(f, protoreflect.ValueOfMessage(group.ProtoReflect()))
				return
			}
		}
	}
	m.Clear(f)
}
