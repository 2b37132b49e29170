// Package message answers: which awards, allocations and payments do these messages hold?
// It reads iPgb 501 and 507, iWmo 301 and iJw 301 messages out of an organisation's own
// archive, and decides which of several about one right counts.
//
// The messages travel in batches and have no query interface: the request to the archive
// and the envelope of its answer are ours. What is in the envelope has the published
// structure: iPgb 2.1, of which the name of the root element is assumed, and iWmo and
// iJw 3.2, and their 3.0 in so far as it differs.
package message

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

// Kind of message.
type Kind string

// The kinds that are read.
const (
	AwardWmo        Kind = "WMO501"
	AwardJeugd      Kind = "JW501"
	AwardWlz        Kind = "WLZ501"
	AllocationWmo   Kind = "WMO301"
	AllocationJeugd Kind = "JW301"
	ClosingWmo      Kind = "WMO507"
	ClosingJeugd    Kind = "JW507"
	ClosingWlz      Kind = "WLZ507"
	// Interim is what SVB paid so far of a budget that still runs. No message of iPgb
	// says that: it is assumed, with the structure of a 507 without a reason.
	Interim Kind = "TUSSENSTAND"
)

// law of a kind of message; empty for one that its BerichtCode alone tells.
func (k Kind) law() string {
	switch k {
	case AwardWmo, AllocationWmo, ClosingWmo:
		return "WMO"
	case AwardJeugd, AllocationJeugd, ClosingJeugd:
		return "JW"
	case AwardWlz, ClosingWlz:
		return "WLZ"
	}
	return ""
}

// Search is what an archive is asked for: messages about one person.
type Search struct {
	BSN   adapters.BSN
	Kinds []Kind
}

// Found is one message: a native record begins with it.
type Found struct {
	Kind Kind
	native.Node
}

// mostMessages bounds an archive's answer.
const mostMessages = 2000

// Archive is where the messages of an agency are searched: source.Source.
type Archive interface {
	// Messages gives what a search finds, as XML. Its errors are those of package adapters.
	Messages(ctx context.Context, search []byte) ([]byte, error)
}

// Ask gets messages out of an archive, in its order. Its errors
// are those of package adapters.
func Ask(ctx context.Context, from Archive, s Search) ([]Found, error) {
	body, err := json.Marshal(map[string]any{"bsn": s.BSN.Reveal(), "soorten": s.Kinds})
	if err != nil {
		return nil, adapters.Bug()
	}
	answer, err := from.Messages(ctx, body)
	if err != nil {
		return nil, err
	}
	return Open(answer)
}

// Open takes the messages out of their envelope:
// <berichten><bericht soort="WMO501"><Bericht>...</Bericht></bericht>...</berichten>
func Open(raw []byte) ([]Found, error) {
	root, err := native.XML(raw)
	if err != nil {
		return nil, err
	}
	if _, err := envelope().Check(root); err != nil || root.Name() != "berichten" {
		return nil, adapters.BadData("/", "element berichten with elements bericht")
	}
	all := root.All("bericht")
	if len(all) > mostMessages {
		return nil, adapters.BadData("/berichten", "at most "+strconv.Itoa(mostMessages))
	}
	var found []Found
	for _, b := range all {
		found = append(found, Found{Kind(b.Attr("soort")), b.Get("Bericht").Begin()})
	}
	return found, nil
}

func envelope() native.Table {
	return native.Table{Format: "archive", Ignored: []string{"bericht[]/*"}}
}

// Reader turns messages about one person into lines of one party.
type Reader struct {
	BSN   adapters.BSN
	Party string
	// Ours reports whether a funder code is the party's.
	Ours func(code string) bool
}

// opened is a message of which the header was read.
type opened struct {
	Found
	law     string
	unknown error // of which law, person or funder it is cannot be told, or it is another
	odd     error // it is not as its format is
}

// open holds a message against its table and reads of which law and person it is, and of
// which funder, whose code stands at a path. What is not known in it is noticed.
func (r Reader) open(f Found, codes map[string]string, funder string, out *adapters.Writer) opened {
	o := opened{Found: f, law: codes[f.Text("Header/BerichtCode")]}
	var more []native.Node
	more, o.odd = tableOf(f.Kind).Check(f.Node)
	for _, n := range more {
		out.Unknown(o.law, n.Name(), n.At())
	}
	switch {
	case o.law == "" || f.Kind.law() != "" && f.Kind.law() != o.law:
		o.unknown = f.Bad("Header/BerichtCode", "a code of "+string(f.Kind))
	case f.Text("Client/Bsn") != r.BSN.Reveal():
		o.unknown = f.Bad("Client/Bsn", "the person who was asked about")
	case r.Ours != nil && !r.Ours(f.Text(funder)):
		o.unknown = f.Bad(funder, "a code of the party that answers")
	}
	return o
}

// Read writes the lines of messages, and accounts for each that gives none.
func (r Reader) Read(found []Found, out *adapters.Writer) error {
	var awards []award
	var allocations []allocation
	for _, f := range found {
		var err error
		switch f.Kind {
		case AwardWmo, AwardJeugd, AwardWlz:
			awards, err = r.award(f, awards, out)
		case AllocationWmo, AllocationJeugd:
			allocations, err = r.allocations(f, allocations, out)
		default:
			out.Skipped(adapters.SkippedOtherMessage, "", f.At().Path)
		}
		if err != nil {
			return err
		}
	}
	if err := r.awards(awards, out); err != nil {
		return err
	}
	return r.newest(allocations, out)
}
