package documents

import (
	"slices"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/register"
)

// defaultPage is how many documents a list gives at once when the caller does not say.
const defaultPage = 100

// paged is a request for one page of a list.
type paged interface {
	GetPageSize() int32
	GetPageToken() string
}

// page takes from the ids of a whole list those of one page, and gives the token for the
// page after it. A token is the last id of a page, so that what is registered meanwhile, at
// the front, moves nothing.
func page(ids []string, r paged) (those []string, next string, err error) {
	from := 0
	if token := r.GetPageToken(); token != "" {
		if from = slices.Index(ids, token) + 1; from == 0 {
			return nil, "", admission.Invalid("page_token", "is none that this list gave; begin without one")
		}
	}
	size := int(r.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	those = ids[from:min(from+size, len(ids))]
	if from+size < len(ids) {
		next = those[len(those)-1]
	}
	return those, next, nil
}

func idsOf(records []register.Record) []string {
	ids := make([]string, len(records))
	for i, d := range records {
		ids[i] = d.ID
	}
	return ids
}
