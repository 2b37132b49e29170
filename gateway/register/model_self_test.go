package register_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// grants reads "s:a,b t:" as source s with the categories a and b, and a no to t.
func grants(text string) map[string][]string {
	g := map[string][]string{}
	for _, part := range strings.Fields(text) {
		source, categories, _ := strings.Cut(part, ":")
		g[source] = slices.DeleteFunc(strings.Split(categories, ","), func(c string) bool { return c == "" })
	}
	return g
}

// story runs steps on a model of its own, in which the keys k and l are in use.
type story struct {
	t *testing.T
	m *model
}

// a consent of person p to recipient r, from day 1 to day 365
func (s story) consent(id, text string, change ...func(*mConsent)) mConsent {
	c := mConsent{ID: id, Person: "p", Purpose: "compose", Case: "c", Recipients: []string{"r"},
		Grants: grants(text), From: 1, Until: 365, Key: "k"}
	for _, f := range change {
		f(&c)
	}
	return c
}

func (s story) is(err, want error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Fatalf("got %v, want %v", err, want)
	}
}

func (s story) give(want error, id, text string, change ...func(*mConsent)) {
	s.t.Helper()
	s.is(s.m.give(s.consent(id, text, change...)), want)
}

func (s story) narrow(want error, old, id, takes string) {
	s.t.Helper()
	s.is(s.m.narrow(old, id, grants(takes), "k"), want)
}

func (s story) propose(want error, id, replaces string, from, until int) {
	s.t.Helper()
	s.is(s.m.propose(mAgreement{ID: id, A: "x", B: "y", Replaces: replaces, From: from, Until: until, Keys: []string{"k", "l"}}, "x"), want)
}

func (s story) discloses(day int, recipient, source, want string) {
	s.t.Helper()
	if got := strings.Join(s.m.disclosed("p", "compose", "c", recipient, source, day), ","); got != want {
		s.t.Fatalf("day %d, %s receives of %s: %q, want %q", day, recipient, source, got, want)
	}
}

func (s story) agrees(day int, want string) {
	s.t.Helper()
	if got := strings.Join(s.m.agreed("y", "x", day), ","); got != want {
		s.t.Fatalf("day %d: agreed %q, want %q", day, got, want)
	}
}

func instead(id string) func(*mConsent) { return func(c *mConsent) { c.Replaces = id } }
func days(from, until int) func(*mConsent) {
	return func(c *mConsent) { c.From, c.Until = from, until }
}
func by(key string) func(*mConsent)    { return func(c *mConsent) { c.Key = key } }
func of(person string) func(*mConsent) { return func(c *mConsent) { c.Person = person } }
func to(recipients ...string) func(c *mConsent) {
	return func(c *mConsent) { c.Recipients = recipients }
}
func void() func(*mConsent) { return func(c *mConsent) { c.Void = true } }

func TestModelItself(t *testing.T) {
	for name, run := range map[string]func(s story){
		"a consent discloses what it grants, inside its days": func(s story) {
			s.give(nil, "1", "s:b,a t:")
			s.discloses(0, "r", "s", "")
			s.discloses(1, "r", "s", "a,b")
			s.discloses(365, "r", "s", "a,b")
			s.discloses(366, "r", "s", "")
			s.discloses(1, "r", "t", "")
			s.discloses(1, "other", "s", "")
			s.give(errConflict, "1", "s:a")
		},
		"what was replaced never comes back": func(s story) {
			s.give(nil, "1", "s:a,b t:a")
			s.give(nil, "2", "s:a", instead("1"), days(100, 200))
			s.discloses(99, "r", "s", "a,b")
			s.discloses(99, "r", "t", "a")
			s.discloses(100, "r", "s", "a")
			s.discloses(100, "r", "t", "")
			s.discloses(201, "r", "s", "")
			s.is(s.m.withdraw("2"), nil)
			s.discloses(99, "r", "s", "a,b")
			s.discloses(100, "r", "s", "")
		},
		"a second successor must name the last of the chain": func(s story) {
			s.give(nil, "1", "s:a")
			s.give(nil, "2", "s:a", instead("1"))
			s.give(errSuccessor, "3", "s:a", instead("1"))
			s.give(nil, "3", "s:a", instead("2"))
			s.give(errUnknown, "4", "s:a", instead("9"))
			s.give(errUnknown, "4", "s:a", instead("4"))
			s.give(errRefused, "4", "s:a", instead("3"), of("q"))
		},
		"a successor with an earlier first day takes the whole chain over": func(s story) {
			s.give(nil, "1", "s:a t:a")
			s.give(nil, "2", "s:a", instead("1"), days(100, 300))
			s.give(nil, "3", "s:b", instead("2"), days(50, 300))
			s.discloses(49, "r", "t", "a")
			s.discloses(50, "r", "t", "")
			s.discloses(150, "r", "s", "b")
		},
		"void is no word, and replaces nothing": func(s story) {
			s.give(nil, "1", "s:a")
			s.give(nil, "2", "s:a,b", instead("1"), void())
			s.discloses(5, "r", "s", "a")
			s.give(errRefused, "3", "s:a", instead("2"))
			s.narrow(errRefused, "2", "3", "s:a")
			s.give(nil, "3", "s:b", instead("1"))
			s.is(s.m.withdraw("1"), nil)
			s.discloses(5, "r", "s", "")
		},
		"a withdrawal ends every branch, also what was given after it": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:a,b", instead("1"), days(100, 365))
			s.narrow(nil, "1", "3", "s:a")
			s.is(s.m.withdraw("1"), nil)
			s.discloses(5, "r", "s", "")
			s.discloses(100, "r", "s", "")
			s.give(nil, "4", "s:b", instead("3"))
			s.discloses(5, "r", "s", "b")
			index := s.m.index
			s.is(s.m.withdraw("2"), nil)
			if s.m.index != index {
				s.t.Fatal("a repeat took an index")
			}
			s.is(s.m.withdraw("1"), nil)
			s.discloses(5, "r", "s", "")
			s.is(s.m.withdraw("9"), errUnknown)
		},
		"a withdrawal of a successor leaves what came before ended": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.narrow(nil, "1", "2", "s:a")
			s.is(s.m.withdraw("2"), nil)
			s.discloses(5, "r", "s", "")
		},
		"a no is always allowed, and is undone by a new word only": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:")
			s.discloses(5, "r", "s", "")
			s.is(s.m.withdraw("2"), nil)
			s.discloses(5, "r", "s", "")
			s.give(nil, "3", "s:a")
			s.discloses(5, "r", "s", "a")
		},
		"who says less must name what is replaced": func(s story) {
			s.m.pass(10)
			s.give(nil, "1", "s:a,b")
			s.give(errSaysLess, "2", "s:a")
			s.give(errSaysLess, "2", "s:a,c")
			s.give(errSaysLess, "2", "s:a,b", days(1, 364))
			s.give(nil, "2", "t:a")
			s.give(nil, "3", "s:a", to("r2"))
			s.give(nil, "4", "s:a", of("q"))
			s.give(nil, "5", "s:a,b,c", days(1, 400))
			s.m.pass(500)
			s.give(nil, "6", "s:a")
		},
		"a plain no is always taken, beside a yes to another source too": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s: t:a")
			s.discloses(5, "r", "s", "")
			s.discloses(5, "r", "t", "a")
		},
		"says less looks at what is disclosed today, not at what is taken out": func(s story) {
			s.give(nil, "1", "s:a t:a")
			s.give(nil, "2", "s:a,b", days(0, 400))
			s.narrow(nil, "1", "3", "s:")
			s.discloses(5, "r", "s", "")
			s.give(nil, "4", "s:c")
			s.discloses(5, "r", "s", "c")
		},
		"a narrowing is at its place: a no in between stays": func(s story) {
			s.give(nil, "1", "s:a,b t:a")
			s.give(nil, "2", "t:")
			s.narrow(nil, "1", "3", "s:a")
			s.discloses(5, "r", "s", "b")
			s.discloses(5, "r", "t", "")
		},
		"a narrowing leaves a no whose first day is still to come": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:", days(100, 365))
			s.narrow(nil, "1", "3", "s:a")
			s.discloses(99, "r", "s", "b")
			s.discloses(100, "r", "s", "")
		},
		"a narrowing takes out of a successor that begins later": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:a,b,c", instead("1"), days(100, 365))
			s.narrow(nil, "1", "3", "s:a")
			s.discloses(99, "r", "s", "b")
			s.discloses(100, "r", "s", "b,c")
			s.give(nil, "4", "s:a", instead("2"), days(200, 365))
			s.discloses(200, "r", "s", "a")
		},
		"a narrowing that has ended or lost its key still takes out": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:a,b,c", days(1, 400))
			s.is(s.m.narrow("1", "3", grants("s:a"), "l"), nil)
			s.discloses(5, "r", "s", "b,c")
			s.is(s.m.withdraw("3"), nil)
			s.is(s.m.key("l", "lost"), nil)
			s.discloses(5, "r", "s", "b,c")
		},
		"what is refused as a narrowing": func(s story) {
			s.give(nil, "1", "s:a,b t:")
			s.narrow(errUnknown, "9", "2", "s:a")
			s.narrow(errConflict, "1", "1", "s:a")
			s.narrow(errRefused, "1", "2", "s:c")
			s.narrow(errRefused, "1", "2", "s:a,b")
			s.narrow(errRefused, "1", "2", "u:a s:a")
			s.narrow(errRefused, "1", "2", "")
			s.is(s.m.narrow("1", "2", grants("s:a"), "nobody"), errKey)
			s.narrow(nil, "1", "2", "s:a")
			s.narrow(errEnded, "1", "3", "s:a")
			s.is(s.m.withdraw("2"), nil)
			s.narrow(errEnded, "2", "3", "s:b")
		},
		"a successor says no to what it leaves out, also to a word in between": func(s story) {
			s.give(nil, "1", "s:a t:a")
			s.give(nil, "2", "t:a,b")
			s.give(nil, "3", "s:a", instead("1"))
			s.discloses(5, "r", "s", "a")
			s.discloses(5, "r", "t", "")
		},
		"a narrowing is late for what is replaced before it begins": func(s story) {
			s.give(nil, "1", "s:a,b", days(100, 200))
			s.give(nil, "2", "s:a,b", days(100, 200), instead("1"))
			s.narrow(errEnded, "1", "3", "s:a")
			s.narrow(nil, "2", "3", "s:a")
			s.discloses(100, "r", "s", "b")
		},
		"a narrowing is late once the successor has begun": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:a,b", instead("1"), days(100, 365))
			c := s.m.clone()
			s.m.pass(100)
			s.narrow(errEnded, "1", "3", "s:a")
			s.is(c.narrow("1", "3", grants("s:a"), "k"), nil)
			s.give(errSuccessor, "4", "s:a,b", instead("1"))
		},
		"a lost key discloses nothing and restores nothing": func(s story) {
			s.give(nil, "1", "s:a")
			s.give(nil, "2", "s:b", instead("1"), by("l"))
			s.is(s.m.key("l", "lost"), nil)
			s.discloses(5, "r", "s", "")
			s.give(errKey, "3", "s:a", by("l"))
			s.is(s.m.withdraw("2"), nil)
			s.give(nil, "3", "s:a", instead("2"))
			s.discloses(5, "r", "s", "a")
		},
		"a retired key signs nothing new, what it signed counts": func(s story) {
			s.give(nil, "1", "s:a")
			s.is(s.m.key("k", "retired"), nil)
			s.discloses(5, "r", "s", "a")
			s.give(errKey, "2", "t:a")
			s.narrow(errKey, "1", "2", "s:a")
		},
		"keys go one way": func(s story) {
			s.is(s.m.key("k", "in_use"), nil)
			s.is(s.m.key("k", "retired"), nil)
			s.is(s.m.key("k", "in_use"), errRefused)
			s.is(s.m.key("k", "lost"), nil)
			s.is(s.m.key("k", "lost"), nil)
			s.is(s.m.key("k", "retired"), errRefused)
			s.is(s.m.key("new", "lost"), errUnknown)
			s.is(s.m.key("l", "burnt"), errRefused)
		},
		"a successor for others ends what it replaces, and a narrowing of that": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:a,b", instead("1"), to("r2"), days(100, 365))
			s.narrow(nil, "1", "3", "s:a")
			s.discloses(99, "r", "s", "b")
			s.discloses(100, "r", "s", "")
			s.discloses(100, "r2", "s", "a,b")
		},
		"a narrowing takes out for each recipient it names": func(s story) {
			s.give(nil, "1", "s:a,b", to("r", "r2"))
			s.give(nil, "2", "s:a,b", to("r2"))
			s.narrow(nil, "1", "3", "s:a")
			s.discloses(5, "r", "s", "b")
			s.discloses(5, "r2", "s", "b")
		},
		"a later narrowing that decides undoes none in between": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.give(nil, "2", "s:a,b,c")
			s.narrow(nil, "1", "3", "s:a")
			s.discloses(5, "r", "s", "b,c")
			s.narrow(nil, "2", "4", "s:c")
			s.discloses(5, "r", "s", "b")
		},
		"an agreement counts from its acceptance on, inside its days": func(s story) {
			s.propose(nil, "1", "", 5, 10)
			s.agrees(5, "")
			s.is(s.m.accept("1"), nil)
			s.agrees(4, "")
			s.agrees(5, "1")
			s.agrees(11, "")
			s.is(s.m.accept("1"), errEnded)
			s.is(s.m.reject("1"), errRefused)
			s.propose(errConflict, "1", "", 5, 10)
			s.is(s.m.revoke("1"), nil)
			s.is(s.m.revoke("1"), errEnded)
			s.is(s.m.revoke("9"), errUnknown)
			s.agrees(5, "")
			s.propose(errEnded, "2", "1", 5, 10)
		},
		"an agreement that was replaced never comes back": func(s story) {
			s.propose(nil, "1", "", 1, 100)
			s.is(s.m.accept("1"), nil)
			s.propose(nil, "2", "1", 50, 60)
			s.propose(nil, "3", "1", 1, 100)
			s.propose(nil, "other", "", 1, 100)
			s.is(s.m.accept("other"), nil)
			s.is(s.m.accept("2"), nil)
			s.is(s.m.accept("3"), errSuccessor)
			s.propose(errSuccessor, "4", "3", 1, 100)
			s.propose(errSuccessor, "4", "1", 1, 100)
			s.agrees(49, "1,other")
			s.agrees(50, "2,other")
			s.agrees(61, "other")
			s.is(s.m.revoke("2"), nil)
			s.agrees(49, "1,other")
			s.agrees(50, "other")
		},
		"a counter-proposal closes what it answers": func(s story) {
			s.propose(nil, "1", "", 1, 100)
			s.propose(nil, "2", "1", 1, 100)
			s.is(s.m.accept("1"), errEnded)
			s.is(s.m.reject("1"), errEnded)
			s.propose(errEnded, "3", "1", 1, 100)
			s.propose(nil, "3", "2", 1, 100)
			s.is(s.m.revoke("3"), errRefused)
			s.is(s.m.accept("3"), nil)
			s.agrees(1, "3")
			s.propose(nil, "4", "", 1, 100)
			s.is(s.m.reject("4"), nil)
			s.propose(errEnded, "5", "4", 1, 100)
		},
		"what was revoked meanwhile cannot be replaced anew, but what both sign holds": func(s story) {
			s.propose(nil, "1", "", 1, 100)
			s.is(s.m.accept("1"), nil)
			s.propose(nil, "2", "1", 1, 100)
			s.propose(nil, "3", "2", 1, 100)
			s.is(s.m.revoke("1"), nil)
			s.propose(errEnded, "4", "3", 1, 100)
			s.is(s.m.accept("3"), nil)
		},
		"keys of agreements": func(s story) {
			s.propose(nil, "1", "", 1, 100)
			c := s.m.clone()
			s.is(c.key("l", "retired"), nil)
			s.is(c.accept("1"), errKey)
			s.is(s.m.accept("1"), nil)
			s.is(s.m.key("l", "retired"), nil)
			s.agrees(1, "1")
			s.propose(nil, "2", "1", 50, 100)
			s.is(s.m.accept("2"), errKey)
			s.is(s.m.key("l", "lost"), nil)
			s.agrees(1, "")
			s.is(s.m.revoke("1"), nil)
			s.is(s.m.propose(mAgreement{ID: "3", A: "x", B: "y", Keys: []string{"l"}}, "x"), errKey)
			s.is(s.m.propose(mAgreement{ID: "3", A: "x", B: "y", Keys: []string{"k"}}, "z"), errRefused)
			s.is(s.m.propose(mAgreement{ID: "3", A: "x", B: "z", Replaces: "2", Keys: []string{"k"}}, "x"), errRefused)
		},
		"a clone goes its own way, and what fails changes nothing": func(s story) {
			s.give(nil, "1", "s:a,b")
			s.propose(nil, "1", "", 1, 9)
			before, c := s.m.clone(), s.m.clone()
			s.is(c.withdraw("1"), nil)
			s.is(c.accept("1"), nil)
			s.is(c.key("k", "lost"), nil)
			s.give(errSaysLess, "2", "s:a")
			s.narrow(errRefused, "1", "2", "s:c")
			s.propose(errUnknown, "2", "9", 1, 9)
			if !reflect.DeepEqual(s.m, before) {
				s.t.Fatal("the model changed")
			}
		},
		"the day never goes back": func(s story) {
			s.m.pass(10)
			s.m.pass(5)
			s.give(nil, "1", "s:a,b", days(1, 9))
			s.give(nil, "2", "s:a", days(1, 9))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := story{t, newModel()}
			s.m.pass(5)
			s.is(s.m.key("k", "in_use"), nil)
			s.is(s.m.key("l", "in_use"), nil)
			run(s)
		})
	}
}
