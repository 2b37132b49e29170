package audit

import "context"

// life is what the log tells about a document.
type life struct {
	description    description
	entered, ended int64
	since, until   int64 // milliseconds
}

// lives follows documents from the entry that puts them to the one that ends them.
func (w *walk) lives(index, time int64, open *opening) error {
	for _, v := range open.Put {
		var d description
		if err := decodeCanonical(v.Value, putField.size(), &d); err != nil {
			return tampered(index, "opening: put is no description of a document")
		}
		if _, again := w.kept[d.ID]; again {
			return tampered(index, "leaf: puts a document for the second time")
		}
		w.kept[d.ID] = life{description: d, entered: index, ended: NotEnded, since: time}
	}
	for _, v := range open.End {
		l, ok := w.kept[string(v.Value)]
		if !ok || l.ended != NotEnded {
			return tampered(index, "leaf: ends a document that is not live")
		}
		l.ended, l.until = index, time
		w.kept[string(v.Value)] = l
	}
	return nil
}

// documents compares the stored documents with what the log tells of them, and
// names the earliest entry that one of them disagrees with.
func (w *walk) documents(ctx context.Context) error {
	after := ""
	var found *TamperError
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := w.snapshot.Documents(after, pageSize)
		if err != nil {
			return err
		}
		for _, d := range page {
			if d.ID <= after {
				return tampered(d.Entered, "documents.id: not of the column's type")
			}
			found = earlier(found, w.document(d))
			after = d.ID
		}
		if len(page) < pageSize {
			break
		}
	}
	for _, l := range w.kept {
		found = earlier(found, &TamperError{l.entered, "documents: the document of this entry is gone"})
	}
	if found != nil {
		return found
	}
	return nil
}

func earlier(a, b *TamperError) *TamperError {
	if a == nil || b != nil && b.Index < a.Index {
		return b
	}
	return a
}

func (w *walk) document(d Document) *TamperError {
	l, ok := w.kept[d.ID]
	if !ok {
		return &TamperError{d.Entered, "documents.id: no entry put this document"}
	}
	delete(w.kept, d.ID)
	w.report.Documents++
	if d.Live() {
		w.report.LiveDocuments++
	}
	if column := l.differs(d); column != "" {
		return &TamperError{l.entered, "documents." + column + ": not as the log tells"}
	}
	return nil
}

// differs names the first column of a stored document that is not as it should be.
func (l life) differs(d Document) string {
	is, was := d.description(), l.description
	status := Live
	if l.ended != NotEnded {
		status = Ended
	}
	switch {
	case d.Digest != hexDigest(d.Body):
		return "body or digest"
	case is.Digest != was.Digest:
		return "digest"
	case is.Kind != was.Kind:
		return "kind"
	case is.Openings != was.Openings:
		return "openings"
	case is.Subject != was.Subject || is.Purpose != was.Purpose:
		return "subject or purpose"
	case is.PartyA != was.PartyA || is.PartyB != was.PartyB:
		return "party"
	case d.Status != status:
		return "status"
	case d.Entered != l.entered:
		return "entered"
	case d.Ended != l.ended:
		return "ended"
	case d.Since != l.since:
		return "since"
	case d.Until != l.until:
		return "until"
	}
	return ""
}
