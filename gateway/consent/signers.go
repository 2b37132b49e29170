package consent

import (
	"maps"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
)

// Roles in which somebody can sign for another.
const (
	roleSelf     = "self"
	roleParent   = "ouder_met_gezag"
	roleGuardian = "voogd"
	roleCurator  = "curator"
	roleMentor   = "mentor"
	roleProxy    = "gemachtigde"
)

// signers tells whether those who signed are those who had to, on the day it was
// given (WGBO art. 7:447, 7:450, 7:465 BW; Jeugdwet 7.3.4, 7.3.5).
func (d Document) signers() error {
	switch d.claims.Authority.AgeGroup {
	case "under_12":
		return d.holders(false)
	case "12_15":
		return d.holders(true)
	case "16_17":
		return d.by(roleSelf)
	case "adult":
		return d.adult()
	default:
		return ErrAuthority
	}
}

// holders requires all holders of authority, and the child too when it is 12 to 15.
func (d Document) holders(child bool) error {
	role := roleParent
	switch d.claims.Authority.Kind {
	case "EenhoofdigOuderlijkGezag", "TweehoofdigOuderlijkGezag", "GezamenlijkGezag":
	case "Voogdij":
		role = roleGuardian
	default: // TijdelijkGeenGezag, GezagNietTeBepalen, under investigation: for a human
		return ErrAuthority
	}
	need := d.claims.Authority.Holders
	if need < 1 || d.claims.Authority.Kind == "TweehoofdigOuderlijkGezag" && need != 2 {
		return ErrAuthority
	}
	people, self := map[string]bool{}, map[string]bool{}
	for _, s := range d.signatures() {
		switch s.Role {
		case role:
			people[s.Proof.Hash] = true
		case roleSelf:
			self[s.Proof.Hash] = true
		}
	}
	maps.DeleteFunc(self, func(hash string, _ bool) bool { return people[hash] }) // nobody is both
	if len(people) < need || child && len(self) == 0 {
		return ErrWrongSigner
	}
	return nil
}

// contradicts tells that the age group or the birthday on which the consent lapses
// is not that of somebody born on that day. No date contradicts nothing.
func (d Document) contradicts(born civil.Date) bool {
	if born.IsZero() {
		return false
	}
	group, lapses := AgeGroup(born, d.span.From)
	return group != d.claims.Authority.AgeGroup || lapses != d.lapses
}

// AgeGroup of somebody on a day, and the birthday on which a consent given on that
// day lapses; none for an adult.
func AgeGroup(born, day civil.Date) (group string, lapses civil.Date) {
	for _, step := range []struct {
		years int
		group string
	}{{12, "under_12"}, {16, "12_15"}, {18, "16_17"}} {
		if birthday := born.Birthday(step.years); day < birthday {
			return step.group, birthday
		}
	}
	return "adult", 0
}

// adult signs himself, unless another decides for him in matters of care. A
// bewindvoerder, who keeps the money, does not (art. 1:431 BW).
func (d Document) adult() error {
	switch d.claims.Authority.Kind {
	case "Curatele":
		return d.by(roleCurator)
	case "Mentorschap":
		return d.by(roleMentor)
	case "", "Bewind", "Volmacht", "Machtiging":
		return d.by(roleSelf, roleProxy)
	case "EenhoofdigOuderlijkGezag", "TweehoofdigOuderlijkGezag", "GezamenlijkGezag", "Voogdij", "TijdelijkGeenGezag", "GezagNietTeBepalen":
		return d.by(roleSelf, roleProxy) // ended at eighteen, whatever the register still says (art. 1:233, 1:245 BW)
	default: // a measure that nobody here knows: for a human
		return ErrAuthority
	}
}

// by requires that one who may sign did; others beside him do no harm.
func (d Document) by(roles ...string) error {
	if slices.ContainsFunc(d.signatures(), func(s Signature) bool { return slices.Contains(roles, s.Role) }) {
		return nil
	}
	return ErrWrongSigner
}

// signatures are those with a proof of who gave them; others count for nothing.
func (d Document) signatures() []Signature {
	all := append([]Signature{d.claims.GivenBy}, d.claims.CoGivenBy...)
	return slices.DeleteFunc(all, func(s Signature) bool { return s.Proof.Kind == "" || s.Proof.Hash == "" })
}
