package bench

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// direct answers every question with the same budget: what a call over mutual TLS costs.
type direct struct {
	ontschotv1.UnimplementedExchangeServiceServer
	answer *ontschotv1.AssembleBudgetResponse
}

// AssembleBudget answers.
func (d *direct) AssembleBudget(_ *ontschotv1.AssembleBudgetRequest, stream grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]) error {
	return stream.Send(d.answer)
}

// answer is of about 2 KB.
func answer() *ontschotv1.AssembleBudgetResponse {
	b := &budgetv1.Budget{}
	for i := range memoryLines {
		id := fmt.Sprintf("WLZ-5503-2025-%02d", i)
		sum := sha256.Sum256([]byte(id))
		b.Lines = append(b.Lines, &budgetv1.BudgetLine{
			Id: "A4/WLZ/99/" + id, Person: "A4", Law: "WLZ", Funder: "ZK5503", Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
			Product:  &budgetv1.Product{System: "WLZ022", Code: "99", Label: "Wlz-zorg"},
			Period:   &budgetv1.Period{Start: "2025-01-01", End: proto.String("2025-02-28")},
			Amount:   &budgetv1.Amount{Cents: int64(840000 + i), Basis: "PERIOD_TOTAL"},
			Decision: &budgetv1.Decision{Number: id, Budget: id},
			Provenance: []*budgetv1.Provenance{{
				Source: "ZK5503", Adapter: Memory, Version: "1.0.0", RecordType: "award", RecordId: id, Pointer: "/Budget/0", Sha256: sum[:], FetchedAtMs: 1750000000000,
				Consent: "0197c0de-0000-7000-8000-000000000000",
			}},
		})
	}
	return &ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Budget{Budget: b}}
}

// floor is a hop that does what every gateway with a record must, and nothing else: mutual
// TLS on both sides, one decision by OPA, one durable record before the source is asked and
// one before the answer goes out.
type floor struct {
	ontschotv1.UnimplementedExchangeServiceServer
	backend ontschotv1.ExchangeServiceClient
	policy  rego.PreparedEvalQuery
	chain   *chain
}

// AssembleBudget passes a question on.
func (f *floor) AssembleBudget(r *ontschotv1.AssembleBudgetRequest, stream grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]) error {
	ctx := stream.Context()
	result, err := f.policy.Eval(ctx, rego.EvalInput(map[string]any{
		"purpose": r.GetPurpose(), "source": r.GetAsks()[0].GetSource(), "laws": []any{"WLZ"}, "role": "consulent", "assurance": "substantieel",
	}))
	if err != nil || !result.Allowed() {
		return errors.Join(err, errors.New("denied"))
	}
	raw, err := proto.Marshal(r)
	if err != nil {
		return err
	}
	if err := f.chain.append(raw); err != nil {
		return err
	}
	asked, err := f.backend.AssembleBudget(ctx, r)
	if err != nil {
		return err
	}
	got, err := asked.Recv()
	if err != nil {
		return err
	}
	if raw, err = proto.Marshal(got); err != nil {
		return err
	}
	if err := f.chain.append(raw); err != nil {
		return err
	}
	return stream.Send(got)
}

// floorPolicy is about the least that decides anything.
const floorPolicy = `package floor

import rego.v1

default allow := false

allow if {
	some cell in matrix
	cell.purpose == input.purpose
	cell.source == input.source
	cell.roles[input.role]
	cell.assurance[input.assurance]
	every law in input.laws { law in cell.laws }
}`

func newFloorPolicy(ctx context.Context) (rego.PreparedEvalQuery, error) {
	cell := func(purpose, source string) string {
		return fmt.Sprintf(`{"purpose": %q, "source": %q, "laws": ["WLZ"], "roles": {"consulent": true}, "assurance": {"substantieel": true}}`, purpose, source)
	}
	data := fmt.Sprintf("package floor\n\nmatrix := [%s, %s, %s]", cell("another", "ZK5503"), cell("integral_budget.compose", "UWV"), cell("integral_budget.compose", "ZK5503"))
	return rego.New(rego.Query("data.floor.allow"), rego.Module("floor.rego", floorPolicy), rego.Module("data.rego", data)).PrepareForEval(ctx)
}

// chain is a file of entries, each of which holds the hash of the one before it. What comes
// while a group is written is the next group.
type chain struct {
	file *os.File
	next chan waiting
	last [sha256.Size]byte
}

type waiting struct {
	raw  []byte
	done chan error
}

func newChain(path string) (*chain, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	c := &chain{file: file, next: make(chan waiting, 256)}
	go c.write()
	return c, nil
}

func (c *chain) append(raw []byte) error {
	w := waiting{raw, make(chan error, 1)}
	c.next <- w
	return <-w.done
}

func (c *chain) write() {
	for first := range c.next {
		group := []waiting{first}
		for more := true; more; {
			select {
			case w := <-c.next:
				group = append(group, w)
			default:
				more = false
			}
		}
		var text []byte
		for _, w := range group {
			sum := sha256.Sum256(w.raw)
			c.last = sha256.Sum256(append(c.last[:], sum[:]...))
			text = fmt.Appendf(text, "%d %s %s\n", time.Now().UnixMilli(), hex.EncodeToString(sum[:]), hex.EncodeToString(c.last[:]))
		}
		_, err := c.file.Write(text)
		if err == nil {
			err = c.file.Sync()
		}
		for _, w := range group {
			w.done <- err
		}
	}
}

// tlsOf is the configuration of one party in a folder, for serving and for asking.
func tlsOf(dir, of string) (serve, ask *tls.Config, err error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, of, "cert.pem"), filepath.Join(dir, of, "key.pem"))
	if err != nil {
		return nil, nil, err
	}
	pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, nil, errors.New("ca.pem holds no certificate")
	}
	serve = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS13}
	ask = &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}
	return serve, ask, nil
}

func startDirect(dir string) (string, func(), error) {
	conf, _, err := tlsOf(dir, "gateway")
	if err != nil {
		return "", nil, err
	}
	return serve(conf, &direct{answer: answer()}, nil)
}

func startFloor(ctx context.Context, dir, backend string) (string, func(), error) {
	conf, ask, err := tlsOf(dir, "gateway")
	if err != nil {
		return "", nil, err
	}
	conn, err := grpc.NewClient(backend, grpc.WithTransportCredentials(credentials.NewTLS(ask)))
	if err != nil {
		return "", nil, err
	}
	policy, err := newFloorPolicy(ctx)
	if err != nil {
		return "", nil, err
	}
	chain, err := newChain(filepath.Join(dir, "floor.chain"))
	if err != nil {
		return "", nil, err
	}
	return serve(conf, &floor{backend: ontschotv1.NewExchangeServiceClient(conn), policy: policy, chain: chain}, conn)
}

func serve(conf *tls.Config, by ontschotv1.ExchangeServiceServer, also io.Closer) (string, func(), error) {
	l, err := loopback()
	if err != nil {
		return "", nil, err
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(conf)), grpc.MaxConcurrentStreams(256))
	ontschotv1.RegisterExchangeServiceServer(s, by)
	go func() { _ = s.Serve(l) }() // ends with Stop
	return l.Addr().String(), func() {
		s.Stop()
		if also != nil {
			also.Close()
		}
	}, nil
}
