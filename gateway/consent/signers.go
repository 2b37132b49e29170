package consent

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Age groups on the day a consent begins.
const (
	under12 = "under_12"
	From12  = "12_15" // who reads a text of their own, and signs beside the holders of authority
	from16  = "16_17"
	adult   = "adult"
)

// Need is one thing that a consent needs: signatures of so many different people,
// each in one of these roles.
type Need struct {
	Roles  []string
	People int
}

// Required says whose signatures a consent needs that begins on the day, for
// whoever asks for them. The age group in the authority is not used: it
// follows from the day of birth. Errors: ErrAuthority when a human must find out
// who may sign first, ErrDocument when Settled is none of its list.
func Required(born civil.Date, a Authority, day civil.Date) ([]Need, error) {
	if !slices.Contains(settlements(), a.Settled) {
		return nil, fmt.Errorf("%w: authority.settled is none of the list", ErrDocument)
	}
	if born.IsZero() || day < born {
		return nil, ErrAuthority
	}
	a.AgeGroup, _ = AgeGroup(born, day)
	return a.needs()
}

// needs is the one table of who must sign (WGBO art. 7:447, 7:450, 7:465 BW;
// Jeugdwet 7.3.4, 7.3.5). Both asking and judging read it.
func (a Authority) needs() ([]Need, error) {
	switch a.AgeGroup {
	case under12:
		return a.holders()
	case From12: // the child and the holders
		all, err := a.holders()
		if err != nil {
			return nil, err
		}
		return append(all, oneOf(ontschotv1.SignerSelf)...), nil
	case from16: // the child alone, whoever has authority
		return oneOf(ontschotv1.SignerSelf), nil
	case adult:
		return a.adult()
	default:
		return nil, ErrAuthority
	}
}

func oneOf(roles ...string) []Need { return []Need{{roles, 1}} }

// holders are all who have authority over a child. A number that the kind does not
// know is a contradiction in the register, and for a human.
func (a Authority) holders() ([]Need, error) {
	role, least, most := ontschotv1.SignerParent, 0, 0
	switch a.Kind {
	case "EenhoofdigOuderlijkGezag":
		least, most = 1, 1
	case "TweehoofdigOuderlijkGezag", "GezamenlijkGezag": // two parents; a parent and another (art. 1:253t BW)
		least, most = 2, 2
	case "Voogdij": // alone, or two together (art. 1:282 BW)
		role, least, most = ontschotv1.SignerGuardian, 1, 2
	default: // TijdelijkGeenGezag, GezagNietTeBepalen, in_onderzoek: for a human
		return nil, ErrAuthority
	}
	if a.Holders < least || a.Holders > most {
		return nil, ErrAuthority
	}
	return []Need{{[]string{role}, a.Holders}}, nil
}

// adult signs for themselves, or somebody does on their mandate (see Mandate), unless another
// decides for them in matters of care. A bewindvoerder, who manages the money, does not (art. 1:431
// BW). That a register knows of a Volmacht or Machtiging is no mandate.
func (a Authority) adult() ([]Need, error) {
	switch a.Kind {
	case "Curatele":
		return oneOf(ontschotv1.SignerCurator), nil
	case "Mentorschap":
		return oneOf(ontschotv1.SignerMentor), nil
	case "", "Bewind", "Volmacht", "Machtiging":
		return oneOf(ontschotv1.SignerSelf, ontschotv1.SignerProxy), nil
	case "EenhoofdigOuderlijkGezag", "TweehoofdigOuderlijkGezag", "GezamenlijkGezag", "Voogdij", "TijdelijkGeenGezag", "GezagNietTeBepalen":
		return oneOf(ontschotv1.SignerSelf, ontschotv1.SignerProxy), nil // ended at eighteen, whatever the register still says (art. 1:233, 1:245 BW)
	default: // an unknown measure: for a human
		return nil, ErrAuthority
	}
}

// signers reports whether those who signed are those who had to, on the day it was
// given. Others beside them do no harm; nobody counts for two.
func (d Document) signers() error {
	needs, err := d.claims.Authority.needs()
	if err != nil {
		return err
	}
	counted := map[string]bool{}
	for _, need := range needs {
		people := map[string]bool{}
		for _, s := range d.signatures() {
			if slices.Contains(need.Roles, s.Role) && !counted[s.Proof.Hash] {
				people[s.Proof.Hash] = true
			}
		}
		if len(people) < need.People {
			return ErrWrongSigner
		}
		maps.Copy(counted, people)
	}
	return nil
}

// all who signed, whether they count or not.
func (d Document) all() []Signature {
	return append([]Signature{d.claims.GivenBy}, d.claims.CoGivenBy...)
}

// signatures are those that count; others count for nothing.
func (d Document) signatures() []Signature {
	return slices.DeleteFunc(d.all(), func(s Signature) bool { return !d.counts(s) })
}

// counts reports whether a signature has a proof of who gave it, and rests on a mandate that
// covers this consent where somebody else than who decides for the person gave it.
func (d Document) counts(s Signature) bool {
	return s.proven() && (s.Role != ontschotv1.SignerProxy || d.lacks(s) == "")
}

func (s Signature) proven() bool {
	return slices.Contains(ontschotv1.Proofs(), s.Proof.Kind) && s.Proof.Hash != ""
}

// contradicts reports whether the age group or the birthday on which the consent lapses
// is not that of somebody born on that day. No date contradicts nothing.
func (d Document) contradicts(born civil.Date) bool {
	if born.IsZero() {
		return false
	}
	group, birthday := AgeGroup(born, d.span.From)
	if d.authority != 0 {
		return group != d.claims.Authority.AgeGroup || birthday != 0 && birthday <= d.lapses
	}
	return group != d.claims.Authority.AgeGroup || birthday != d.lapses
}

// AgeGroup of somebody on a day, and the birthday on which a consent given on that
// day lapses; none for an adult.
func AgeGroup(born, day civil.Date) (group string, lapses civil.Date) {
	for _, step := range []struct {
		years int
		group string
	}{{12, under12}, {16, From12}, {18, from16}} {
		if birthday := born.Birthday(step.years); day < birthday {
			return step.group, birthday
		}
	}
	return adult, 0
}
