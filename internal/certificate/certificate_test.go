package certificate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStateIsWhatIsInUse(t *testing.T) {
	a, old := root(t, "New CA"), root(t, "Old CA", expired)
	soon := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(2 * time.Hour) }
	leaf := a.under(t, "Issuing CA", soon).leaf(t, ours, clientOnly)
	h, err := Open(newFiles(t, leaf, a, old), ours, Rules{})
	require.NoError(t, err)
	sum := sha256.Sum256(leaf.cert.Raw)
	require.Equal(t, State{
		Subject: "SERIALNUMBER=00000099000000119000,CN=localhost,O=Gemeente Meerstad", Issuer: "CN=Issuing CA", OIN: ours,
		NotBefore: leaf.cert.NotBefore, NotAfter: leaf.cert.NotAfter, Until: h.live.Load().chain[1].NotAfter,
		Client: true, Fingerprint: base64.RawURLEncoding.EncodeToString(sum[:]),
		Authorities: []Authority{{"CN=New CA", a.cert.NotAfter}, {"CN=Old CA", old.cert.NotAfter}},
	}, h.State())
	require.True(t, h.State().Until.Before(h.State().NotAfter), "the intermediate ends before the leaf")
}

// Each case spoils files that are in order, and is refused by Open, and by Reload
// with the old state kept.
func TestFilesThatAreRefused(t *testing.T) {
	a, other := root(t, "CA"), root(t, "Other CA")
	good := a.leaf(t, ours)
	put := func(path *string, data []byte) func(*Files) {
		return func(f *Files) { replace(t, *path, data) }
	}
	var f Files
	show := func(leaf issued) func(*Files) { return func(f *Files) { f.show(t, leaf) } }
	weak := rsaKey(t, 1024)
	two := asPEM(a.cert, other.cert)
	cases := map[string]struct {
		spoil func(*Files)
		err   error
		path  *string
	}{
		"no certificate file":                  {func(f *Files) { require.NoError(t, os.Remove(f.Certificate)) }, ErrFile, &f.Certificate},
		"no key file":                          {func(f *Files) { require.NoError(t, os.Remove(f.Key)) }, ErrFile, &f.Key},
		"no CA file":                           {func(f *Files) { require.NoError(t, os.Remove(f.CA)) }, ErrFile, &f.CA},
		"too large":                            {put(&f.CA, append(asPEM(a.cert), slices.Repeat([]byte{'\n'}, maxFile)...)), ErrFile, &f.CA},
		"no certificate in it":                 {put(&f.Certificate, []byte("nothing")), ErrFile, &f.Certificate},
		"an empty CA file":                     {put(&f.CA, nil), ErrFile, &f.CA},
		"a CA file cut short":                  {put(&f.CA, two[:len(two)-40]), ErrFile, &f.CA},
		"a CA file with a damaged block":       {put(&f.CA, slices.Concat(asPEM(a.cert)[:60], []byte("\x00"), two[60:])), ErrFile, &f.CA},
		"a key among the authorities":          {put(&f.CA, slices.Concat(two, a.keyPEM(t))), ErrFile, &f.CA},
		"a leaf among the authorities":         {put(&f.CA, slices.Concat(two, good.chainPEM())), ErrFile, &f.CA},
		"a CA that may not sign certificates":  {func(f *Files) { f.believe(t, a, root(t, "CRL CA", crlOnly)) }, ErrFile, &f.CA},
		"an end among the authorities":         {func(f *Files) { f.believe(t, a, root(t, "No CA", noCA)) }, ErrFile, &f.CA},
		"a block of another type":              {put(&f.CA, bytes.ReplaceAll(two, []byte("CERTIFICATE"), []byte("TRUSTED CERTIFICATE"))), ErrFile, &f.CA},
		"a CA with a weak key":                 {func(f *Files) { f.believe(t, a, issue(t, authority("Weak CA"), nil, weak, nil)) }, ErrFile, &f.CA},
		"too many authorities":                 {put(&f.CA, slices.Repeat(asPEM(a.cert), maxAuthorities+1)), ErrFile, &f.CA},
		"too long a chain":                     {put(&f.Certificate, slices.Repeat(good.chainPEM(), maxChain+1)), ErrFile, &f.Certificate},
		"a certificate whose key is not there": {put(&f.Certificate, a.leaf(t, ours).chainPEM()), ErrFile, &f.Key},
		"a key that cannot be read":            {put(&f.Key, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")), ErrFile, &f.Key},
		"a leaf that has expired":              {show(a.leaf(t, ours, expired)), ErrExpired, &f.Certificate},
		"a leaf that is not valid yet":         {show(a.leaf(t, ours, notYet)), ErrExpired, &f.Certificate},
		"an intermediate that has expired":     {show(a.under(t, "Mid", expired).leaf(t, ours)), ErrExpired, &f.Certificate},
		"a leaf of an unknown authority":       {show(other.leaf(t, ours)), ErrUnknownAuthority, &f.Certificate},
		"a leaf whose CA has expired":          {expiredAuthority(t), ErrExpired, &f.Certificate},
		"a leaf with a weak key":               {show(a.leafWith(t, weak, ours)), ErrUnfit, &f.Certificate},
		"a leaf for signing code":              {show(a.leaf(t, ours, codeOnly)), ErrUnfit, &f.Certificate},
		"a leaf that may not sign handshakes":  {show(a.leaf(t, ours, encipherOnly)), ErrUnfit, &f.Certificate},
		"names that the CA may not give":       {show(a.under(t, "Mid", onlyFor("example.nl")).leaf(t, ours)), ErrUnfit, &f.Certificate},
		"an authority shown as a leaf":         {show(a), ErrUnfit, &f.Certificate},
		"the OIN of another":                   {show(a.leaf(t, theirs)), ErrIdentity, &f.Certificate},
		"no OIN":                               {show(a.leaf(t, "")), ErrIdentity, &f.Certificate},
		"a malformed OIN":                      {show(a.leaf(t, "12345")), ErrIdentity, &f.Certificate},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f = newFiles(t, good, a)
			h, err := Open(f, ours, Rules{})
			require.NoError(t, err)
			before := h.State()
			c.spoil(&f)
			changed, err := h.Reload()
			require.ErrorIs(t, err, c.err)
			require.ErrorContains(t, err, *c.path)
			require.NotContains(t, err.Error(), "Meerstad")
			require.NotContains(t, err.Error(), "0000009")
			require.False(t, changed)
			require.Equal(t, before, h.State())
			_, again := Open(f, ours, Rules{})
			require.EqualError(t, again, err.Error())
		})
	}
}

func TestFilesThatAreTaken(t *testing.T) {
	a := root(t, "CA")
	good := a.under(t, "Mid").under(t, "Issuing").leaf(t, ours)
	f := newFiles(t, good, a)
	replace(t, f.CA, slices.Concat([]byte("# the CA of the pilot\nsubject=CN = CA\n"), asPEM(a.cert)))
	h, err := Open(f, ours, Rules{})
	require.NoError(t, err)
	changed, err := h.Reload()
	require.NoError(t, err)
	require.False(t, changed, "the same bytes")
	f.show(t, a.leafWith(t, rsaKey(t, 2048), ours))
	changed, err = h.Reload()
	require.NoError(t, err)
	require.True(t, changed)
	f.show(t, a.leaf(t, theirs))
	_, err = Open(f, "", Rules{})
	require.NoError(t, err, "an empty own asks for no OIN")
}

// The clock of this test is synctest's: nothing here waits.
func TestWatchReportsEachThingOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := root(t, "CA")
		first, second := a.leaf(t, ours), a.leaf(t, ours)
		f := Files{filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "ca")}
		f.show(t, first)
		f.believe(t, a)
		h, err := Open(f, ours, Rules{})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		reports := make(chan string, 16)
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.Watch(ctx, time.Minute, func(err error) {
				if err == nil {
					err = errors.New("in use")
				}
				reports <- err.Error()
			})
		}()
		polls := func(n int) (all []string) { // what n polls report
			time.Sleep(time.Duration(n) * time.Minute)
			synctest.Wait()
			for len(reports) > 0 {
				all = append(all, <-reports)
			}
			return all
		}
		require.Empty(t, polls(3), "nothing changed")
		replace(t, f.Certificate, second.chainPEM())
		half := polls(3)
		require.Len(t, half, 1, "certificate replaced, key not yet: reported once")
		require.True(t, strings.HasPrefix(half[0], f.Key), half[0])
		require.Equal(t, first.cert, h.live.Load().pair.Leaf)
		replace(t, f.CA, nil)
		require.Len(t, polls(2), 1, "another error is reported")
		f.believe(t, a)
		require.Equal(t, half, polls(2), "and the first one again, now that it is back")
		replace(t, f.Key, second.keyPEM(t))
		require.Equal(t, []string{"in use"}, polls(3), "healed")
		require.Equal(t, second.cert, h.live.Load().pair.Leaf)
		require.NoError(t, os.Remove(f.Key))
		require.Len(t, polls(2), 1)
		replace(t, f.Key, second.keyPEM(t))
		require.Equal(t, []string{"in use"}, polls(2), "healed without a change")
		stop()
		<-done
	})
}

func noCA(c *x509.Certificate)         { c.IsCA = false }
func crlOnly(c *x509.Certificate)      { c.KeyUsage = x509.KeyUsageCRLSign }
func encipherOnly(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }
func codeOnly(c *x509.Certificate)     { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }

func expiredAuthority(t testing.TB) func(*Files) {
	return func(f *Files) {
		old := root(t, "Old CA", expired)
		f.show(t, old.leaf(t, ours))
		f.believe(t, old)
	}
}
