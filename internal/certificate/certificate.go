// Package certificate answers: which certificate do we show, and whom do we
// believe, right now? An operator replaces the files while the gateway runs; a
// new state is validated whole and then taken over at once, without a restart.
//
// An authority is changed in three steps, at every party the same: announce (both
// authorities in the file), use (a leaf of the new one), retire (the old one out).
// Wait between use and retire for as long as a connection may live: a connection
// shows the certificate it began with, and Check refuses it once its authority is
// out. Replace a file by renaming a whole one over it.
package certificate

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
)

// Errors of this room. They name a path at most, never what a file or a
// certificate holds.
var (
	ErrFile             = errors.New("the file cannot be used")
	ErrExpired          = errors.New("a certificate is outside its period of validity")
	ErrUnknownAuthority = errors.New("no chain to an authority that we believe")
	ErrUnfit            = errors.New("the certificate is not fit for this use")
	ErrIdentity         = errors.New("no single OIN in Subject.serialNumber, or that of another organisation")
)

// Files are paths of PEM files of at most 1 MiB each. Every one is required.
type Files struct {
	Certificate string // our leaf first, then its intermediates
	Key         string // the leaf's private key
	CA          string // the authorities that we believe, of our peers and of ourselves
}

// Holder holds what the files said when they were last in order. It is safe for
// concurrent use; a state once read is never changed, only replaced.
type Holder struct {
	files Files
	own   identity.OIN
	mu    sync.Mutex // one Reload at a time, so that an older state never replaces a newer
	live  atomic.Pointer[state]

	parties Parties // guarded by mu
}

// Open reads and validates the files. The leaf must carry the OIN own; an empty
// own asks for none. Errors wrap a sentinel of this room and name the file.
func Open(f Files, own identity.OIN) (*Holder, error) {
	h := &Holder{files: f, own: own}
	if _, err := h.Reload(); err != nil {
		return nil, err
	}
	return h, nil
}

// Reload takes over files that have changed, by digest. On any error the state
// that was in use stays in use: a certificate whose key has not been replaced yet
// is such an error, and the next Reload heals it.
func (h *Holder) Reload() (changed bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, err := h.files.read()
	if err != nil {
		return false, err
	}
	if live := h.live.Load(); live != nil && live.digest == c.digest() {
		return false, nil
	}
	next, err := c.state(h.files, h.own, time.Now())
	if err != nil {
		return false, err
	}
	h.live.Store(next.with(h.parties))
	return true, nil
}

// Watch reloads at every interval, which must be positive, until ctx ends. It
// reports an error once for as long as it lasts, and nil when what the files say is
// in use: after a change, and after an error.
func (h *Holder) Watch(ctx context.Context, every time.Duration, report func(error)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	reported := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		changed, err := h.Reload()
		switch {
		case err != nil && err.Error() != reported:
			reported = err.Error()
			report(err)
		case err == nil && (changed || reported != ""):
			reported = ""
			report(nil)
		}
	}
}

// State is what is in use, for people. It holds no secret.
type State struct {
	Subject, Issuer     string       // distinguished names in the form of RFC 2253
	OIN                 identity.OIN // empty: the leaf has none
	NotBefore, NotAfter time.Time    // of the leaf
	Until               time.Time    // first end in its chain, an intermediate's may come before NotAfter
	Server, Client      bool         // what the leaf may be used for (extended key usage)
	Fingerprint         string       // x5t#S256: SHA-256 of the DER, base64url (RFC 8705 section 3.1)
	Authorities         []Authority
}

// Authority is one that we believe, until it expires.
type Authority struct {
	Name     string // distinguished name
	NotAfter time.Time
}

// State is what is in use now.
func (h *Holder) State() State {
	s := h.live.Load()
	leaf := s.pair.Leaf
	oin, _ := Peer(leaf) // without own, a leaf may have none
	sum := sha256.Sum256(leaf.Raw)
	may := func(u x509.ExtKeyUsage) bool {
		_, err := s.verify(s.chain, s.span.from, "", u)
		return err == nil
	}
	return State{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), OIN: oin,
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Until: s.span.until,
		Server: may(x509.ExtKeyUsageServerAuth), Client: may(x509.ExtKeyUsageClientAuth),
		Fingerprint: base64.RawURLEncoding.EncodeToString(sum[:]),
		Authorities: slices.Clone(s.names),
	}
}
