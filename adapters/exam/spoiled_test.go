package exam_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// spoiled is the service of the clerk with one thing wrong.
type spoiled struct {
	*adapters.Service
	broken
	clerk      *clerk
	fetches    atomic.Int64
	configures atomic.Int64
	failed     atomic.Bool
	mu         sync.Mutex
	last       string // number that was asked about
	kept       [][]byte
	open       []net.Conn
}

func newSpoiled(b broken) *spoiled {
	c := &clerk{broken: b}
	return &spoiled{Service: adapters.NewService(c), broken: b, clerk: c}
}

// Describe implements the adapter service.
func (s *spoiled) Describe(ctx context.Context, q *adapterv1.DescribeRequest) (*adapterv1.DescribeResponse, error) {
	d, err := s.Service.Describe(ctx, q)
	d = proto.CloneOf(d)
	switch s.broken {
	case "has a law of no list":
		d.Laws = append(d.Laws, "BELASTING")
	case "is another each time":
		rand.Shuffle(len(d.Categories), func(i, j int) { d.Categories[i], d.Categories[j] = d.Categories[j], d.Categories[i] })
		d.Categories = append(d.Categories[1:], d.Categories[0])
		d.Limits = &adapterv1.Limits{Parallel: 1 + rand.Uint32N(1<<20)}
	case "is not as its manifest":
		d.Limits = &adapterv1.Limits{Parallel: 7}
	case "has a schema that is none":
		d.ConfigSchema = []byte(`{"type":"object","properties":{"url":{"type":"tekst"}}}`)
	case "has a secret among settings":
		d.ConfigSchema = []byte(strings.Replace(clerkSchema, `"party":{`, `"token":{"type":"string"},"party":{`, 1))
	case "connects by a key of nothing":
		d.Egress = append(d.Egress, "adres")
	}
	return d, err
}

// Probe implements the adapter service.
func (s *spoiled) Probe(ctx context.Context, q *adapterv1.ProbeRequest) (*adapterv1.ProbeResponse, error) {
	switch s.broken {
	case "says probe and has none":
		return nil, status.Error(codes.Unimplemented, "")
	case "probes nothing":
		return &adapterv1.ProbeResponse{}, nil
	}
	return s.Service.Probe(ctx, q)
}

// ValidateConfig implements the adapter service.
func (s *spoiled) ValidateConfig(ctx context.Context, q *adapterv1.ValidateConfigRequest) (*adapterv1.ValidateConfigResponse, error) {
	if s.broken == "takes what it only looks at" {
		_, _ = s.Service.Configure(ctx, &adapterv1.ConfigureRequest{Config: q.GetConfig(), Secrets: q.GetSecrets()})
	}
	a, err := s.Service.ValidateConfig(ctx, q)
	a.Findings = s.findings(a.GetFindings(), q.GetSecrets())
	return a, err
}

// Configure implements the adapter service.
func (s *spoiled) Configure(ctx context.Context, q *adapterv1.ConfigureRequest) (*adapterv1.ConfigureResponse, error) {
	n := s.configures.Add(1)
	a, err := s.Service.Configure(ctx, q)
	taken := len(a.GetFindings()) == 0
	a.Findings = s.findings(a.GetFindings(), q.GetSecrets())
	switch s.broken {
	case "refuses its configuration":
		a.Findings = []*adapterv1.ConfigFinding{{Path: "url", TextNl: "nee", TextEn: "no"}}
	case "cannot be configured twice":
		if n > 1 && taken {
			a.Findings = []*adapterv1.ConfigFinding{{Path: ".", TextNl: "al ingesteld", TextEn: "configured already"}}
		}
	case "forgets the old configuration":
		if !taken {
			s.clerk.settings.Store(nil)
		}
	case "prints its secret":
		fmt.Fprintln(os.Stderr, "configured with", q.GetSecrets()["token"])
	}
	return a, err
}

func (s *spoiled) findings(all []*adapterv1.ConfigFinding, secrets map[string]string) []*adapterv1.ConfigFinding {
	for _, f := range all {
		switch s.broken {
		case "takes a bad configuration":
			return nil
		case "names no path":
			f.Path = "."
		case "says its secret in a finding":
			f.TextEn += " with " + secrets["token"]
		}
	}
	return all
}

// Fetch implements the adapter service.
func (s *spoiled) Fetch(ctx context.Context, q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	asked := proto.CloneOf(q)
	n, number := s.fetches.Add(1), q.GetIdentifiers().GetBsn()
	if a, err, done := s.before(ctx, q, n); done {
		return a, err
	}
	configures := s.configures.Load()
	a, err := s.Service.Fetch(ctx, q)
	if s.broken == "drops calls when configured" && configures != s.configures.Load() {
		return nil, adapters.Unavailable()
	}
	if err != nil {
		return s.after(ctx, number, err)
	}
	s.spoil(asked, a, n)
	return a, nil
}

// before is what goes wrong with a question.
func (s *spoiled) before(ctx context.Context, q *budgetv1.FetchRequest, n int64) (*budgetv1.FetchResponse, error, bool) {
	number := q.GetIdentifiers().GetBsn()
	nothing := &budgetv1.FetchResponse{Adapter: "clerk", Version: "1.0.0", AnswerId: fmt.Sprint(n), AsOfMs: 1}
	switch s.broken {
	case "answers before it may":
		return nothing, nil, s.clerk.settings.Load() == nil
	case "prints on stdout":
		fmt.Println("a question")
	case "prints a number":
		fmt.Fprintln(os.Stderr, "asked about", number)
	case "prints a number in groups":
		if len(number) == 9 {
			fmt.Fprintln(os.Stderr, "asked about", number[:4]+"."+number[4:6]+"."+number[6:])
		}
	case "says a number in a trailer":
		if strings.HasPrefix(number, "9999") {
			_ = grpc.SetTrailer(ctx, metadata.Pairs("about", number))
		}
	case "crashes on second use":
		if n > 1 {
			os.Exit(7)
		}
	case "ends all by a panic":
		if strings.ContainsAny(number, "'$") {
			go func() { panic("no number") }()
			time.Sleep(time.Second)
		}
	case "asks without a number":
		return nothing, nil, number == ""
	case "knows those it does not":
		if number == "999990019" {
			q.Identifiers.Bsn = anna
		}
	case "finds an injection":
		if strings.Contains(number, "OR 1=1") {
			q.Identifiers.Bsn = anna
		}
	case "says an injection again":
		return nil, status.Error(codes.InvalidArgument, "no number: "+number), number != "" && strings.Trim(number, "0123456789") != ""
	case "answers of another person":
		if number == anna {
			q.Identifiers.Bsn = chris
		}
	case "answers about any law":
		for _, scope := range q.GetScopes() {
			if scope.GetLaw() != "WMO" && scope.GetLaw() != "JW" && strings.Trim(scope.GetLaw(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" && scope.GetLaw() != "" {
				return nothing, nil, true
			}
		}
	case "mixes persons up":
		s.mu.Lock()
		s.last = number
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
		s.mu.Lock()
		if s.last == anna || s.last == chris {
			if number == anna || number == chris {
				q.Identifiers.Bsn = s.last
			}
		}
		s.mu.Unlock()
	case "ignores masks":
		for _, scope := range q.GetScopes() {
			scope.Masks = nil
		}
	case "does not recover":
		return nil, adapters.Unavailable(), s.failed.Load()
	case "leaks connections", "calls elsewhere":
		s.connect(n)
	case "ignores a deadline", "goes on when hung up on":
		return s.stubborn(ctx, q)
	}
	return nil, nil, false
}

// connect opens a connection that nobody closes.
func (s *spoiled) connect(n int64) {
	c := s.clerk.settings.Load()
	if c == nil || s.broken == "calls elsewhere" && n > 1 {
		return
	}
	to := "127.0.0.1:" + fmt.Sprint(c.Port)
	if s.broken == "leaks connections" {
		u, err := url.Parse(c.URL)
		if err != nil {
			return
		}
		to = u.Host
	}
	if conn, err := net.Dial("tcp", to); err == nil {
		s.mu.Lock()
		s.open = append(s.open, conn)
		s.mu.Unlock()
	}
}

// stubborn asks the source without looking at who asks: not at their deadline, or not at
// whether they are still there.
func (s *spoiled) stubborn(ctx context.Context, q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error, bool) {
	on := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok && s.broken == "goes on when hung up on" {
		var cancel context.CancelFunc
		on, cancel = context.WithDeadline(on, deadline)
		defer cancel()
	}
	a, err := s.Service.Fetch(on, q)
	return a, err, true
}

// after is what goes wrong with an error.
func (s *spoiled) after(ctx context.Context, number string, err error) (*budgetv1.FetchResponse, error) {
	nothing := &budgetv1.FetchResponse{Adapter: "clerk", Version: "1.0.0", AnswerId: "1", AsOfMs: 1}
	down, late, bad := adapters.Reason(err) == adapters.ReasonSourceUnavailable, adapters.Reason(err) == adapters.ReasonSourceTimeout, adapters.Reason(err) == adapters.ReasonBadData
	switch {
	case s.broken == "calls it a bug when it is down" && down:
		return nil, adapters.Bug()
	case s.broken == "says nothing when it is down" && down:
		return nothing, nil
	case s.broken == "calls late unavailable" && late:
		return nil, adapters.Unavailable()
	case s.broken == "calls bad data nothing" && bad && number == bert:
		return nothing, nil
	case s.broken == "believes nonsense" && bad && number != bert:
		return nothing, nil
	case s.broken == "does not recover" && (down || late):
		s.failed.Store(true)
	case s.broken == "says a number in an error" && bad:
		return nil, adapters.Fault(codes.DataLoss, adapters.ReasonBadData, map[string]string{"path": "/persons/" + number})
	case s.broken == "answers before it may" && adapters.Reason(err) == adapters.ReasonNotConfigured && ctx.Err() == nil:
		return nothing, nil
	}
	return nil, err
}

// spoil is what goes wrong with an answer.
func (s *spoiled) spoil(q *budgetv1.FetchRequest, a *budgetv1.FetchResponse, n int64) {
	if s.broken == "keeps every answer" {
		s.mu.Lock()
		s.kept = append(s.kept, make([]byte, 256<<10))
		for i := range s.kept[len(s.kept)-1] {
			s.kept[len(s.kept)-1][i] = 1
		}
		s.mu.Unlock()
	}
	if len(a.GetLines()) == 0 {
		return
	}
	l := a.GetLines()[0]
	switch s.broken {
	case "says another amount each time":
		if l.GetAmount() != nil {
			l.Amount.Cents += n
		}
	case "leaves a line out":
		a.Lines = a.GetLines()[1:]
	case "answers too much":
		s.bloat(a)
	case "has a field of nobody":
		l.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	case "has money as a float":
		if l.GetAmount() != nil {
			l.Amount.Cents = 0
			l.Amount.ProtoReflect().SetUnknown(protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 0x40f30d8000000000))
		}
	case "has money below zero":
		if l.GetAmount() != nil {
			l.Amount.Cents = -l.Amount.Cents
		}
	case "has a 30th of February":
		if l.GetPeriod() != nil {
			l.Period.End = proto.String("2025-02-30")
		}
	case "has a code of no list":
		l.DeliveryForm = "CONTANT"
	case "steers a terminal":
		if l.GetProduct() != nil {
			l.Product.Label = "begeleiding\x1b[2J"
		}
	case "answers of other years":
		if l.GetPeriod() != nil {
			l.Period.Start, l.Period.End = "2020-01-01", proto.String("2020-12-31")
		}
	case "has a line of another party":
		l.Funder = "GM9999"
	case "rests on nothing":
		l.Provenance = nil
	case "does not salt":
		s.bare(l)
	case "values its lines":
		if l.GetAmount() != nil {
			l.ValueCents = proto.Int64(1)
		}
	case "says more than was asked":
		if l.GetDecision() == nil {
			l.Decision = &budgetv1.Decision{Number: "A-2"}
		}
	case "says the law of another":
		more := proto.CloneOf(l)
		more.Law = "WLZ"
		a.Lines = append(a.Lines, more)
	case "has a name in a label":
		if l.GetProduct() != nil {
			l.Product.Label = "begeleiding van " + annasName
		}
	}
}

// bloat makes an answer larger than it may be, by the rules of the message.
func (*spoiled) bloat(a *budgetv1.FetchResponse) {
	l := a.GetLines()[0]
	if l.GetDecision() == nil {
		return
	}
	for range 1000 {
		l.Decision.EarlierBudgets = append(l.Decision.EarlierBudgets, strings.Repeat("b", 64))
	}
	for range 70 {
		a.Lines = append(a.Lines, l)
	}
}

// bare hashes a record as it is.
func (*spoiled) bare(l *budgetv1.BudgetLine) {
	raw, _ := json.Marshal(l.GetProduct())
	sum := sha256.Sum256(raw)
	for _, p := range l.GetProvenance() {
		p.Sha256 = sum[:]
	}
}
