package csv

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/money"
)

// Settings are the configuration keys of this kind.
type Settings struct {
	Party       string      `json:"party"`
	SchemeCodes []string    `json:"scheme_codes"`
	Numbers     money.Style `json:"numbers"`
	// Folder in which the files are: of this machine, or of the SFTP server.
	Folder string `json:"folder"`
	// SFTPAddress (host:port), SFTPUser and SFTPHostKey (as in known_hosts, without the
	// name) of a server. Its secret is sftp_key, a private key in PEM, or sftp_password.
	SFTPAddress string `json:"sftp_address"`
	SFTPUser    string `json:"sftp_user"`
	SFTPHostKey string `json:"sftp_host_key"`
}

// Connect implements mapping.Plan.
func (p *plan) Connect(c adapters.Config) (mapping.Asking, error) {
	var s Settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	switch {
	case s.Party == "" || len(s.Party) > 32:
		return nil, &adapters.ConfigError{Path: "party", NL: "een code van 1 tot 32 tekens", EN: "a code of 1 to 32 characters is needed"}
	case s.Folder == "":
		return nil, &adapters.ConfigError{Path: "folder", NL: "de map met de bestanden is nodig", EN: "the folder of the files is needed"}
	case !s.Numbers.Known():
		return nil, &adapters.ConfigError{Path: "numbers", NL: "nl of point", EN: "nl or point"}
	}
	a := &asking{plan: p, settings: s, turn: make(chan struct{}, 1), at: local(s.Folder)}
	if s.SFTPAddress != "" {
		remote, err := s.remote(c)
		if err != nil {
			return nil, err
		}
		a.at = remote
	}
	return a, nil
}

// asking is a folder that was configured.
type asking struct {
	*plan
	settings Settings
	at       place
	turn     chan struct{} // holds one: whoever put it there makes the index
	current  atomic.Pointer[indexed]
}

// indexed is the index of one file.
type indexed struct {
	*index
	name string
	size int64
	mod  time.Time
}

func (x *indexed) of(f found) bool {
	return x != nil && x.name == f.name && x.size == f.info.Size() && x.mod.Equal(f.info.ModTime())
}

// Us implements mapping.Asking.
func (a *asking) Us() mapping.Us {
	return mapping.Us{Party: a.settings.Party, Codes: a.settings.SchemeCodes, Numbers: a.settings.Numbers}
}

// Ask implements mapping.Asking.
func (a *asking) Ask(ctx context.Context, q mapping.Question) (mapping.Answer, error) {
	dir, err := a.at.open(ctx)
	if err != nil {
		return mapping.Answer{}, fault(ctx, err)
	}
	defer dir.Close()
	for range 2 { // a file that is replaced while it is read is read anew
		answer, err := a.ask(ctx, dir, q)
		if !errors.Is(err, errChanged) {
			return answer, fault(ctx, err)
		}
	}
	return mapping.Answer{}, adapters.Unavailable()
}

func (a *asking) ask(ctx context.Context, dir folder, q mapping.Question) (mapping.Answer, error) {
	all, err := dir.List()
	if err != nil && !errors.Is(err, io.EOF) {
		return mapping.Answer{}, err
	}
	f, ok := a.newest(all, time.Now())
	if !ok {
		return mapping.Answer{}, adapters.Unavailable()
	}
	file, err := dir.Open(f.name)
	if err != nil {
		return mapping.Answer{}, err
	}
	defer file.Close()
	if f.info, err = file.Stat(); err != nil {
		return mapping.Answer{}, err
	}
	x, err := a.indexOf(ctx, dir, file, f)
	if err != nil {
		return mapping.Answer{}, err
	}
	list, err := a.rows(x.index, file, q.Person)
	if errors.Is(err, errChanged) {
		a.current.CompareAndSwap(x, nil)
	}
	return mapping.Answer{List: list, AsOf: f.day, Stale: a.stale > 0 && time.Since(f.day) > time.Duration(a.stale)*24*time.Hour}, err
}

// indexOf gives the index of a file: the one there is, or a new one, which one question at
// a time makes.
func (a *asking) indexOf(ctx context.Context, dir folder, file file, f found) (*indexed, error) {
	if x := a.current.Load(); x.of(f) {
		return x, nil
	}
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, adapters.Timeout()
	}
	if x := a.current.Load(); x.of(f) {
		return x, nil
	}
	made, err := a.index(during{ctx, file})
	if err != nil {
		return nil, err
	}
	if err := a.whole(dir, f.name, made.sum); err != nil {
		return nil, err
	}
	x := &indexed{made, f.name, f.info.Size(), f.info.ModTime()}
	a.current.Store(x)
	return x, nil
}

// whole holds a file against the checksum beside it.
func (a *asking) whole(dir folder, name string, sum [32]byte) error {
	if !a.checksum {
		return nil
	}
	beside, err := dir.Open(name + sidecar)
	if err != nil {
		return err
	}
	defer beside.Close()
	raw, err := io.ReadAll(io.LimitReader(beside, 1024))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(raw)), " ") // as sha256sum writes it
	if !strings.EqualFold(first, hex.EncodeToString(sum[:])) {
		return adapters.BadData("/sha256", "the SHA-256 that stands beside the file")
	}
	return nil
}

// during ends reading when the question has ended.
type during struct {
	ctx context.Context
	io.Reader
}

func (d during) Read(p []byte) (int, error) {
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	return d.Reader.Read(p)
}
