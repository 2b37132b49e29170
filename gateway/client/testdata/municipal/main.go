// Command municipal is what a municipal system does, in a module of its own: it asks its
// gateway for a budget, keeps it, and verifies the kept one. A test builds and runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

// run asks what the file request holds, with the access token in the file token.
func run(config, token, request string) error {
	c, err := client.Open(config, func(context.Context) (string, error) {
		raw, err := os.ReadFile(token)
		return strings.TrimSpace(string(raw)), err
	})
	if errors.Is(err, client.ErrConfig) {
		return fmt.Errorf("ask whoever keeps client.yaml: %w", err)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	r := new(ontschotv1.AssembleBudgetRequest)
	raw, err := os.ReadFile(request)
	if err != nil {
		return err
	}
	if err := protojson.Unmarshal(raw, r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, err := c.AssembleBudget(ctx, r, func(p *ontschotv1.Progress) { log.Printf("%d of %d", p.GetHeard(), p.GetAsked()) })
	if err != nil {
		return errors.New(status.Convert(err).Message())
	}
	kept, err := protojson.Marshal(b)
	if err != nil {
		return err
	}
	return verify(config, kept)
}

// verify needs no gateway.
func verify(config string, kept []byte) error {
	trust, err := client.ReadTrust(config)
	if err != nil {
		return err
	}
	b := new(budgetv1.Budget)
	if err := protojson.Unmarshal(kept, b); err != nil {
		return err
	}
	v, err := trust.Verify(b)
	if err != nil {
		return fmt.Errorf("do not use it (%s): %w", result.ReasonOf(err), err)
	}
	fmt.Printf("verified: released by %s, gaps: %d, complete: %t\n", v.Releaser, len(b.GetGaps()), v.Complete)
	return nil
}
