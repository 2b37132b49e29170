package adapters_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func key() []byte { return bytes.Repeat([]byte{7}, 32) }

// ask gives a request over 2025, with history over 2024.
func ask(scopes ...*budgetv1.Scope) *budgetv1.FetchRequest {
	return &budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{Bsn: "999940004"},
		Window:      &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, HistoryFrom: "2024-01-01",
		Scopes: scopes, Purpose: "integral_budget.compose", Requester: "00000099000000119000",
	}
}

func scope(law string, categories ...string) *budgetv1.Scope {
	if len(categories) == 0 {
		for _, c := range budgetv1.Categories() {
			categories = append(categories, string(c))
		}
	}
	return &budgetv1.Scope{Law: law, Categories: categories}
}

// line gives a valid line; dates are start and end, no end when it is empty.
func line(law, code, start, end string) *budgetv1.BudgetLine {
	l := &budgetv1.BudgetLine{
		Law: law, Funder: "GM0001", Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Product: &budgetv1.Product{System: "WMO020", Code: code, Label: "x"},
		Period:  &budgetv1.Period{Start: start},
	}
	if end != "" {
		l.Period.End = proto.String(end)
	}
	return l
}

func record(kind, id string) adapters.Record {
	return adapters.Record{Native: []byte(kind + id), Type: kind, ID: id, Pointer: "/0"}
}

func euros(l *budgetv1.BudgetLine, cents int64, basis string) *budgetv1.BudgetLine {
	l.Amount = &budgetv1.Amount{Cents: cents, Basis: basis}
	return l
}

// answer gives what a writer makes of lines.
func answer(t *testing.T, r *budgetv1.FetchRequest, write func(w *adapters.Writer)) *budgetv1.FetchResponse {
	t.Helper()
	w, err := adapters.NewWriter(r, adapters.Origin{Adapter: "fake", Version: "1", Key: key()})
	require.NoError(t, err)
	write(w)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

func codes(a *budgetv1.FetchResponse) (notices []string) {
	for _, n := range a.GetNotices() {
		for range max(n.GetCount(), 1) {
			notices = append(notices, strings.TrimSpace(n.GetCode()+" "+n.GetReason()+" "+n.GetLaw()+" "+n.GetPointer()))
		}
	}
	return notices
}
