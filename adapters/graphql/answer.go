package graphql

import (
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
)

// List takes the records out of an answer; rows is where they stand, under data. GraphQL
// gives its errors with status 200, and a part of an answer beside an error is no answer.
// With none, null where the records stand says that there is nothing.
func List(raw []byte, rows string, none bool) (list source.List, err error) {
	root, err := native.JSON(raw)
	if err != nil {
		return list, err
	}
	parent, name := around(rows)
	list.Unknown, err = answer(parent, rows).Check(root)
	if errors := root.All("errors"); len(errors) > 0 {
		return source.List{}, fault(errors[0].Text("extensions/code"))
	}
	if err != nil {
		return source.List{}, err
	}
	at := root.Get("data" + parent)
	found := at.Get(name)
	if !found.Has() && (!none || !there(at, name)) {
		return source.List{}, found.Bad("", "a list")
	}
	list.Records = at.Begun(name)
	if at.Text("pageInfo/hasNextPage") == "true" {
		return source.List{}, at.Bad("pageInfo/hasNextPage", "an answer on one page")
	}
	if n := at.Text("totalCount"); n != "" && n != strconv.Itoa(len(list.Records)) {
		return source.List{}, at.Bad("totalCount", "the number of records that came")
	}
	return list, nil
}

// around takes the last name off a path; what is before it starts with a slash, or is empty.
func around(rows string) (parent, name string) {
	i := strings.LastIndexByte(rows, '/')
	if i < 0 {
		return "", rows
	}
	return "/" + rows[:i], rows[i+1:]
}

// answer is the table of an answer of GraphQL.
func answer(parent, rows string) native.Table {
	return native.Table{
		Format: "GraphQL answer", Read: []string{"data" + parent + "/pageInfo/hasNextPage", "data" + parent + "/totalCount"},
		Ignored: []string{"data/" + rows + "[]/*", "errors[]/*", "extensions/*"},
	}
}

// there reports whether a member stands in a node, be it null.
func there(n native.Node, name string) bool {
	for _, m := range n.Members() {
		if m.Name() == name {
			return true
		}
	}
	return false
}

func fault(code string) error {
	switch code {
	case "FORBIDDEN", "UNAUTHENTICATED", "UNAUTHORIZED":
		return adapters.NotAuthorised()
	case "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT", "BAD_REQUEST":
		return adapters.Bug() // the query is ours
	case "TIMEOUT", "GATEWAY_TIMEOUT":
		return adapters.Timeout()
	default:
		return adapters.Unavailable()
	}
}
