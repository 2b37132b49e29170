package budgetv1

import (
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Category is a kind of data that can be granted or withheld.
type Category string

// The closed list of categories that can be granted.
const (
	CategoryEntitlement     Category = "entitlement" // that it exists, law, form
	CategoryProduct         Category = "product"
	CategoryPeriod          Category = "period"
	CategoryQuantity        Category = "quantity"
	CategoryAmount          Category = "amount"
	CategoryIncome          Category = "income"
	CategorySpending        Category = "spending"
	CategoryOwnContribution Category = "own_contribution"
	CategoryReference       Category = "reference" // decision numbers
	CategoryProvider        Category = "provider"
)

// The two that cannot: what identifies a human being, and what says nothing of one.
const (
	categoryPerson    Category = "person"
	categoryTechnical Category = "technical"
)

// Categories lists what can be granted, in the order in which it is written.
func Categories() []Category {
	return []Category{
		CategoryEntitlement, CategoryProduct, CategoryPeriod, CategoryQuantity, CategoryAmount,
		CategoryIncome, CategorySpending, CategoryOwnContribution, CategoryReference, CategoryProvider,
	}
}

// CategoryOf gives the category a field carries in the proto files; empty when
// it carries none, which no field of ours does (a test walks them all).
func CategoryOf(f protoreflect.FieldDescriptor) Category {
	if m := f.ContainingMessage(); m != nil && !f.IsExtension() {
		return categoriesOf(m)[f.Index()]
	}
	return categoryIn(f)
}

func categoryIn(f protoreflect.FieldDescriptor) Category {
	return Category(proto.GetExtension(f.Options(), E_Category).(string))
}

// categories are those of the fields of each message that was asked for, by index.
var categories sync.Map

func categoriesOf(m protoreflect.MessageDescriptor) []Category {
	if known, ok := categories.Load(m); ok {
		return known.([]Category)
	}
	all := make([]Category, m.Fields().Len())
	for i := range all {
		all[i] = categoryIn(m.Fields().Get(i))
	}
	known, _ := categories.LoadOrStore(m, all)
	return known.([]Category)
}

// Discloses reports whether these categories of a law say that there is something under it:
// a right, or what was spent or is paid, by a source of figures that grants no right.
func Discloses(granted []Category) bool {
	return slices.ContainsFunc(granted, func(c Category) bool {
		return c == CategoryEntitlement || c == CategorySpending || c == CategoryOwnContribution
	})
}

// Minimise clears every field whose category is not granted, and of those that are what
// their mask keeps back. It works on the answer of one source to questions about one law;
// what cannot be judged is cleared. No masks: all that is granted stays whole.
func Minimise(m proto.Message, granted []Category, masks Masks) {
	minimise(m.ProtoReflect(), granted, masks)
}

func minimise(m protoreflect.Message, granted []Category, masks Masks) {
	of := categoriesOf(m.Descriptor())
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		c := categoryPerson // of an extension nobody knows what it is
		if !f.IsExtension() {
			c = of[f.Index()]
		}
		switch {
		case slices.Contains(granted, c):
			masked(m, f, masks.Of(c)) // the outermost category governs all that is inside
		case c != categoryTechnical:
			m.Clear(f)
		case f.IsMap():
			// technical maps hold no messages; a test over the descriptors says so
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				minimise(v.List().Get(i).Message(), granted, masks)
			}
		case f.Message() != nil:
			minimise(v.Message(), granted, masks)
		}
		return true
	})
	m.SetUnknown(nil) // fields that have no category
}
