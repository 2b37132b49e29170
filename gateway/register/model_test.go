package register_test

import (
	"errors"
	"maps"
	"slices"
)

// The model says, slowly and plainly, which signed documents count. It is written from the
// rules alone and knows nothing of the code that it judges.
var errUnknown, errConflict = errors.New("model: no such document or key"), errors.New("model: id is used")
var errEnded, errSuccessor, errNotWaiting = errors.New("model: ended, replaced or closed"), errors.New("model: has a successor"), errors.New("model: does not wait")
var errSaysLess, errKey, errRefused = errors.New("model: says less"), errors.New("model: key"), errors.New("model: refused")

type mConsent struct { // an empty list of categories is a no; From and Until are inside
	ID, Person, Purpose, Case, Replaces, Key string
	Recipients                               []string
	Grants                                   map[string][]string
	From, Until                              int
	Void, Narrows                            bool // never counted; made by narrow
}
type mAgreement struct {
	ID, A, B, Replaces string
	From, Until        int
	Keys               []string
}
type mWord struct { // a registered consent
	mConsent
	index, place, ended, sure int                 // ended, sure: the entry that ended or confirmed it, or 0
	taken                     map[string][]string // by a narrowing; an empty list is the whole source
}
type mDeal struct { // a proposal, and once accepted an agreement
	mAgreement
	accepted, ended, sure int    // entries, or 0; a proposal ends when it is closed or rejected
	closedBy              string // the counter-proposal that closed it
	chain, base           string // its first document; the agreement it is or follows from, past proposals
}
type model struct {
	today, index, epoch int
	keys                map[string]string // name -> state
	words               []mWord
	deals               []mDeal
}

func newModel() *model        { return &model{keys: map[string]string{}} }
func (m *model) pass(day int) { m.today = max(m.today, day) }

// clone shares the lists and maps inside documents: nothing changes those.
func (m *model) clone() *model {
	return &model{m.today, m.index, m.epoch, maps.Clone(m.keys), slices.Clone(m.words), slices.Clone(m.deals)}
}
func (m *model) key(name, state string) error {
	way := []string{"", "in_use", "retired", "lost"}
	was, is := slices.Index(way, m.keys[name]), slices.Index(way, state)
	switch {
	case name == "" || is < 1 || is < was:
		return errRefused
	case was == 0 && is > 1:
		return errUnknown
	case was != is:
		m.index, m.keys[name] = m.index+1, state
	}
	return nil
}
func find[T interface{ id() string }](list []T, id string) *T {
	if i := slices.IndexFunc(list, func(x T) bool { return x.id() == id }); i >= 0 {
		return &list[i]
	}
	return nil
}
func (w mWord) id() string             { return w.ID }
func (d mDeal) id() string             { return d.ID }
func (m *model) word(id string) *mWord { return find(m.words, id) }
func (m *model) deal(id string) *mDeal { return find(m.deals, id) }

// follows reports whether w replaces the document id, directly or through others.
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
func (m *model) disclosed(person, purpose, cas, recipient, source string, day int) []string {
	w := m.decider(person, purpose, cas, recipient, source, day)
	if w == nil || !slices.Contains(w.Recipients, recipient) || w.ended > 0 || m.keys[w.Key] == "lost" || m.waits(*w) || day > w.Until {
		return nil
	}
	left := w.Grants[source]
	for _, x := range m.words {
		if gone, named := x.taken[source]; named && x.index > w.place && x.Person == person && x.Purpose == purpose && x.Case == cas && slices.Contains(x.Recipients, recipient) {
			left = without(left, gone)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(left))) // nil when empty
}

// In a new epoch all that was entered waits until it is confirmed.
func (m *model) begin() { m.index, m.epoch = m.index+1, m.index+1 }

// waits: what narrows a document that waits, waits with it or is confirmed itself.
func (m *model) waits(w mWord) bool {
	return w.sure < m.epoch && (w.index < m.epoch || w.Narrows && m.waits(*m.word(w.Replaces)))
}
func (d mDeal) waits(m *model) bool { return d.accepted < m.epoch && d.sure < m.epoch }
func (m *model) confirm(id string) error {
	w, d := m.word(id), m.deal(id)
	switch {
	case w != nil && w.ended == 0 && m.waits(*w):
		w.sure, m.index = m.index+1, m.index+1
	case d != nil && d.accepted > 0 && d.ended == 0 && d.waits(m):
		d.sure, m.index = m.index+1, m.index+1
	default:
		return errNotWaiting
	}
	return nil
}

// erase makes it as if the person had never said anything.
func (m *model) erase(person string) error {
	others := slices.DeleteFunc(slices.Clone(m.words), func(w mWord) bool { return w.Person == person })
	if len(others) == len(m.words) {
		return errUnknown
	}
	m.index, m.words = m.index+1, others
	return nil
}

func (m *model) give(c mConsent) error {
	old := m.word(c.Replaces)
	switch {
	case m.word(c.ID) != nil:
		return errConflict
	case m.keys[c.Key] != "in_use":
		return errKey
	case c.ID == "" || c.Narrows, old != nil && !c.Void && (old.Void || old.Person != c.Person || old.Purpose != c.Purpose || old.Case != c.Case):
		return errRefused
	case c.Void: // registered as it is
	case c.Replaces == "" && m.saysLess(c):
		return errSaysLess
	case c.Replaces != "" && old == nil:
		return errUnknown
	case slices.ContainsFunc(m.words, func(x mWord) bool { return old != nil && m.follows(x, old.ID) }):
		return errSuccessor
	}
	m.index, c.Recipients, c.Grants = m.index+1, slices.Clone(c.Recipients), maps.Clone(c.Grants)
	m.words = append(m.words, mWord{mConsent: c, index: m.index, place: m.index})
	return nil
}

// saysLess: of a source that c allows something of; a plain no is always taken.
func (m *model) saysLess(c mConsent) (less bool) {
	for source, categories := range c.Grants {
		for _, recipient := range c.Recipients {
			holds := m.disclosed(c.Person, c.Purpose, c.Case, recipient, source, m.today)
			d := m.decider(c.Person, c.Purpose, c.Case, recipient, source, m.today)
			less = less || len(categories) > 0 && (len(without(holds, categories)) > 0 || len(holds) > 0 && c.Until < d.Until)
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
	named, left := 0, 0
	for source, has := range w.Grants {
		if gone, ok := takes[source]; ok {
			named, n.Grants[source] = named+1, without(has, gone)
		}
		if stays := n.Grants[source]; len(stays) < len(has) {
			n.taken[source] = without(has, stays)
		}
		left += len(n.Grants[source])
	}
	if named < len(takes) || len(n.taken) == 0 || left == 0 {
		return errRefused
	}
	m.index, m.words = m.index+1, append(m.words, n)
	return nil
}
func (m *model) withdraw(id string) error {
	if m.word(id) == nil {
		return errUnknown
	}
	for i, next := 0, m.index+1; i < len(m.words); i++ {
		if w := &m.words[i]; w.ended == 0 && (w.ID == id || m.follows(*w, id)) {
			w.ended, m.index = next, next
		}
	}
	return nil
}

// mayReplace returns why d may not come in the place of what it replaces.
func (m *model) mayReplace(d mDeal) error {
	old, base := m.deal(d.Replaces), m.deal(d.base)
	later := func(x mDeal) bool { return x.chain == d.chain && x.accepted > base.accepted }
	switch {
	case old != nil && old.ended > 0 && old.closedBy != d.ID && d.accepted == 0 && m.deal(d.ID) == nil, base != nil && base.ended > 0 && m.deal(d.ID) == nil:
		return errEnded // of a proposal; what both accept holds
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
	case m.mayReplace(d) != nil:
		return m.mayReplace(d)
	case old != nil && old.accepted == 0:
		old.ended, old.closedBy = m.index+1, a.ID
	}
	m.index, m.deals = m.index+1, append(m.deals, d)
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
	case accept && m.mayReplace(*d) != nil:
		return m.mayReplace(*d)
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
		if d.accepted > 0 && d.ended == 0 && !d.waits(m) && samePair(d, a, b) && d.From <= day && day <= d.Until &&
			!slices.ContainsFunc(d.Keys, lost) && !slices.ContainsFunc(m.deals, later) {
			count = append(count, d.ID)
		}
	}
	return slices.Sorted(slices.Values(count))
}

func samePair(d mDeal, a, b string) bool { return d.A == a && d.B == b || d.A == b && d.B == a }

// without is a list less what is gone; an empty list takes all.
func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return len(gone) == 0 || slices.Contains(gone, x) })
}
