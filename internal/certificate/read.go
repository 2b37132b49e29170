package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// Bounds on what is read.
const (
	maxFile        = 1 << 20
	maxChain       = 10
	maxAuthorities = 256
)

// contents are the bytes of the three files.
type contents struct{ certificate, key, ca []byte }

// state is one reading of the files, found in order.
type state struct {
	digest [sha256.Size]byte
	pair   tls.Certificate
	chain  []*x509.Certificate // of the pair, leaf first
	span   span                // within which the chain holds
	roots  *x509.CertPool
	cas    []*x509.Certificate // the same as roots
	names  []Authority
	server *tls.Config
	rules  Rules
	weak   *weakKeys
	lists  []*list // those in use, nil where there is none yet

	parties Parties        // with authorities of their own
	known   *x509.CertPool // roots and all of theirs

	mu   sync.RWMutex
	seen map[string]span // by the DER of a leaf: until when a chain of it holds
}

func (f Files) read() (c contents, err error) {
	if c.certificate, err = readFile(f.Certificate); err != nil {
		return c, err
	}
	if c.key, err = readFile(f.Key); err != nil {
		return c, err
	}
	c.ca, err = readFile(f.CA)
	return c, err
}

func readFile(path string) ([]byte, error) {
	data, err := readAtMost(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return data, nil
}

// readAtMost reads a file of at most so many bytes. Its errors name the path.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s: larger than %d MiB", path, most>>20)
	}
	return data, nil
}

// digest is over the digests, so that bytes cannot move from one file to the next.
func (c contents) digest() [sha256.Size]byte {
	var all []byte
	for _, data := range [][]byte{c.certificate, c.key, c.ca} {
		sum := sha256.Sum256(data)
		all = append(all, sum[:]...)
	}
	return sha256.Sum256(all)
}

// state validates the contents whole. The files are only named in its errors.
func (h *Holder) state(c contents) (*state, error) {
	f, now := h.files, h.rules.clock()
	s := &state{digest: c.digest(), roots: x509.NewCertPool(), rules: h.rules, weak: h.weak, seen: map[string]span{}}
	var err error
	if err = s.believe(c.ca); err != nil {
		return nil, fmt.Errorf("%s: %w", f.CA, err)
	}
	if s.chain, err = certificates(c.certificate, maxChain); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Certificate, err)
	}
	if s.pair, err = tls.X509KeyPair(c.certificate, c.key); err != nil {
		return nil, fmt.Errorf("%s: %w: no private key that fits %s", f.Key, ErrFile, f.Certificate)
	}
	// Which of the two uses the leaf is for shows in State; the peer sees to it.
	// Whether it was revoked is for them too.
	chains, err := s.chains(s.chain, now, "", bothUses...)
	if err == nil {
		s.span, err = s.longest(chains, now)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Certificate, err)
	}
	if oin, err := Peer(s.chain[0]); h.own != "" && (err != nil || oin != h.own) {
		return nil, fmt.Errorf("%s: %w", f.Certificate, ErrIdentity)
	}
	s.known = s.roots
	s.server = s.serverConfig()
	return s, nil
}

// authorities are those whose certificates are in our files, and those of single organisations.
func (s *state) authorities() []*x509.Certificate {
	all := append(slices.Clone(s.cas), s.chain[1:]...)
	for _, p := range s.parties {
		all = append(all, p.all...)
	}
	return all
}

// believe takes the authorities. One that has expired is taken as well: it proves
// nothing any more, and must not keep its successor from being read.
func (s *state) believe(data []byte) error {
	all, err := certificates(data, maxAuthorities)
	if err != nil {
		return err
	}
	for i, c := range all {
		signs := c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0
		if !c.BasicConstraintsValid || !c.IsCA || !signs {
			return fmt.Errorf("%w: certificate %d is not an authority's", ErrFile, i+1)
		}
		if !s.strong(c.PublicKey) {
			return fmt.Errorf("%w: certificate %d has a weak key", ErrFile, i+1)
		}
		s.roots.AddCert(c)
		s.cas = append(s.cas, c)
		s.names = append(s.names, Authority{c.Subject.String(), c.NotAfter})
	}
	return nil
}

// certificates reads at least one and at most most CERTIFICATE blocks and nothing
// else; text between them is allowed. The PEM decoder passes over a block that is
// damaged or cut short: it is found by the dashes it leaves, four runs per block
// (RFC 7468 section 3).
func certificates(data []byte, most int) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	dashes := bytes.Count(data, []byte("-----"))
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if len(all) == most {
			return nil, fmt.Errorf("%w: more than %d certificates", ErrFile, most)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, fmt.Errorf("%w: PEM block %d is not a certificate", ErrFile, len(all)+1)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no certificate in it", ErrFile)
	}
	if dashes != 4*len(all) {
		return nil, fmt.Errorf("%w: a PEM block is damaged or not written to its end", ErrFile)
	}
	return all, nil
}
