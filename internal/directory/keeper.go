package directory

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/signed"
)

// staleAfter is how long a directory counts that cannot be read any more.
const staleAfter = 24 * time.Hour

// File is the last good directory, in the data folder.
const File = "directory.jwt"

// Keeper reads a directory and keeps the last good one, on disk too. It is safe for concurrent
// use.
type Keeper struct {
	by     Operator
	remote *signed.Remote // nil: a file
	path   string
	kept   string
	now    func() time.Time

	mu      sync.Mutex
	current *Directory
	read    time.Time // when current was last found where it is published
}

// Open reads what was kept, if there is any. Nothing is fetched. Errors: config.ErrConfig.
func Open(conf *config.Gateway, now func() time.Time) (*Keeper, error) {
	k, err := published(conf)
	if err != nil {
		return nil, err
	}
	k.kept, k.now = filepath.Join(conf.Path(conf.Data), File), now
	return k, k.recall()
}

// published knows where a directory is published, and its operator's keys.
func published(conf *config.Gateway) (*Keeper, error) {
	d := conf.Directory
	k := &Keeper{by: Operator{OIN: d.Operator}}
	for _, one := range d.Keys {
		key, err := ReadOperatorKey(one.ID, conf.Path(one.File))
		if err != nil {
			return nil, err
		}
		k.by.Keys = append(k.by.Keys, key)
	}
	if d.File != "" {
		k.path = conf.Path(d.File)
	} else {
		var err error
		if k.remote, err = remote(d, conf); err != nil {
			return nil, fmt.Errorf("%w: directory: %w", config.ErrConfig, err)
		}
	}
	return k, nil
}

func remote(d *config.Directory, conf *config.Gateway) (*signed.Remote, error) {
	roots := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.CA != "" {
		raw, err := config.ReadFile(conf.Path(d.CA))
		if err != nil {
			return nil, err
		}
		roots.RootCAs = x509.NewCertPool()
		if !roots.RootCAs.AppendCertsFromPEM(raw) {
			return nil, fmt.Errorf("%s: no certificate in it", d.CA)
		}
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: roots, DisableKeepAlives: true}}
	return signed.NewRemote(signed.Remote{URL: d.URL, Accept: "application/jwt", Most: signed.MaxDirectory, Client: client})
}

// recall takes up what was kept. What cannot be used of it is as if it were not there.
func (k *Keeper) recall() error {
	info, err := os.Stat(k.kept)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	raw, errRead := config.ReadFile(k.kept)
	if err := errors.Join(err, errRead); err != nil {
		return err
	}
	if d, err := Verify(bytes.TrimSpace(raw), k.by, k.now()); err == nil {
		k.current, k.read = d, info.ModTime()
		if k.read.After(k.now()) {
			k.read = time.Time{}
		}
	}
	return nil
}

// Current gives the directory that counts, nil when there is none, and whether it could be read
// within a day.
func (k *Keeper) Current() (d *Directory, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current, k.current != nil && k.now().Sub(k.read) < staleAfter
}

// Fetch reads the directory where it is published, and gives it when it may come after the
// current one. Errors: ErrDirectory, ErrVersion, those of reading.
func (k *Keeper) Fetch(ctx context.Context) (*Directory, error) {
	raw, err := k.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("the directory cannot be read: %w", err)
	}
	d, err := Verify(bytes.TrimSpace(raw), k.by, k.now())
	if err != nil {
		return nil, err
	}
	before, _ := k.Current()
	return d, d.follows(before)
}

func (k *Keeper) get(ctx context.Context) ([]byte, error) {
	if k.remote == nil {
		return config.ReadFile(k.path)
	}
	return k.remote.Get(ctx)
}

// Adopt has a directory count from now on, and keeps it; undo takes that back.
func (k *Keeper) Adopt(d *Directory) (undo func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, read := k.current, k.read
	k.current, k.read = d, k.now()
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.current, k.read = before, read
	}
}

// Keep writes the current directory to disk, with when it was read; none is no error.
func (k *Keeper) Keep() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current == nil {
		return nil
	}
	if err := os.WriteFile(k.kept+".new", k.current.raw, 0o600); err != nil {
		return err
	}
	return errors.Join(os.Chtimes(k.kept+".new", k.read, k.read), os.Rename(k.kept+".new", k.kept))
}

// Read reads a directory where it is published, and by what it is to be verified.
func Read(ctx context.Context, conf *config.Gateway, d config.Directory) ([]byte, Operator, error) {
	one := *conf
	one.Directory = &d
	k, err := published(&one)
	if err != nil {
		return nil, Operator{}, err
	}
	raw, err := k.get(ctx)
	return raw, k.by, err
}
