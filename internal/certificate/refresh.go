package certificate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// When lists that are published at a URL are fetched again.
const (
	fetchTimeout = 10 * time.Second
	fetchAgain   = time.Minute // after one that failed, and at the least
	fetchEvery   = time.Hour   // at the most: whoever is revoked in between is believed so long
)

// source is where a list comes from, and what came of it.
type source struct {
	where   string
	list    *list       // in use; nil: none yet
	file    os.FileInfo // of the file when it was last read
	due     time.Time   // when a URL is to be fetched
	saved   bool        // the list in use is in the cache
	problem error       // of the last time; nil: none
	warned  *list       // whose end was warned of
}

func (s *source) fetched() bool {
	return strings.HasPrefix(s.where, "http://") || strings.HasPrefix(s.where, "https://")
}

// cached is the file in which a list from a URL outlives the process; empty: none.
func (s *source) cached(folder string) string {
	if folder == "" || !s.fetched() {
		return ""
	}
	name := sha256.Sum256([]byte(s.where))
	return filepath.Join(folder, hex.EncodeToString(name[:])+".crl")
}

// openLists reads the lists for the first time: files, then what the cache has, then the
// URLs of which it has none. A file must be in order; a URL may come later.
func (h *Holder) openLists() error {
	if len(h.rules.Lists) > maxLists {
		return fmt.Errorf("%w: more than %d of them", ErrList, maxLists)
	}
	now := h.rules.clock()
	for _, where := range h.rules.Lists {
		s := &source{where: where}
		if path := s.cached(h.rules.Cache); path != "" {
			if raw, err := readAtMost(path, maxList); err == nil && h.take(s, raw, now) == nil {
				s.saved = true
			}
		}
		h.sources = append(h.sources, s)
	}
	ctx, stop := context.WithTimeout(context.Background(), fetchTimeout)
	defer stop()
	if err := h.refresh(ctx, func(s *source) bool { return s.list == nil && !(h.rules.Offline && s.fetched()) }); err != nil {
		h.rules.warn("revocation lists", "error", err.Error())
	}
	for _, s := range h.sources {
		if !s.fetched() && s.problem != nil {
			return s.problem
		}
	}
	return nil
}

// Refresh takes over lists that are new: files that were replaced, and URLs whose time
// has come. What cannot be used is an error, and the list that was in use stays.
func (h *Holder) Refresh(ctx context.Context) error {
	return h.refresh(ctx, func(*source) bool { return true })
}

func (h *Holder) refresh(ctx context.Context, which func(*source) bool) error {
	h.refreshing.Lock()
	defer h.refreshing.Unlock()
	type answer struct {
		raw []byte // nil: nothing new
		err error
	}
	answers := make([]answer, len(h.sources))
	now := h.rules.clock()
	var wait sync.WaitGroup
	for i, s := range h.sources {
		if which(s) {
			wait.Go(func() { answers[i].raw, answers[i].err = s.read(ctx, now) })
		}
	}
	wait.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []error
	for i, s := range h.sources {
		a := answers[i]
		switch {
		case a.err != nil:
			s.problem = a.err
		case a.raw != nil:
			s.problem = h.take(s, a.raw, now)
		}
		h.plan(s, a.raw != nil || a.err != nil, now)
		all = append(all, s.problem)
	}
	h.useLists(now)
	return errors.Join(all...)
}

// read gives what is there now; nil when there is nothing new to read. Errors: ErrList,
// worded the same for as long as the fault lasts.
func (s *source) read(ctx context.Context, now time.Time) ([]byte, error) {
	if s.fetched() {
		if now.Before(s.due) {
			return nil, nil
		}
		return fetch(ctx, s.where)
	}
	info, err := os.Stat(s.where)
	if err == nil && s.problem == nil && s.file != nil && os.SameFile(info, s.file) && info.ModTime().Equal(s.file.ModTime()) && info.Size() == s.file.Size() {
		return nil, nil
	}
	raw, err := readAtMost(s.where, maxList)
	if err != nil {
		s.file = nil
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	s.file = info
	return raw, nil
}

// plan says when a URL is fetched again: well before its list ends.
func (h *Holder) plan(s *source, tried bool, now time.Time) {
	if !s.fetched() || !tried {
		return
	}
	wait := fetchAgain
	if s.problem == nil && s.list != nil && s.list.authority() != nil {
		wait = max(fetchAgain, min(fetchEvery, s.list.signed.NextUpdate.Sub(now)/2))
		if path := s.cached(h.rules.Cache); path != "" && !s.saved {
			s.saved = keep(path, s.list.raw) == nil
		}
	}
	s.due = now.Add(wait)
}

// take puts a list in use, when it may follow the one that is. One whose authority has
// not been met yet waits for a chain that shows it; until then nothing rests on it.
func (h *Holder) take(s *source, raw []byte, now time.Time) error {
	if s.list != nil && s.list.digest == sha256.Sum256(raw) {
		return nil
	}
	refused := func(why string) error { return fmt.Errorf("%w: %s: %s", ErrList, s.where, why) }
	next, err := parseList(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", s.where, err)
	}
	if next.signed.ThisUpdate.After(now.Add(listSkew)) {
		return refused("it is of a time to come")
	}
	var old *list
	if s.list != nil && s.list.authority() != nil {
		old = s.list
	}
	switch named, proved := h.provenBy(next); {
	case named && !proved:
		return refused("its signature is not that of its authority")
	case !named && old != nil:
		return refused("it is of an authority that is not known")
	case old != nil && string(old.signed.RawIssuer) == string(next.signed.RawIssuer) && !next.follows(old):
		return refused("it is older than the one in use")
	}
	s.list, s.saved = next, false
	return nil
}

// provenBy holds a list against every authority that is known: those of the CA file, of our
// own chain, and of the lists that are in use.
func (h *Holder) provenBy(l *list) (named, proved bool) {
	known := h.live.Load().authorities()
	for _, s := range h.sources {
		if s.list != nil && s.list.authority() != nil {
			known = append(known, s.list.authority())
		}
	}
	for _, a := range known {
		named = named || string(a.RawSubject) == string(l.signed.RawIssuer)
		proved = proved || l.proves(a)
	}
	return named, proved
}

// useLists makes a state of the lists that are in use, when one of them is new: whoever was
// found good before is held against them at the next call.
func (h *Holder) useLists(now time.Time) {
	live := h.live.Load()
	lists, changed := make([]*list, len(h.sources)), len(live.lists) != len(h.sources)
	for i, s := range h.sources {
		lists[i] = s.list
		changed = changed || live.lists[i] != s.list
		h.warnOfEnd(s, now)
	}
	if !changed {
		return
	}
	next := live.with(lists, live.parties)
	h.live.Store(next)
	if chains, err := next.chains(next.chain, now, "", bothUses...); err == nil {
		if _, err := next.longest(chains, now); errors.Is(err, ErrRevoked) {
			h.rules.warn("our own certificate is on a revocation list")
		}
	}
}

// warnOfEnd warns once of a list of which three quarters have passed, and nothing newer
// was taken.
func (h *Holder) warnOfEnd(s *source, now time.Time) {
	if s.list == nil || s.warned == s.list {
		return
	}
	from, until := s.list.signed.ThisUpdate, s.list.signed.NextUpdate
	if left := until.Sub(now); left < until.Sub(from)/4 {
		s.warned = s.list
		h.rules.warn("a revocation list nears its next update", "list", s.where, "next_update", until.UTC().Format(time.RFC3339), "then_accepted", h.rules.AcceptOld)
	}
}

// keep writes a list to the cache, whole or not at all.
func keep(path string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".crl-*")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// fetcher follows a redirect to the same host only: the operator named that one.
var fetcher = &http.Client{
	Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
	CheckRedirect: func(next *http.Request, before []*http.Request) error {
		if len(before) > 3 || next.URL.Hostname() != before[0].URL.Hostname() {
			return errElsewhere
		}
		return nil
	},
}

var errElsewhere = errors.New("it refers to another place")

// fetch gets a list over HTTP. Plain http will do: a list is signed.
func fetch(ctx context.Context, where string) ([]byte, error) {
	failed := func(why string) ([]byte, error) { return nil, fmt.Errorf("%w: %s: %s", ErrList, where, why) }
	ctx, stop := context.WithTimeout(ctx, fetchTimeout)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return failed("no URL")
	}
	answer, err := fetcher.Do(request)
	if err != nil {
		return failed(unreachable(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return failed(fmt.Sprintf("the answer has status %d", answer.StatusCode))
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxList+1))
	switch {
	case err != nil:
		return failed(unreachable(err))
	case len(raw) > maxList:
		return failed("larger than 10 MiB")
	}
	return raw, nil
}

// unreachable words a fault without ports and addresses, which would differ each time.
func unreachable(err error) string {
	var network net.Error
	var system syscall.Errno
	var name *net.DNSError
	switch {
	case errors.Is(err, errElsewhere):
		return errElsewhere.Error()
	case errors.As(err, &name):
		return "its host is not known"
	case errors.As(err, &network) && network.Timeout():
		return "no answer in time"
	case errors.As(err, &system):
		return system.Error()
	}
	return "the answer cannot be read"
}
