// Package adapters answers: how does an agency connect a system of its own? It
// is the kit that an agency's developer imports: one interface to write, one
// function to call from main. What every adapter must do alike (serving,
// minimising, merging, provenance, errors) is done here and nowhere else.
package adapters

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter is what the developer writes for one kind of system.
type Adapter interface {
	// Describe says what the adapter is. It needs no configuration, has no
	// effects, and always says the same.
	Describe() *adapterv1.DescribeResponse
	// Configure takes a whole configuration, or refuses it and keeps the one it
	// had. It is called again when the configuration changes, also during a Fetch.
	// A *ConfigError says which key is wrong.
	Configure(ctx context.Context, c Config) error
	// Fetch asks the system about one person and writes what it has to out: each
	// native record becomes a line or is skipped with a reason. A person the
	// system does not know is no error and gives no lines. It is called in
	// parallel, and must return soon after ctx ends. Errors are made with the
	// functions of this package (Unavailable, BadData, ...); any other error is
	// taken for a bug, and nothing of its text is passed on.
	Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *Writer) error
}

// Validator is an Adapter that can say what is wrong with a configuration without taking it
// over and without reaching a system. Its errors are those of Configure; several are joined
// with errors.Join.
type Validator interface {
	Validate(ctx context.Context, c Config) error
}

// Capabilities of an adapter: what it has beside Describe, Configure and Fetch.
const (
	CapabilityValidate = "validate"
	CapabilityProbe    = "probe"
)

// Config is the configuration given to an adapter.
type Config struct {
	// JSON is one object; at most 1 MiB.
	JSON    []byte
	secrets map[string]string
}

// NewConfig joins a configuration and its secrets. Tests use it; an adapter
// gets its Config from the host.
func NewConfig(raw []byte, secrets map[string]string) Config {
	return Config{JSON: raw, secrets: secrets}
}

// Decode reads the JSON into dst. Keys that dst does not have are refused, so
// that a typing mistake is found at start and not in an answer. An error is a
// *ConfigError.
func (c Config) Decode(dst any) error {
	d := json.NewDecoder(bytes.NewReader(c.JSON))
	d.DisallowUnknownFields()
	if err := d.Decode(dst); err != nil {
		return configError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &ConfigError{Path: ".", NL: "er staat iets achter het object", EN: "something follows the object"}
	}
	return nil
}

func configError(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return &ConfigError{Path: kind.Field, NL: "verkeerd soort waarde", EN: "wrong kind of value"}
	}
	// encoding/json has no type for this error; its text ends in the quoted key.
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &ConfigError{Path: strings.Trim(key, `"`), NL: "onbekende sleutel", EN: "unknown key"}
	}
	return &ConfigError{Path: ".", NL: "geen geldige JSON", EN: "no valid JSON"}
}

// Secret gives a secret by name; the zero Secret when there is none.
func (c Config) Secret(name string) Secret { return Secret{c.secrets[name]} }

// ConfigError says which key of a configuration is wrong. It never holds the value.
type ConfigError struct {
	Path   string // key, for example "url" or "secrets.tls_key"
	NL, EN string // what is wrong with it
}

// Error names the key and says in English what is wrong with it.
func (e *ConfigError) Error() string { return fmt.Sprintf("configuration %s: %s", e.Path, e.EN) }

// Secret prints as "***" in every way Go prints.
type Secret struct{ text string }

// Reveal gives the text.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s.text == "" }

const masked = "***"

// String implements fmt.Stringer: "***".
func (s Secret) String() string { return masked }

// GoString implements fmt.GoStringer, for %#v: "***".
func (s Secret) GoString() string { return masked }

// Format implements fmt.Formatter, for every verb: "***".
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalJSON implements json.Marshaler: the string "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// MarshalText implements encoding.TextMarshaler: "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// BSN is a burgerservicenummer: nine digits that pass the 11-check. It prints as "***"
// in every way Go prints; Reveal gives the digits, for the request to a source and for
// the check of whom an answer is about.
type BSN = identity.BSN

// TakeBSN takes the burgerservicenummer out of a request and clears it there, so that
// the request can be handled without carrying it along. The error is SCOPE_UNSUPPORTED
// at identifiers.bsn when there is none or it is not valid.
func TakeBSN(r *budgetv1.FetchRequest) (BSN, error) {
	bsn, err := identity.ParseBSN(r.GetIdentifiers().GetBsn())
	if err != nil {
		return BSN{}, ScopeUnsupported("identifiers.bsn")
	}
	r.Identifiers.Bsn = ""
	return bsn, nil
}

// Granted gives the categories that may be disclosed under a law; none when the law
// was not asked for.
func Granted(r *budgetv1.FetchRequest, law string) []budgetv1.Category {
	var granted []budgetv1.Category
	for _, scope := range r.GetScopes() {
		if scope.GetLaw() != law {
			continue
		}
		granted = slices.Grow(granted, len(scope.GetCategories()))
		for _, c := range scope.GetCategories() {
			granted = append(granted, budgetv1.Category(c))
		}
	}
	return granted
}

// Masks gives how much of the categories that may be disclosed under a law may be: those
// that are not among them may be whole.
func Masks(r *budgetv1.FetchRequest, law string) budgetv1.Masks {
	masks := budgetv1.Masks{}
	for _, scope := range r.GetScopes() {
		if scope.GetLaw() == law {
			masks.Narrow(scope)
		}
	}
	return masks
}

// Asked lists, in the order given, those of the laws that were asked for and of
// which it may be disclosed that there is something at all.
func Asked(r *budgetv1.FetchRequest, laws ...string) []string {
	return slices.DeleteFunc(slices.Clone(laws), func(law string) bool {
		return !slices.ContainsFunc(r.GetScopes(), func(s *budgetv1.Scope) bool {
			return s.GetLaw() == law && slices.Contains(s.GetCategories(), string(budgetv1.CategoryEntitlement))
		})
	})
}
