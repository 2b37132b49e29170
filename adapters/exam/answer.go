package exam

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// answer is a response without what differs each time: ids, moments, versions and digests;
// in one order.
type answer struct{ *budgetv1.FetchResponse }

func settled(r *budgetv1.FetchResponse) *answer {
	a := proto.CloneOf(r)
	a.Adapter, a.Version, a.AsOfMs, a.AnswerId = "", "", 0, ""
	for _, l := range a.GetLines() {
		for _, p := range l.GetProvenance() {
			p.Adapter, p.Version, p.Sha256, p.FetchedAtMs = "", "", nil, 0
		}
	}
	for _, n := range a.GetNotices() {
		n.Count = max(n.GetCount(), 1)
	}
	sorted(a.Lines)
	sorted(a.History)
	sorted(a.Notices)
	sorted(a.Spends)
	sorted(a.OwnContributions)
	return &answer{a}
}

func sorted[M proto.Message](list []M) {
	wire := proto.MarshalOptions{Deterministic: true}
	slices.SortFunc(list, func(a, b M) int {
		x, _ := wire.Marshal(a) // as it came
		y, _ := wire.Marshal(b)
		return bytes.Compare(x, y)
	})
}

func (a *answer) same(b *answer) bool { return proto.Equal(a.FetchResponse, b.FetchResponse) }

// differs names the first place where another answer is not as this one, never what stands there.
func (a *answer) differs(b *answer) string {
	return differs("", a.ProtoReflect(), b.ProtoReflect())
}

func differs(at string, a, b protoreflect.Message) string {
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		here := at + string(f.Name())
		x, y := a.Get(f), b.Get(f)
		switch {
		case x.Equal(y) && a.Has(f) == b.Has(f):
		case f.IsList() && x.List().Len() != y.List().Len():
			return fmt.Sprintf("%s: %d, %d", here, x.List().Len(), y.List().Len())
		case f.IsList() && f.Message() != nil:
			for j := range x.List().Len() {
				if under := differs(fmt.Sprintf("%s[%d].", here, j), x.List().Get(j).Message(), y.List().Get(j).Message()); under != "" {
					return under
				}
			}
		case !f.IsList() && !f.IsMap() && f.Message() != nil && a.Has(f) && b.Has(f):
			if under := differs(here+".", x.Message(), y.Message()); under != "" {
				return under
			}
		default:
			return here
		}
	}
	return ""
}

// domain of the errors of adapters.
const domain = "adapter.ontschot.nl"

// The reasons of errors that the exam looks for: those of adapter.proto.
const (
	subjectNotFound   = "SUBJECT_NOT_FOUND"
	scopeUnsupported  = "SCOPE_UNSUPPORTED"
	sourceUnavailable = "SOURCE_UNAVAILABLE"
	sourceTimeout     = "SOURCE_TIMEOUT"
	badData           = "BAD_DATA_AT_SOURCE"
	notConfigured     = "NOT_CONFIGURED"
)

// reason reads the reason that an adapter gave; empty when it gave none.
func reason(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetDomain() == domain {
			return info.GetReason()
		}
	}
	return ""
}

// outcome words what came of a call: a reason, or the code when there is none.
func outcome(err error) string {
	switch {
	case err == nil:
		return "OK"
	case reason(err) != "":
		return status.Code(err).String() + " " + reason(err)
	}
	return status.Code(err).String()
}
