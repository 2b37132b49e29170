package adapters

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
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
	what    atomic.Pointer[adapterv1.DescribeResponse]
	key     atomic.Pointer[[]byte] // record key; nil before the first Configure
	warm    sync.Once
}

// NewService gives the service that Serve serves. Tests call it without a process.
func NewService(a Adapter) *Service {
	s := &Service{adapter: a}
	s.describe()
	return s
}

// describe has the adapter say what it is: at first, and when it was configured, for a
// generic adapter is what its configuration makes of it.
func (s *Service) describe() {
	what := s.adapter.Describe()
	what.Capabilities = []string{CapabilityProbe}
	if _, ok := s.adapter.(Validator); ok {
		what.Capabilities = append(what.Capabilities, CapabilityValidate)
	}
	s.what.Store(what)
}

// Describe implements the adapter service. What the adapter can do beside Fetch follows from
// its methods.
func (s *Service) Describe(context.Context, *adapterv1.DescribeRequest) (*adapterv1.DescribeResponse, error) {
	return s.what.Load(), nil
}

// Configure takes the whole configuration, or answers what is wrong with it.
func (s *Service) Configure(ctx context.Context, r *adapterv1.ConfigureRequest) (*adapterv1.ConfigureResponse, error) {
	c := NewConfig(r.GetConfig(), r.GetSecrets())
	key, err := s.admit(c)
	if err == nil {
		err = s.adapter.Configure(ctx, c)
	}
	if err != nil {
		return &adapterv1.ConfigureResponse{Findings: findings(err)}, nil
	}
	s.describe()
	s.key.Store(&key)
	s.warm.Do(func() { go compile() })
	return &adapterv1.ConfigureResponse{}, nil
}

// ValidateConfig answers what is wrong with a configuration; it takes nothing over.
func (s *Service) ValidateConfig(ctx context.Context, r *adapterv1.ValidateConfigRequest) (*adapterv1.ValidateConfigResponse, error) {
	validator, ok := s.adapter.(Validator)
	if !ok {
		return s.UnimplementedAdapterServiceServer.ValidateConfig(ctx, r)
	}
	c := NewConfig(r.GetConfig(), r.GetSecrets())
	_, err := s.admit(c)
	if err == nil {
		err = validator.Validate(ctx, c)
	}
	return &adapterv1.ValidateConfigResponse{Findings: findings(err)}, nil
}

// Probe asks the system about nobody who exists, for all that the adapter declares, and
// passes nothing of the answer on.
func (s *Service) Probe(ctx context.Context, _ *adapterv1.ProbeRequest) (*adapterv1.ProbeResponse, error) {
	today := time.Now().Format(time.DateOnly)
	_, err := s.Fetch(ctx, SyntheticRequest(s.what.Load(), "", &budgetv1.Window{From: today, To: today}))
	if err != nil && Reason(err) != ReasonSubjectNotFound {
		return nil, err
	}
	return &adapterv1.ProbeResponse{}, nil
}

// admit holds a configuration against what the adapter says it takes, and reads the key that
// is the kit's own.
func (s *Service) admit(c Config) (key []byte, err error) {
	what := s.what.Load()
	var all []error
	if err := conforms(c.JSON, what.GetConfigSchema()); err != nil {
		all = append(all, err)
	}
	for name := range c.secrets {
		if name != recordKey && len(what.GetConfigSchema()) > 0 && !slices.Contains(what.GetSecrets(), name) {
			all = append(all, &ConfigError{Path: "secrets." + cut(name, 64), NL: "onbekend geheim", EN: "unknown secret"})
		}
	}
	key, err = hex.DecodeString(strings.TrimSpace(c.Secret(recordKey).Reveal())) // openssl ends it with a newline
	if err != nil || len(key) != 32 {
		all = append(all, &ConfigError{
			Path: "secrets." + recordKey, NL: "32 bytes hexadecimaal nodig", EN: "32 bytes in hexadecimal are needed",
		})
	}
	return key, errors.Join(all...)
}

// recordKey is the secret that the kit itself takes: it salts the hashes of records.
const recordKey = "record_key"

// compile has the rules of the messages ready before the first request, which
// would otherwise wait some 20 ms for them.
func compile() {
	_ = protovalidate.Validate(&budgetv1.FetchRequest{}) // refused, of course
	_ = protovalidate.Validate(&budgetv1.BudgetLine{})
	_ = protovalidate.Validate(&budgetv1.Spend{})
	_ = protovalidate.Validate(&budgetv1.OwnContribution{})
}

// findings tells each of the errors that were joined, in order.
func findings(err error) (all []*adapterv1.ConfigFinding) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			all = append(all, findings(one)...)
		}
		return all
	}
	var at *ConfigError
	if !errors.As(err, &at) { // its text is not ours to pass on
		at = &ConfigError{Path: ".", NL: "de configuratie is niet bruikbaar", EN: "the configuration cannot be used"}
	}
	return []*adapterv1.ConfigFinding{{Path: at.Path, TextNl: at.NL, TextEn: at.EN}}
}

// Fetch asks the adapter about one person and shapes what it wrote.
func (s *Service) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	key := s.key.Load()
	if key == nil {
		return nil, NotConfigured()
	}
	what := s.what.Load()
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
	if kept, _ := budgetv1.Sound(r); !kept {
		if err := protovalidate.Validate(r); err != nil {
			return ScopeUnsupported(budgetv1.FieldPath(err))
		}
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
