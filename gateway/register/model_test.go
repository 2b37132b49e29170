package register_test

import (
	"errors"
	"maps"
	"slices"
)

// The model says, slowly and plainly, which signed documents count. It is
// written from the rules alone and knows nothing of the code that it judges.

var errUnknown, errConflict = errors.New("model: no such document or key"), errors.New("model: id is used")
var errEnded, errSuccessor = errors.New("model: ended, replaced or closed"), errors.New("model: has a successor")
var errSaysLess, errKey, errRefused = errors.New("model: says less"), errors.New("model: key"), errors.New("model: refused")

type mConsent struct { // an empty list of categories is a no; From and Until are inside
	ID, Person, Purpose, Case string
	Recipients                []string
	Grants                    map[string][]string
	From, Until               int
	Replaces, Key             string
	Void, Narrows             bool // never counted; made by narrow
}

type mAgreement struct {
	ID, A, B, Replaces string
	From, Until        int
	Keys               []string
}

type mWord struct { // a registered consent
	mConsent
	index, place, ended int                 // ended: the entry that ended it, or 0
	taken               map[string][]string // by a narrowing; an empty list is the whole source
}

type mDeal struct { // a proposal, and once accepted an agreement
	mAgreement
	accepted, ended int    // entries, or 0; a proposal ends when it is closed or rejected
	closedBy        string // the counter-proposal that closed it
	chain, base     string // its first document; the agreement it is or follows from, past proposals
}

type model struct {
	today, index int
	keys         map[string]string // name -> state
	words        []mWord
	deals        []mDeal
}

func newModel() *model        { return &model{keys: map[string]string{}} }
func (m *model) pass(day int) { m.today = max(m.today, day) }

// clone shares the lists and maps inside documents: nothing changes those.
func (m *model) clone() *model {
	return &model{m.today, m.index, maps.Clone(m.keys), slices.Clone(m.words), slices.Clone(m.deals)}
}

func (m *model) key(name, state string) error {
	was := m.keys[name]
	switch {
	case name == "" || !slices.Contains([]string{"in_use", "retired", "lost"}, state),
		was != "" && was != state && (was == "lost" || state == "in_use"):
		return errRefused
	case was == "" && state != "in_use":
		return errUnknown
	case was != state:
		m.index++
		m.keys[name] = state
	}
	return nil
}

func find[T interface{ id() string }](list []T, id string) *T {
	for i := range list {
		if list[i].id() == id {
			return &list[i]
		}
	}
	return nil
}

func (w mWord) id() string             { return w.ID }
func (d mDeal) id() string             { return d.ID }
func (m *model) word(id string) *mWord { return find(m.words, id) }
func (m *model) deal(id string) *mDeal { return find(m.deals, id) }

// follows tells whether w replaces the document id, directly or through others.
func (m *model) follows(w mWord, id string) bool {
	return !w.Void && w.Replaces != "" && (w.Replaces == id || m.follows(*m.word(w.Replaces), id))
}

// speaks reports whether w, or a document that it replaces, names source and recipient.
func (m *model) speaks(w mWord, recipient, source string) bool {
	_, named := w.Grants[source]
	return named && slices.Contains(w.Recipients, recipient) || w.Replaces != "" && m.speaks(*m.word(w.Replaces), recipient, source)
}

// decider is the document that has the last word on a day, or nil.
func (m *model) decider(person, purpose, cas, recipient, source string, day int) *mWord {
	var last *mWord
	for i := range m.words {
		w := &m.words[i]
		if !w.Void && w.Person == person && w.Purpose == purpose && w.Case == cas && w.From <= day &&
			m.speaks(*w, recipient, source) && (last == nil || w.place >= last.place) {
			last = w // among equal places the later entry
		}
	}
	return last
}

func (m *model) told(person, purpose, cas, recipient, source string, day int) []string {
	w := m.decider(person, purpose, cas, recipient, source, day)
	if w == nil || !slices.Contains(w.Recipients, recipient) || w.ended > 0 || m.keys[w.Key] == "lost" || day > w.Until {
		return nil
	}
	left := w.Grants[source]
	for _, x := range m.words {
		gone, named := x.taken[source]
		if named && x.index > w.place && x.Person == person && x.Purpose == purpose && x.Case == cas && slices.Contains(x.Recipients, recipient) {
			left = without(left, gone)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(left))) // nil when empty
}

func (m *model) give(c mConsent) error {
	old := m.word(c.Replaces)
	switch {
	case m.word(c.ID) != nil:
		return errConflict
	case c.ID == "" || c.Narrows:
		return errRefused
	case m.keys[c.Key] != "in_use":
		return errKey
	case c.Void: // registered as it is
	case c.Replaces == "" && m.saysLess(c):
		return errSaysLess
	case c.Replaces != "" && old == nil:
		return errUnknown
	case old != nil && (old.Void || old.Person != c.Person || old.Purpose != c.Purpose || old.Case != c.Case):
		return errRefused
	case slices.ContainsFunc(m.words, func(x mWord) bool { return old != nil && m.follows(x, old.ID) }):
		return errSuccessor
	}
	m.index++
	c.Recipients, c.Grants = slices.Clone(c.Recipients), maps.Clone(c.Grants)
	m.words = append(m.words, mWord{mConsent: c, index: m.index, place: m.index})
	return nil
}

func (m *model) saysLess(c mConsent) bool {
	less := false
	for source, categories := range c.Grants {
		if len(categories) == 0 {
			continue // a plain no is always taken
		}
		for _, recipient := range c.Recipients {
			holds := m.told(c.Person, c.Purpose, c.Case, recipient, source, m.today)
			d := m.decider(c.Person, c.Purpose, c.Case, recipient, source, m.today)
			less = less || len(missing(holds, categories)) > 0 || len(holds) > 0 && c.Until < d.Until
		}
	}
	return less
}

func (m *model) narrow(old, id string, takes map[string][]string, key string) error {
	w := m.word(old)
	replaced := func(x mWord) bool { return m.follows(x, old) && x.From <= max(m.today, w.From) }
	switch {
	case w == nil:
		return errUnknown
	case m.word(id) != nil:
		return errConflict
	case id == "" || w.Void:
		return errRefused
	case m.keys[key] != "in_use":
		return errKey
	case w.ended > 0 || m.keys[w.Key] == "lost" || slices.ContainsFunc(m.words, replaced):
		return errEnded
	}
	n := mWord{mConsent: w.mConsent, index: m.index + 1, place: w.place, taken: map[string][]string{}}
	n.ID, n.Replaces, n.Key, n.Narrows, n.Grants = id, old, key, true, maps.Clone(w.Grants)
	named, was, left := 0, 0, 0
	for source, has := range w.Grants {
		if gone, ok := takes[source]; ok {
			named, n.Grants[source] = named+1, without(has, gone)
			if stays := n.Grants[source]; len(stays) < len(has) && len(stays) > 0 {
				n.taken[source] = missing(has, stays)
			} else if len(stays) < len(has) {
				n.taken[source] = nil // all of it
			}
		}
		was, left = was+len(has), left+len(n.Grants[source])
	}
	if named < len(takes) || left == was || left == 0 {
		return errRefused
	}
	m.index++
	m.words = append(m.words, n)
	return nil
}

func (m *model) withdraw(id string) error {
	if m.word(id) == nil {
		return errUnknown
	}
	next := m.index + 1
	for i := range m.words {
		if w := &m.words[i]; w.ended == 0 && (w.ID == id || m.follows(*w, id)) {
			w.ended, m.index = next, next
		}
	}
	return nil
}

// mayStand tells why d may not stand in the place of what it replaces.
func (m *model) mayStand(d mDeal) error {
	old, base := m.deal(d.Replaces), m.deal(d.base)
	later := func(x mDeal) bool { return x.chain == d.chain && x.accepted > base.accepted }
	switch {
	case old != nil && old.ended > 0 && old.closedBy != d.ID && d.accepted == 0 && m.deal(d.ID) == nil, base != nil && base.ended > 0 && m.deal(d.ID) == nil:
		return errEnded // of a proposal; what both accept stands
	case base != nil && slices.ContainsFunc(m.deals, later):
		return errSuccessor
	}
	return nil
}

func (m *model) propose(a mAgreement, by string) error {
	old, d := m.deal(a.Replaces), mDeal{mAgreement: a, chain: a.ID}
	if old != nil {
		d.chain, d.base = old.chain, old.base
	}
	switch {
	case m.deal(a.ID) != nil:
		return errConflict
	case a.Replaces != "" && old == nil:
		return errUnknown
	case a.ID == "" || by != a.A && by != a.B || old != nil && !samePair(*old, a.A, a.B):
		return errRefused
	case len(a.Keys) == 0 || m.keys[a.Keys[0]] != "in_use":
		return errKey
	case m.mayStand(d) != nil:
		return m.mayStand(d)
	case old != nil && old.accepted == 0:
		old.ended, old.closedBy = m.index+1, a.ID
	}
	m.index++
	m.deals = append(m.deals, d)
	return nil
}

func (m *model) accept(id string) error { return m.answer(id, "accept") }
func (m *model) reject(id string) error { return m.answer(id, "reject") }
func (m *model) revoke(id string) error { return m.answer(id, "revoke") }

func (m *model) answer(id, how string) error {
	d, accept := m.deal(id), how == "accept"
	switch {
	case d == nil:
		return errUnknown
	case how == "reject" && d.accepted > 0, how == "revoke" && d.accepted == 0:
		return errRefused
	case d.ended > 0, accept && d.accepted > 0:
		return errEnded
	case accept && m.mayStand(*d) != nil:
		return m.mayStand(*d)
	case accept && slices.ContainsFunc(d.Keys, func(key string) bool { return m.keys[key] != "in_use" }):
		return errKey
	}
	if m.index++; accept {
		d.accepted, d.base = m.index, id
	} else {
		d.ended = m.index
	}
	return nil
}

// agreed: in each chain the latest that has begun decides, whatever became of it.
func (m *model) agreed(a, b string, day int) (count []string) {
	for _, d := range m.deals {
		lost := func(key string) bool { return m.keys[key] == "lost" }
		later := func(x mDeal) bool { return x.chain == d.chain && x.accepted > d.accepted && x.From <= day }
		if d.accepted > 0 && d.ended == 0 && samePair(d, a, b) && d.From <= day && day <= d.Until &&
			!slices.ContainsFunc(d.Keys, lost) && !slices.ContainsFunc(m.deals, later) {
			count = append(count, d.ID)
		}
	}
	return slices.Sorted(slices.Values(count))
}

func samePair(d mDeal, a, b string) bool { return d.A == a && d.B == b || d.A == b && d.B == a }
func missing(list, from []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return slices.Contains(from, x) })
}

// without is a list less what is gone; an empty list takes all.
func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return len(gone) == 0 || slices.Contains(gone, x) })
}
