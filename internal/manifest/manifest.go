// Package manifest answers: which program of an agency may run here, and as what? Its
// manifest is a document that the agency signs and the operator of the gateway countersigns.
package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// Errors. None of them repeats what was in the document.
var (
	// ErrManifest: it is not signed by both, has ended, or says what may not be said.
	ErrManifest = errors.New("manifest does not count")
	// ErrProgram: the program is not the one of the manifest.
	ErrProgram = errors.New("program is not that of its manifest")
	// ErrOlder: a newer one of the same agency ran here before.
	ErrOlder = errors.New("manifest is older than one that ran here before")
)

// Manifest is what is signed: the claims of a signed.Manifest, times in seconds.
type Manifest struct {
	Issuer  identity.OIN `json:"iss"` // the agency
	Issued  int64        `json:"iat"`
	Expires int64        `json:"exp"`
	// The program: for which system (Go's GOOS and GOARCH), its size and SHA-256.
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// What it says of itself, which must be the same at every start.
	ID           string   `json:"id"`
	Version      string   `json:"version"`
	Protocol     int      `json:"protocol"`
	Laws         []string `json:"laws"`
	Categories   []string `json:"categories"`
	Identifiers  []string `json:"identifiers"`
	Capabilities []string `json:"capabilities"`
	Egress       []string `json:"egress"` // keys of its configuration
	Secrets      []string `json:"secrets"`
	Schema       string   `json:"schema_sha256"` // of its configuration; empty: none
	// What it wants to have beside that.
	Sandbox Sandbox `json:"sandbox"`
}

// Sandbox is what a program wants of the machine; zero is the usual.
type Sandbox struct {
	Read      []string `json:"read"` // files and folders, absolute
	MemoryMiB int      `json:"memory_mib"`
	Processes int      `json:"processes"`
}

// Protocol is the major version of ontschot.adapter.v1.
const Protocol = 1

// longest is how long a manifest may count, and skew how far clocks may be apart.
const (
	longest = 3 * 366 * 24 * time.Hour
	skew    = 30 * time.Second
)

// Of makes the manifest of a program from what it says of itself. Issuer, times and program
// are the caller's to fill in.
func Of(what *adapterv1.DescribeResponse) Manifest {
	return Manifest{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Protocol: Protocol, ID: what.GetId(), Version: what.GetVersion(),
		Laws: list(what.GetLaws()), Categories: list(what.GetCategories()), Identifiers: list(what.GetIdentifiers()),
		Capabilities: list(what.GetCapabilities()), Egress: list(what.GetEgress()), Secrets: list(what.GetSecrets()),
		Schema:  digest(what.GetConfigSchema()),
		Sandbox: Sandbox{Read: []string{}, MemoryMiB: int(what.GetLimits().GetMemoryMib())},
	}
}

// list is never null in JSON, and always in the same order.
func list(of []string) []string {
	all := append([]string{}, of...)
	slices.Sort(all)
	return all
}

func digest(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Sign signs it for the agency. Errors: ErrManifest.
func (m Manifest) Sign(by signed.Signer, now time.Time) ([]byte, error) {
	m.Issuer = by.Issuer
	if err := m.check(now); err != nil {
		return nil, err
	}
	return signed.Together(signed.Manifest, m, by)
}

// Offered reads one that its agency has signed; whether the operator has is not looked at.
// Errors: ErrManifest.
func Offered(v *signed.Verifier, raw []byte, operator identity.OIN, now time.Time) (Manifest, error) {
	return read(v.Some, raw, operator, now)
}

// Verify reads one that both have signed. Errors: ErrManifest.
func Verify(v *signed.Verifier, raw []byte, operator identity.OIN, now time.Time) (Manifest, error) {
	return read(v.All, raw, operator, now)
}

// Unverified reads one for whoever made it, whose signatures are not looked at: no program is
// started because of it. Errors: ErrManifest.
func Unverified(raw []byte, now time.Time) (Manifest, error) {
	var m Manifest
	if err := signed.Unverified(signed.Manifest, raw, &m); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return m, m.check(now)
}

func read(how func(signed.Kind, []byte, any, func() []identity.OIN) (signed.Verified, error), raw []byte, operator identity.OIN, now time.Time) (Manifest, error) {
	var m Manifest
	proof, err := how(signed.Manifest, raw, &m, func() []identity.OIN {
		if m.Issuer == operator { // its own program
			return []identity.OIN{operator}
		}
		return []identity.OIN{m.Issuer, operator}
	})
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if !slices.Contains(proof.SignedBy, m.Issuer) {
		return Manifest{}, fmt.Errorf("%w: its agency has not signed it", ErrManifest)
	}
	return m, m.check(now)
}

// check holds what it says against bounds: it is shown to people and becomes rights.
func (m Manifest) check(now time.Time) error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrManifest, what) }
	issued, expires := time.Unix(m.Issued, 0), time.Unix(m.Expires, 0)
	sum, err := hex.DecodeString(m.SHA256)
	switch {
	case !identity.IsOIN(m.Issuer):
		return bad("iss")
	case now.Add(skew).Before(issued):
		return bad("it is of a time that has not come")
	case !now.Before(expires):
		return bad("it has ended; ask the agency for a newer one")
	case expires.Sub(issued) > longest:
		return bad("it counts for longer than three years")
	case err != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != m.SHA256 || m.Size <= 0:
		return bad("sha256 and size")
	case m.Protocol != Protocol:
		return bad(fmt.Sprintf("protocol is %d here", Protocol))
	case !plain(m.ID) || !plain(m.Version) || !plain(m.OS) || !plain(m.Arch):
		return bad("id, version, os and arch")
	case m.Sandbox.MemoryMiB < 0 || m.Sandbox.MemoryMiB > 1<<16 || m.Sandbox.Processes < 0 || m.Sandbox.Processes > 1<<14:
		return bad("sandbox")
	}
	for name, all := range m.lists() {
		if len(all) > 64 || slices.ContainsFunc(all, func(s string) bool { return !plain(s) }) || !slices.IsSorted(all) {
			return bad(name)
		}
	}
	if slices.ContainsFunc(m.Sandbox.Read, func(p string) bool { return !filepath.IsAbs(p) || filepath.Clean(p) != p || p == "/" }) {
		return bad("sandbox.read")
	}
	return nil
}

func (m Manifest) lists() map[string][]string {
	return map[string][]string{
		"laws": m.Laws, "categories": m.Categories, "identifiers": m.Identifiers, "capabilities": m.Capabilities,
		"egress": m.Egress, "secrets": m.Secrets, "sandbox.read": m.Sandbox.Read,
	}
}

// plain texts are of printable ASCII and short: nothing that plays tricks on a screen.
func plain(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// Fits reports that a program is the one. Errors: ErrProgram.
func (m Manifest) Fits(size int64, sum string) error {
	switch {
	case m.OS != runtime.GOOS || m.Arch != runtime.GOARCH:
		return fmt.Errorf("%w: it is for %s/%s", ErrProgram, m.OS, m.Arch)
	case m.Size != size || m.SHA256 != sum:
		return fmt.Errorf("%w: its SHA-256 is %s; ask the agency for the manifest of this one", ErrProgram, sum)
	}
	return nil
}

// Differs names the field in which an adapter says of itself what the manifest does not; empty
// when it says the same.
func (m Manifest) Differs(what *adapterv1.DescribeResponse) string {
	is := Of(what)
	switch {
	case is.ID != m.ID:
		return "id"
	case is.Version != m.Version:
		return "version"
	case is.Schema != m.Schema:
		return "config_schema"
	}
	want, said := m.lists(), is.lists()
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if name != "sandbox.read" && !slices.Equal(said[name], want[name]) {
			return name
		}
	}
	return ""
}

// Describes reports that it says of itself what the manifest does. Errors: ErrProgram.
func (m Manifest) Describes(what *adapterv1.DescribeResponse) error {
	if field := m.Differs(what); field != "" {
		return fmt.Errorf("%w: what it says of itself: %s", ErrProgram, field)
	}
	return nil
}

// Takes reports that it is given no secret but those it declares. The record key is the
// gateway's own. Errors: ErrManifest.
func (m Manifest) Takes(secrets map[string]string) error {
	for name := range secrets {
		if name != "record_key" && !slices.Contains(m.Secrets, name) {
			return fmt.Errorf("%w: it takes no secret %q", ErrManifest, name)
		}
	}
	return nil
}
