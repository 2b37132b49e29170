package policy

import (
	"maps"
	"slices"
)

// Outcome is what the rules answer to one request. Only Allow with Fields lets
// anything pass; the zero value denies.
type Outcome struct {
	Allow bool
	// Reasons are the codes of the checks that failed, in the order of Codes.
	Reasons []string
	// Checks are the codes of the checks that applied, in the order of Codes.
	Checks []string
	// Fields are the categories that may pass, with their mask: one of budgetv1.MaskNames.
	// Empty unless Allow.
	Fields map[string]string
	// Dropped are the categories that were asked and do not pass, with the code why:
	// VELD-01, -02, -03.
	Dropped map[string]string
	// RetentionDays is how many days the asking party may keep the answer. Zero unless Allow.
	RetentionDays int
	// Notify lists who is to be notified. Empty unless Allow.
	Notify []string
}

// Codes of an outcome that others have to know.
const (
	CodeUndecided = "SYS-01"  // not judged: deny
	CodeNoField   = "VELD-00" // nothing remains
	CodePurpose   = "DOEL-01" // the purpose does not know the source
)

// Codes lists all codes of the policy in the order in which they are reported: the
// form, purpose, legal basis, agreement, authority, consent, policy, fields.
func Codes() []string {
	return []string{
		"SYS-02", CodeUndecided, "DOEL-01", "GROND-01", "OVK-01", "OVK-02", "OVK-03",
		"TOEST-05", "TOEST-01", "TOEST-02", "TOEST-03", "TOEST-04", "ROL-01", "ROL-02",
		CodeNoField, "VELD-01", "VELD-02", "VELD-03",
	}
}

// undecided is the answer when there is no answer.
func undecided() Outcome { return Outcome{Reasons: []string{CodeUndecided}} }

// clone copies an outcome. Its lists share one array, each with room for no more.
func (o Outcome) clone() Outcome {
	all := make([]string, 0, len(o.Reasons)+len(o.Checks)+len(o.Notify))
	for _, list := range []*[]string{&o.Reasons, &o.Checks, &o.Notify} {
		if *list == nil {
			continue
		}
		from := len(all)
		all = append(all, *list...)
		*list = slices.Clip(all[from:])
	}
	o.Fields, o.Dropped = maps.Clone(o.Fields), maps.Clone(o.Dropped)
	return o
}
