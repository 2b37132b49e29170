package admission

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Violation is what is wrong with which field. It never repeats the value.
type Violation struct{ Field, What string }

// Error names field and what is wrong with it.
func (v *Violation) Error() string { return v.Field + ": " + v.What }

// Invalid makes a Violation.
func Invalid(field, format string, args ...any) error {
	return &Violation{field, fmt.Sprintf(format, args...)}
}

// Rules are those of the proto files for every request there is, and for what a source
// answers. They are compiled once, which takes long enough to begin with it early.
var Rules = sync.OnceValues(func() (protovalidate.Validator, error) {
	messages := []protoreflect.MessageDescriptor{(*budgetv1.FetchResponse)(nil).ProtoReflect().Descriptor()}
	for _, file := range ontschotv1.Files() {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				messages = append(messages, methods.Get(j).Input())
			}
		}
	}
	return protovalidate.New(protovalidate.WithFailFast(), protovalidate.WithMessageDescriptors(messages...))
})

// WellFormed runs the rules of the proto file, and refuses what cannot be shown. The
// validator's own message is not passed on: it may repeat a value.
func (a *Admission) WellFormed(request proto.Message) error {
	if kept, _ := budgetv1.Sound(request); kept { // nearly always
		return showable(request)
	}
	err := a.validate.Validate(request)
	var bad *protovalidate.ValidationError
	if errors.As(err, &bad) && len(bad.Violations) > 0 {
		v := bad.Violations[0].Proto
		return Invalid(protovalidate.FieldPathString(v.GetField()), "%s", brokenRule(request.ProtoReflect().Descriptor(), v))
	}
	if err != nil {
		return err
	}
	return showable(request)
}

// showable refuses a request with a text that cannot be shown, or with a reference that
// can be somebody's BSN: what comes from outside is printed, by callers and by whom they
// show it to, and signed. A budget that is presented is held against its signature.
func showable(req proto.Message) error {
	wrong := ""
	path := budgetv1.FindText(req,
		func(f protoreflect.FieldDescriptor) bool {
			return f.Message() == nil || f.Message() != (*budgetv1.Budget)(nil).ProtoReflect().Descriptor()
		},
		func(f protoreflect.FieldDescriptor, text string) bool {
			switch {
			case !budgetv1.Printable(text):
				wrong = notShowable
			case identity.LooksLikeBSN(text) && slices.Contains(chosen(), string(f.FullName())): // few look so
				wrong = likeBSN
			}
			return wrong != ""
		})
	if path != "" {
		return Invalid(path, "%s", wrong)
	}
	return nil
}

const (
	notShowable = "holds a control, format or line character that cannot be shown; leave it out"
	likeBSN     = "looks like a BSN; choose one that says nothing of the person, such as P1"
)

// chosen are the fields in which a caller names things as it likes. They come back in
// what is printed, logged and signed.
func chosen() []string {
	return []string{
		"ontschot.v1.Person.ref", "ontschot.v1.Ask.person", "ontschot.v1.ViewRequest.person",
		"ontschot.budget.v1.Allocation.id", "ontschot.budget.v1.Allocation.caregiver", "ontschot.budget.v1.Allocation.contract",
		"ontschot.budget.v1.Allocation.beneficiaries", "ontschot.budget.v1.LegalBasis.id",
	}
}

// TakeBSN reads the BSN of a person that a request is about, and takes the identifiers
// out of it: what is printed by mistake afterwards gives nothing away.
func TakeBSN(path string, from **budgetv1.Identifiers) (identity.BSN, error) {
	bsn, err := identity.ParseBSN((*from).GetBsn())
	*from = nil
	if err != nil {
		return bsn, Invalid(path+".bsn", "is no BSN: nine digits that pass the 11-check")
	}
	return bsn, nil
}

// OptionalDate reads a civil date; none when there is no text.
func OptionalDate(path, s string) (civil.Date, error) {
	if s == "" {
		return 0, nil
	}
	d, err := civil.Parse(s)
	if err != nil {
		return 0, Invalid(path, "is no civil date, YYYY-MM-DD")
	}
	return d, nil
}

// MaxMonths bounds the window of a question. HistoryMonths before it are asked for, to find
// gaps; they are never released.
const (
	MaxMonths     = 60
	HistoryMonths = 12
)

// Window reads the window of a question.
func Window(w *budgetv1.Window) (civil.Span, error) {
	from, errFrom := civil.Parse(w.GetFrom())
	to, errTo := civil.Parse(w.GetTo())
	switch {
	case errFrom != nil:
		return civil.Span{}, Invalid("window.from", "is no civil date, YYYY-MM-DD")
	case errTo != nil:
		return civil.Span{}, Invalid("window.to", "is no civil date, YYYY-MM-DD")
	case to < from:
		return civil.Span{}, Invalid("window.to", "lies before window.from")
	case to >= from.AddMonths(MaxMonths):
		return civil.Span{}, Invalid("window", "is longer than %d months", MaxMonths)
	}
	return civil.Span{From: from, To: to}, nil
}
