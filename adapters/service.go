package adapters

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// longestFetch is how long a source may take when the caller set no deadline.
const longestFetch = 10 * time.Second

// Service is the adapter service around one Adapter.
type Service struct {
	adapterv1.UnimplementedAdapterServiceServer
	adapter Adapter
	key     atomic.Pointer[[]byte] // record key; nil before the first Configure
	warm    sync.Once
}

// NewService gives the service that Serve serves. Tests call it without a process.
func NewService(a Adapter) *Service { return &Service{adapter: a} }

// Describe implements the adapter service.
func (s *Service) Describe(context.Context, *adapterv1.DescribeRequest) (*adapterv1.DescribeResponse, error) {
	return s.adapter.Describe(), nil
}

// Configure takes the whole configuration, or answers what is wrong with it.
func (s *Service) Configure(ctx context.Context, r *adapterv1.ConfigureRequest) (*adapterv1.ConfigureResponse, error) {
	c := NewConfig(r.GetConfig(), r.GetSecrets())
	key, err := hex.DecodeString(c.Secret("record_key").Reveal())
	if err != nil || len(key) != 32 {
		return findings(&ConfigError{
			Path: "secrets.record_key", NL: "32 bytes hexadecimaal nodig", EN: "32 bytes in hexadecimal are needed",
		}), nil
	}
	if err := s.adapter.Configure(ctx, c); err != nil {
		return findings(err), nil
	}
	s.key.Store(&key)
	s.warm.Do(func() { go compile() })
	return &adapterv1.ConfigureResponse{}, nil
}

// compile has the rules of the messages ready before the first request, which
// would otherwise wait some 20 ms for them.
func compile() {
	_ = protovalidate.Validate(&budgetv1.FetchRequest{}) // refused, of course
	_ = protovalidate.Validate(&budgetv1.BudgetLine{})
	_ = protovalidate.Validate(&budgetv1.Spend{})
	_ = protovalidate.Validate(&budgetv1.OwnContribution{})
}

func findings(err error) *adapterv1.ConfigureResponse {
	var at *ConfigError
	if !errors.As(err, &at) { // its text is not ours to pass on
		at = &ConfigError{Path: ".", NL: "de configuratie is niet bruikbaar", EN: "the configuration cannot be used"}
	}
	return &adapterv1.ConfigureResponse{Findings: []*adapterv1.ConfigFinding{
		{Path: at.Path, TextNl: at.NL, TextEn: at.EN},
	}}
}

// Fetch asks the adapter about one person and shapes what it wrote.
func (s *Service) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	key := s.key.Load()
	if key == nil {
		return nil, NotConfigured()
	}
	what := s.adapter.Describe()
	if err := check(r, what); err != nil {
		return nil, err
	}
	ctx, cancel := shave(ctx)
	defer cancel()
	out, err := NewWriter(r, Origin{Adapter: what.GetId(), Version: what.GetVersion(), Key: *key})
	if err != nil {
		return nil, err
	}
	if err := s.adapter.Fetch(ctx, r, out); err != nil {
		return nil, public(err)
	}
	return out.Response()
}

func check(r *budgetv1.FetchRequest, what *adapterv1.DescribeResponse) error {
	if err := protovalidate.Validate(r); err != nil {
		return ScopeUnsupported(budgetv1.FieldPath(err))
	}
	for i, scope := range r.GetScopes() {
		if !slices.Contains(what.GetLaws(), scope.GetLaw()) {
			return ScopeUnsupported("scopes[" + strconv.Itoa(i) + "].law")
		}
	}
	if path := undeclared(r, what); path != "" {
		return ScopeUnsupported(path)
	}
	return nil
}

// shave keeps some of the caller's time for the answer that the source was late: a
// tenth of what is left, at most 100 ms.
func shave(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, longestFetch)
	}
	left := time.Until(deadline)
	return context.WithTimeout(ctx, min(left-min(left/10, 100*time.Millisecond), longestFetch))
}
