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
	ErrRevoked          = errors.New("a certificate was revoked by its authority")
	ErrNoList           = errors.New("no revocation list of the certificate's authority that is in date")
	ErrList             = errors.New("a revocation list that cannot be used")
	ErrIdentity         = errors.New("no OIN in Subject.serialNumber or organizationIdentifier (OI:), more than one, or that of another organisation")
)

// Files are paths of PEM files of at most 1 MiB each. Every one is required.
type Files struct {
	Certificate string // our leaf first, then its intermediates
	Key         string // the leaf's private key
	CA          string // the authorities that we believe, of our peers and of ourselves
}

// Rules are what an operator may set. The zero value asks nothing more than the files.
type Rules struct {
	// MinRSABits is the size of the smallest RSA key that is taken, of anybody; 0 means 2048,
	// and less is never taken.
	MinRSABits int
	// Lists are certificate revocation lists, paths and http(s) URLs. When there is one, a leaf
	// counts only with a list of its authority that is in date.
	Lists []string
	// AcceptOld lets a leaf count when no list of its authority is in date or there at all.
	AcceptOld bool
	// Cache is a folder in which lists from URLs outlive the process; empty: memory only.
	Cache string
	// Offline leaves URLs alone: of them there is what the cache has.
	Offline bool
	// Warn is told what will need somebody's care, once for each thing; nil: nobody is.
	Warn func(message string, args ...any)

	now func() time.Time // of tests
}

func (r Rules) clock() time.Time {
	if r.now != nil {
		return r.now()
	}
	return time.Now()
}

func (r Rules) warn(message string, args ...any) {
	if r.Warn != nil {
		r.Warn(message, args...)
	}
}

// Holder holds what the files said when they were last in order. It is safe for
// concurrent use; a state once read is never changed, only replaced.
type Holder struct {
	files Files
	own   identity.OIN
	rules Rules
	weak  *weakKeys
	mu    sync.Mutex // one change at a time, so that an older state never replaces a newer
	live  atomic.Pointer[state]

	refreshing sync.Mutex // before mu: one look at the lists at a time
	sources    []*source

	parties Parties // guarded by mu
}

// Open reads and validates the files. The leaf must carry the OIN own; an empty
// own asks for none. Errors wrap a sentinel of this room and name the file. A revocation
// list that cannot be fetched is no error: whom it would speak of waits for it.
func Open(f Files, own identity.OIN, r Rules) (*Holder, error) {
	h := &Holder{files: f, own: own, rules: r, weak: &weakKeys{rules: r, seen: map[[sha256.Size]byte]bool{}}}
	if _, err := h.Reload(); err != nil {
		return nil, err
	}
	if err := h.openLists(); err != nil {
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
	live := h.live.Load()
	if live != nil && live.digest == c.digest() {
		return false, nil
	}
	next, err := h.state(c)
	if err != nil {
		return false, err
	}
	var lists []*list
	if live != nil {
		lists = live.lists
	}
	h.live.Store(next.with(lists, h.parties))
	return true, nil
}

// Watch reloads and refreshes at every interval, which must be positive, until ctx ends. It
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
		lists := h.live.Load().lists
		changed, err := h.Reload()
		err = errors.Join(err, h.Refresh(ctx))
		changed = changed || !slices.Equal(lists, h.live.Load().lists)
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
	Lists               []List
}

// Authority is one that we believe, until it expires.
type Authority struct {
	Name     string // distinguished name
	NotAfter time.Time
}

// List is a revocation list, as it is in use.
type List struct {
	Where                  string // path or URL
	Authority              string // distinguished name; empty: there is no list yet
	Number                 string // decimal; empty: it has none
	ThisUpdate, NextUpdate time.Time
	Revoked                int    // certificates on it
	Proven                 bool   // a certificate of its authority was met, and its signature holds
	Problem                string // of the last time that it was looked at; empty: none
}

// State is what is in use now.
func (h *Holder) State() State {
	s := h.live.Load()
	leaf := s.pair.Leaf
	oin, _ := Peer(leaf) // without own, a leaf may have none
	sum := sha256.Sum256(leaf.Raw)
	may := func(u x509.ExtKeyUsage) bool {
		_, err := s.chains(s.chain, s.span.from, "", u)
		return err == nil
	}
	return State{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), OIN: oin,
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Until: s.span.until,
		Server: may(x509.ExtKeyUsageServerAuth), Client: may(x509.ExtKeyUsageClientAuth),
		Fingerprint: base64.RawURLEncoding.EncodeToString(sum[:]),
		Authorities: slices.Clone(s.names), Lists: h.lists(),
	}
}

func (h *Holder) lists() (all []List) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sources {
		row := List{Where: s.where}
		if l := s.list; l != nil {
			row.Authority, row.ThisUpdate, row.NextUpdate = l.signed.Issuer.String(), l.signed.ThisUpdate, l.signed.NextUpdate
			row.Revoked, row.Proven = len(l.revoked), l.authority() != nil
			if l.signed.Number != nil {
				row.Number = l.signed.Number.String()
			}
		}
		if s.problem != nil {
			row.Problem = s.problem.Error()
		}
		all = append(all, row)
	}
	return all
}
