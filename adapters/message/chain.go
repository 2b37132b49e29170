package message

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
)

// award is one award message (501): a link of a chain of budgets. It states the whole of
// a budget; a change comes as a new link, which names the one it replaces.
type award struct {
	law, funder string
	number, old string        // BudgetIdentificatie, BudgetIdentificatieOud
	sent        adapters.Date // Dagtekening: a day, without a time
	rows        []row
	unread      bool  // a row of it cannot be told from others
	odd         error // it is not as its format is: none of its rows gives a line
	at          adapters.Cursor
}

// row is the budget for one function over one period. It is known by its key.
type row struct {
	key
	end   adapters.Date // adapters.Forever: a day that stands for none
	cents int64
	days  adapters.Days // of its period, as far as they are known
	odd   error         // it cannot be read: it is there, and gives no line
	at    adapters.Cursor
}

// key is what stays the same of a row while its amount and its end change.
type key struct {
	function string
	start    adapters.Date
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.function, o.function), cmp.Compare(k.start, o.start))
}

// right is a row that counts.
type right struct {
	row
	law string
	// number is that of the link it stands in, others are the other numbers of its chain.
	number string
	others []string
	// original is a later end that an earlier link gave; zero is none.
	original adapters.Date
	// disputed: nobody can tell which of several messages is the newest, and they differ.
	disputed bool
	records  []adapters.Record
}

// state is what the messages of one person come to.
type state struct {
	rights  []right
	omitted []right // rows that a newer link should have told again
	counted []award // the messages that were looked at for them
	past    []award // those that were replaced
}

// resolve puts award messages in order by their chains (iPgb OP501, TR574). The outcome
// does not depend on the order in which they came.
func resolve(awards []award) (s state) {
	for _, c := range chains(awards) {
		c.settle(&s)
	}
	slices.SortFunc(s.rights, compareRights)
	slices.SortFunc(s.omitted, compareRights)
	return s
}

func compareRights(a, b right) int {
	return cmp.Or(cmp.Compare(a.law, b.law), a.key.compare(b.key), cmp.Compare(a.number, b.number), cmp.Compare(a.end, b.end))
}

// chain is a set of numbers that Oud connects, of one funder and law. A number that was
// named and never seen has no messages.
type chain struct {
	law   string
	links map[string][]award  // by number
	olds  map[string][]string // what the newest messages of a number replace
}

// chains takes messages apart by funder and law, and then by what their numbers connect.
func chains(awards []award) []chain {
	type owner struct{ funder, law string }
	byOwner := map[owner]map[string][]award{}
	for _, a := range awards {
		o := owner{a.funder, a.law}
		if byOwner[o] == nil {
			byOwner[o] = map[string][]award{}
		}
		byOwner[o][a.number] = append(byOwner[o][a.number], a)
	}
	var all []chain
	for o, links := range byOwner {
		all = append(all, connect(o.law, links)...)
	}
	return all
}

// connect gives the connected parts of the numbers of one funder and law.
func connect(law string, links map[string][]award) (parts []chain) {
	olds, near := map[string][]string{}, map[string][]string{}
	for number, messages := range links {
		olds[number] = replaced(number, messages)
		for _, old := range olds[number] {
			near[number], near[old] = append(near[number], old), append(near[old], number)
		}
	}
	seen := map[string]bool{}
	for number := range links {
		if seen[number] {
			continue
		}
		part := chain{law, map[string][]award{}, map[string][]string{}}
		for todo := []string{number}; len(todo) > 0; {
			n := todo[0]
			todo = todo[1:]
			if !seen[n] {
				seen[n] = true
				part.links[n], part.olds[n] = links[n], olds[n]
				todo = append(todo, near[n]...)
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// replaced lists the numbers that a link replaces: those that its newest messages name.
// When these name none but the link itself, as a message that is sent again does, an
// earlier one is asked.
func replaced(number string, messages []award) (olds []string) {
	days := map[adapters.Date][]string{}
	for _, m := range messages {
		if m.old != "" && m.old != number {
			days[m.sent] = append(days[m.sent], m.old)
		}
	}
	if len(days) == 0 {
		return nil
	}
	olds = days[slices.Max(slices.Collect(maps.Keys(days)))]
	slices.Sort(olds)
	return slices.Compact(olds)
}

// settle adds what a chain comes to.
func (c chain) settle(s *state) {
	ends := c.ends()
	var newest, past []award
	for number, messages := range c.links {
		if !slices.Contains(ends, number) {
			past = append(past, messages...)
			continue
		}
		now, before := latest(messages)
		newest, past = append(newest, now...), append(past, before...)
	}
	slices.SortFunc(newest, compareAwards)
	s.counted, s.past = append(s.counted, newest...), append(s.past, past...)
	for _, k := range keysOf(newest) {
		if r, counts := c.right(k, newest, past); counts {
			s.rights = append(s.rights, r)
		}
	}
	if len(contents(newest)) == 1 {
		s.omitted = append(s.omitted, c.omitted(ends)...)
	}
}

// ends lists the numbers that no other replaces, in order. Two of them, when two links
// name one Oud, or the numbers of a cycle, cannot be ordered.
func (c chain) ends() (ends []string) {
	under := map[string]map[string]bool{}
	for n := range c.links {
		under[n] = c.below(n)
	}
	numbers := slices.Collect(maps.Keys(c.links))
	for n, messages := range c.links {
		replaced := slices.ContainsFunc(numbers, func(m string) bool { return m != n && under[m][n] && !under[n][m] })
		if len(messages) > 0 && !replaced {
			ends = append(ends, n)
		}
	}
	slices.Sort(ends)
	return ends
}

// below gives the numbers that a number replaces, over any number of steps.
func (c chain) below(number string) map[string]bool {
	found := map[string]bool{}
	for todo := slices.Clone(c.olds[number]); len(todo) > 0; {
		n := todo[0]
		todo = todo[1:]
		if !found[n] {
			found[n] = true
			todo = append(todo, c.olds[n]...)
		}
	}
	return found
}

// latest gives the messages of one number that were sent last, and the others.
func latest(messages []award) (now, before []award) {
	last := slices.MaxFunc(messages, func(a, b award) int { return cmp.Compare(a.sent, b.sent) }).sent
	for _, m := range messages {
		if m.sent == last || m.sent == 0 { // one of which the day is not known may be the newest
			now = append(now, m)
		} else {
			before = append(before, m)
		}
	}
	return now, before
}

func compareAwards(a, b award) int {
	return cmp.Or(
		cmp.Compare(a.number, b.number), cmp.Compare(a.sent, b.sent), cmp.Compare(a.content(), b.content()),
		cmp.Compare(string(a.at.Native), string(b.at.Native)),
	)
}

// rowsOf is what one message says of the rows with one key that hold money.
func (a award) rowsOf(k key) (rows []row, odd bool) {
	for _, r := range a.rows {
		switch {
		case r.key != k:
		case r.odd != nil:
			odd = true
		case r.cents > 0:
			rows = append(rows, r)
		}
	}
	return rows, odd
}

// keysOf lists the keys of rows, each once, in order.
func keysOf(awards []award) (keys []key) {
	for _, a := range awards {
		for _, r := range a.rows {
			keys = append(keys, r.key)
		}
	}
	slices.SortFunc(keys, key.compare)
	return slices.Compact(keys)
}

// right is what the newest messages of a chain say of one row: usually there is one such
// message. Where several disagree, that one does not have the row or withdraws it
// included, the row stands without money; the later of its ends is kept.
func (c chain) right(k key, newest, past []award) (r right, counts bool) {
	silent := false
	for _, m := range newest {
		rows, odd := m.rowsOf(k)
		if odd {
			return right{}, false
		}
		silent = silent || len(rows) == 0
		for _, found := range rows {
			if !counts {
				r, counts = right{row: found, law: c.law, number: m.number}, true
			}
			r.disputed = r.disputed || found.end != r.end || found.cents != r.cents
			r.end = max(r.end, found.end)
			r.records = append(r.records, found.at.Record(adapters.RecordAward, m.number))
		}
	}
	if !counts {
		return right{}, false
	}
	r.disputed = r.disputed || silent
	r.others = slices.DeleteFunc(slices.Sorted(maps.Keys(c.links)), func(n string) bool { return n == r.number })
	if !r.disputed {
		for _, m := range past {
			rows, _ := m.rowsOf(k)
			for _, earlier := range rows {
				if earlier.end > r.end && earlier.end != adapters.Forever { // of no end there is no day to tell
					r.original = max(r.original, earlier.end)
				}
			}
		}
	}
	return r, true
}

// contents lists what messages say of rows, each once.
func contents(awards []award) (all []string) {
	for _, a := range awards {
		all = append(all, a.content())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// content is what a message says of rows, to compare by: what it withdraws is as good as
// not there.
func (a award) content() string {
	var parts []string
	for _, r := range a.rows {
		switch {
		case r.odd != nil:
			parts = append(parts, r.function+" "+r.start.String()+" odd")
		case r.cents > 0:
			parts = append(parts, r.function+" "+r.start.String()+" "+r.end.String()+" "+strconv.FormatInt(r.cents, 10))
		}
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), "\n")
}

// omitted lists the rows with money of earlier links, and of earlier messages of one link,
// that a later one had to tell again and did not: nor with another amount, nor as withdrawn.
func (c chain) omitted(ends []string) (rows []right) {
	known, unread := map[key]bool{}, false
	for level, seen := ends, map[string]bool{}; len(level) > 0; {
		var deeper []string
		var now, earlier []award
		for _, n := range level {
			if seen[n] || len(c.links[n]) == 0 {
				continue
			}
			seen[n] = true
			newest, before := latest(c.links[n])
			now, earlier = append(now, newest...), append(earlier, before...)
			deeper = append(deeper, c.olds[n]...)
		}
		slices.SortFunc(now, compareAwards)
		slices.SortFunc(earlier, func(a, b award) int { return cmp.Or(cmp.Compare(b.sent, a.sent), compareAwards(a, b)) })
		for i, m := range slices.Concat(now, earlier) {
			for _, r := range m.rows {
				newest := i < len(now) && slices.Contains(ends, m.number)
				if !newest && !unread && !known[r.key] && r.odd == nil && r.cents > 0 {
					rows = append(rows, right{row: r, law: c.law, number: m.number})
				}
			}
			if i >= len(now)-1 { // the messages of one moment together
				for _, k := range keysOf(append(slices.Clone(now), m)) {
					known[k] = true
				}
				unread = unread || m.unread || slices.ContainsFunc(now, func(m award) bool { return m.unread })
			}
		}
		level = deeper
	}
	return rows
}
