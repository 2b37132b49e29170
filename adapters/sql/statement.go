package sql

import (
	"slices"
	"strings"

	"github.com/ontschot/ontschot/adapters/mapping"
)

// statement is a query with the places of its parameters: text, name, text, name, text.
type statement struct {
	texts []string
	names []string
}

// parse takes a query apart. What is wrong with it is told to the section: it must be one
// that reads, by named parameters alone.
func parse(s *mapping.Section, key string) (st statement) {
	query := s.Text(key)
	first := strings.ToLower(begun(query))
	if !strings.HasPrefix(first, "select") && !strings.HasPrefix(first, "with") {
		s.Problem(key, "een select of een with", "a select or a with")
	}
	from := 0
	for i := 0; i < len(query); {
		if end := quoted(query, i); end > i {
			i = end
			continue
		}
		c := query[i]
		switch {
		case c == ';' && strings.TrimSpace(query[i+1:]) != "":
			s.Problem(key, "een opdracht, geen tweede achter ;", "one statement, and no second behind ;")
			return st
		case c == '?' || c == '$' || c == '@' || c == '{':
			s.Problem(key, "de vraag staat er met een naam in, zoals :person", "the question stands in it by name, as in :person")
			return st
		case c == ':' && i+1 < len(query) && query[i+1] == ':':
			i += 2
			continue
		case c == ':' && i+1 < len(query) && letter(query[i+1]):
			end := i + 1
			for end < len(query) && letter(query[end]) {
				end++
			}
			st.texts, st.names = append(st.texts, query[from:i]), append(st.names, query[i+1:end])
			i, from = end, end
			continue
		}
		i++
	}
	st.texts = append(st.texts, strings.TrimRight(query[from:], "; \t\r\n"))
	for _, name := range st.names {
		if !slices.Contains(parameters(), name) {
			s.Problem(key, "onbekende parameter; er zijn :person, :from, :to en :history", "unknown parameter; there are :person, :from, :to and :history")
			return st
		}
	}
	if !slices.Contains(st.names, "person") {
		s.Problem(key, "vraag naar een persoon: waar het nummer :person is", "ask about one person: where the number is :person")
	}
	return st
}

// begun is a query without the comments before it.
func begun(query string) string {
	for {
		query = strings.TrimLeft(query, " \t\r\n")
		if !strings.HasPrefix(query, "--") && !strings.HasPrefix(query, "/*") {
			return query
		}
		query = query[quoted(query, 0):]
	}
}

func parameters() []string { return []string{"person", "from", "to", "history"} }

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// quoted is where a text, a quoted name or a comment ends that begins at a place; the place
// itself when none does.
func quoted(query string, at int) int {
	rest := query[at:]
	until := func(open, end string) int {
		if i := strings.Index(rest[len(open):], end); i >= 0 {
			return at + len(open) + i + len(end)
		}
		return len(query)
	}
	switch {
	case rest[0] == '\'', rest[0] == '"': // one that is doubled ends it, and begins it again
		return until(rest[:1], rest[:1])
	case strings.HasPrefix(rest, "--"):
		return until("--", "\n")
	case strings.HasPrefix(rest, "/*"):
		return until("/*", "*/")
	}
	return at
}

// with gives the query with the placeholders of a database, and its arguments.
func (st statement) with(place func(i int) string, q mapping.Question) (string, []any) {
	var query strings.Builder
	var args []any
	for i, text := range st.texts {
		query.WriteString(text)
		if i < len(st.names) {
			args = append(args, q.Value(st.names[i]))
			query.WriteString(place(len(args)))
		}
	}
	return query.String(), args
}
