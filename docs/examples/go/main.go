// Command ask asks for one budget and says it in words, in a module of its own:
//
//	ask client.yaml client/token request.json [SECONDS]
//
// request.json is an AssembleBudgetRequest. With SECONDS it asks again and again for that long, on
// the one client, and then says how often.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Geen budget:", said(err))
		os.Exit(1)
	}
}

// said is an error in words: of a budget that does not verify, of a gateway, or of a file.
func said(err error) string {
	if reason := result.ReasonOf(err); reason != "" {
		return string(reason)
	}
	if s, ok := status.FromError(err); ok {
		return fmt.Sprintf("%s: %s", s.Code(), s.Message())
	}
	return err.Error()
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("give client.yaml, a file with a token and one with a request")
	}
	c, err := client.Open(args[0], func(context.Context) (string, error) {
		raw, err := os.ReadFile(args[1])
		return strings.TrimSpace(string(raw)), err
	})
	if err != nil {
		return err
	}
	defer c.Close()
	raw, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	request := new(ontschotv1.AssembleBudgetRequest)
	if err := protojson.Unmarshal(raw, request); err != nil {
		return err
	}
	seconds := 0
	if len(args) > 3 {
		if seconds, err = strconv.Atoi(args[3]); err != nil {
			return err
		}
	}
	until, times := time.Now().Add(time.Duration(seconds)*time.Second), 0
	for ; times == 0 || time.Now().Before(until); times++ {
		b, err := ask(c, request)
		if err != nil {
			return err
		}
		if times == 0 {
			say(b)
		}
		if seconds > 0 {
			time.Sleep(100 * time.Millisecond)
		}
	}
	if seconds > 0 {
		fmt.Printf("%d keer gevraagd en gecontroleerd.\n", times)
	}
	return nil
}

// ask gives a budget that verifies. Under its key a client that gets no response can retry.
func ask(c *client.Client, r *ontschotv1.AssembleBudgetRequest) (*budgetv1.Budget, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return c.AssembleBudget(metadata.AppendToOutgoingContext(ctx, "idempotency-key", uuid.NewString()), r, nil)
}

func say(b *budgetv1.Budget) {
	fmt.Printf("Het budget van %s tot en met %s.\n", b.GetWindow().GetFrom(), b.GetWindow().GetTo())
	for _, line := range b.GetLines() {
		product := line.GetProduct().GetLabel()
		if product == "" {
			product = line.GetProduct().GetCode()
		}
		fmt.Printf("- %s: %s (%s), betaald door %s: %s\n", line.GetPerson(), product, line.GetLaw(), line.GetFunder(), euros(line.ValueCents))
	}
	fmt.Printf("Samen voor zorg: %s. Inkomen: %s.\n", euros(b.CareTotalCents), euros(b.IncomeCents))
	for _, f := range b.GetFindings() {
		fmt.Println("Let op:", f.GetTextNl())
	}
	for _, g := range b.GetGaps() {
		fmt.Printf("Ontbreekt: %s bij %s (%s)\n", g.GetPerson(), g.GetSource(), g.GetReason())
	}
	peers := 0
	for _, s := range b.GetSources() {
		if s.GetDisclosure() != nil {
			peers++
		}
	}
	fmt.Printf("Gecontroleerd: de handtekening, de inhoud, het bewijs van het logboek en %d verklaringen van bronnen kloppen.\n", peers)
}

// euros writes cents as people do; an amount that is absent is not known.
func euros(cents *int64) string {
	if cents == nil {
		return "niet bekend"
	}
	sign, n := "", *cents
	if n < 0 {
		sign, n = "-", -n
	}
	whole := strconv.FormatInt(n/100, 10)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "." + whole[i:]
	}
	return fmt.Sprintf("%s€ %s,%02d", sign, whole, n%100)
}
