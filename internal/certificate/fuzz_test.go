package certificate

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// Whatever the files hold: no panic, an error that is ours and says nothing of the
// contents, or a state that is whole.
func FuzzFiles(f *testing.F) {
	a := root(f, "CA")
	leaf := a.under(f, "Mid").leaf(f, ours)
	cert, key, ca := leaf.chainPEM(), leaf.keyPEM(f), asPEM(a.cert)
	f.Add(cert, key, ca)
	f.Add(cert[:len(cert)-30], key, ca)
	f.Add(cert, key, slices.Concat([]byte("# text\r\n"), ca, ca[:50]))
	f.Add(cert, []byte("-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n"), ca)
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END CERTIFICATE-----"), key, []byte("----------"))
	f.Add([]byte{}, []byte{}, []byte{})
	names := Files{"<certificate>", "<key>", "<ca>"}
	now := time.Now()
	f.Fuzz(func(t *testing.T, cert, key, ca []byte) {
		h := &Holder{files: names, own: ours, rules: Rules{now: func() time.Time { return now }}, weak: &weakKeys{seen: map[[32]byte]bool{}}}
		s, err := h.state(contents{cert, key, ca})
		if err != nil {
			ours := []error{ErrFile, ErrExpired, ErrUnknownAuthority, ErrUnfit, ErrIdentity}
			if s != nil || !strings.HasPrefix(err.Error(), "<") || !slices.ContainsFunc(ours, func(e error) bool { return errors.Is(err, e) }) {
				t.Fatalf("not an error of this room: %v", err)
			}
			return
		}
		oin, err := Peer(s.pair.Leaf)
		if err != nil || oin != ours || len(s.names) == 0 || !s.span.holds(now) || s.server == nil {
			t.Fatal("a state that is not whole")
		}
	})
}

func FuzzCertificates(f *testing.F) {
	a := root(f, "CA")
	two := asPEM(a.cert, a.leaf(f, ours).cert)
	f.Add(two)
	f.Add(two[:len(two)-1])
	f.Add(two[:len(two)-10])
	f.Add(append([]byte("-----BEGIN X-----\n"), two...))
	f.Add(slices.Concat(two, a.keyPEM(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := certificates(data, 3)
		if err != nil {
			if all != nil || !errors.Is(err, ErrFile) {
				t.Fatalf("%d certificates and %v", len(all), err)
			}
			return
		}
		if len(all) == 0 || len(all) > 3 {
			t.Fatalf("%d certificates", len(all))
		}
		// What was read, written again, reads the same.
		again, err := certificates(asPEM(all...), 3)
		if err != nil || !slices.EqualFunc(all, again, func(x, y *x509.Certificate) bool { return x.Equal(y) }) {
			t.Fatal("not what was read")
		}
		for _, c := range all {
			_, _ = Peer(c)
		}
	})
}
