package sql

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

// table is the shape of an answer.
type table struct {
	names, types []string
}

// newTable reads the columns. A float among them is refused: in it an amount is not what
// somebody decided. So is a name that is there twice.
func newTable(rows *sql.Rows) (t table, err error) {
	columns, err := rows.ColumnTypes()
	if err != nil {
		return t, err
	}
	for i, c := range columns {
		name := strings.ReplaceAll(c.Name(), "/", "_")
		at := adapters.Cursor{}.Field("columns").Item(i)
		if name == "" || slices.ContainsFunc(t.names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return t, at.Bad("a name of its own: use as in the query")
		}
		switch kind := strings.ToUpper(c.DatabaseTypeName()); kind {
		case "FLOAT4", "FLOAT8", "FLOAT", "DOUBLE", "REAL":
			return t, at.Bad("no floating-point number: cast it to numeric in the query")
		default:
			t.names, t.types = append(t.names, name), append(t.types, kind)
		}
	}
	return t, nil
}

// read makes a record of the row.
func (t table) read(rows *sql.Rows, at adapters.Cursor) (native.Node, error) {
	values, into := make([]any, len(t.names)), make([]any, len(t.names))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return native.Node{}, err
	}
	pairs := make([]native.Pair, len(t.names))
	for i, v := range values {
		pair, ok := cell(v, t.types[i])
		if !ok {
			return native.Node{}, adapters.Cursor{}.Field("columns").Item(i).Bad("a text, a whole or decimal number, a day or a time")
		}
		pair.Name = t.names[i]
		pairs[i] = pair
	}
	return native.Row(pairs, at)
}

// cell is what a column of a row holds, written as the messages of R1 to R6 are read: a
// number as it stands, a day as YYYY-MM-DD.
func cell(v any, kind string) (native.Pair, bool) {
	switch v := v.(type) {
	case nil:
		return native.Pair{Null: true}, true
	case int64:
		return native.Pair{Text: strconv.FormatInt(v, 10), Number: true}, true
	case bool:
		return native.Pair{Text: strconv.FormatBool(v)}, true
	case []byte:
		return written(string(v), kind)
	case string:
		return written(v, kind)
	case time.Time:
		return native.Pair{Text: moment(v, kind)}, true
	case fmt.Stringer:
		return written(v.String(), kind)
	}
	return native.Pair{}, false
}

var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

func written(text, kind string) (native.Pair, bool) {
	switch kind {
	case "NUMERIC", "DECIMAL":
		return native.Pair{Text: text, Number: true}, plainNumber.MatchString(text)
	case "DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME":
		switch text {
		case "infinity":
			text = "9999-12-31"
		case "-infinity":
			text = "0001-01-01"
		}
	}
	return native.Pair{Text: text}, true
}

// moment writes a day or a time. One without a zone at midnight is a day (R4).
func moment(t time.Time, kind string) string {
	switch {
	case kind == "DATE":
		return t.Format(time.DateOnly)
	case kind == "TIMESTAMPTZ" || kind == "DATETIMEOFFSET":
		return t.Format(time.RFC3339)
	}
	return t.Format("2006-01-02T15:04:05")
}
