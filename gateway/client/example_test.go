package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/ontschot/ontschot/gateway/client"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// A municipal system asks for what one person has, at UWV and at the municipality itself.
func Example() {
	c, err := client.Open("client.yaml", func(context.Context) (string, error) {
		raw, err := os.ReadFile("client/token") // or from the municipality's own issuer
		return strings.TrimSpace(string(raw)), err
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	budget, err := c.AssembleBudget(ctx, &ontschotv1.AssembleBudgetRequest{
		Purpose: "integral_budget.compose",
		Window:  &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"},
		Persons: []*ontschotv1.Person{{
			Ref:         "A3", // the system's own; answers speak of it, never of the BSN
			Identifiers: &budgetv1.Identifiers{Bsn: "999990019"},
		}},
		Asks: []*ontschotv1.Ask{{Person: "A3", Source: "UWV"}, {Person: "A3", Source: "GM0119"}},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range budget.GetLines() {
		fmt.Println(line.GetLaw(), line.GetFunder(), line.GetValueCents())
	}
	for _, gap := range budget.GetGaps() {
		fmt.Println(gap.GetSource(), gap.GetReason())
	}
}
