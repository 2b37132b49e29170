package audit

import (
	"context"
	"crypto/sha256"
)

// documents compares the stored bytes with what the log says of them, and names the
// earliest entry that one of them disagrees with.
func (w *walk) documents(ctx context.Context) error {
	after := ""
	var found, strange *TamperError
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := w.snapshot.Documents(after, documentsPage)
		if err != nil {
			return err
		}
		for _, d := range page {
			if w.by.Read != nil {
				w.by.Read(d)
			}
			if _, known := w.register.Head().Document(d.ID); known {
				found = earlier(found, w.document(d))
			} else {
				strange = &TamperError{HeadIndex, "documents.id: no entry put this document"}
			}
			if d.ID <= after { // not of the column's type: those come last
				page = nil
				break
			}
			after = d.ID
		}
		if len(page) < documentsPage {
			break
		}
	}
	if strange != nil && found == nil && w.waiting.count == 0 {
		return strange
	}
	if w.waiting.count > 0 {
		found = earlier(found, &TamperError{w.waiting.first(), "documents: the document of this entry is gone"})
	}
	if found != nil {
		return found
	}
	w.report.Documents, w.report.LiveDocuments = w.register.Head().Count(w.register.Day())
	return nil
}

func earlier(a, b *TamperError) *TamperError {
	if a == nil || b != nil && b.Index < a.Index {
		return b
	}
	return a
}

func (w *walk) document(d Stored) *TamperError {
	record, _ := w.register.Head().Document(d.ID)
	w.waiting.remove(record.Entered)
	switch {
	case sha256.Sum256(d.Body) != record.Digest:
		return &TamperError{record.Entered, "documents.body: not as in the log"}
	case sha256.Sum256(d.Openings) != record.Opens:
		return &TamperError{record.Entered, "documents.openings: not as in the log"}
	}
	return nil
}
