package certificate

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	require.NoError(t, err)
	return key
}

// handshake connects over loopback and passes one byte each way. It gives what
// each end says of it; io.EOF and resets are the other end's refusal.
func handshake(t testing.TB, server, client *tls.Config) (state tls.ConnectionState, atServer, atClient error) {
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	require.NoError(t, err)
	defer l.Close()
	refusal := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
			if _, err = io.ReadFull(conn, make([]byte, 1)); err == nil {
				_, err = conn.Write([]byte{1})
			}
		}
		refusal <- err
	}()
	conn, atClient := tls.Dial("tcp", l.Addr().String(), client)
	if atClient == nil {
		defer conn.Close()
		state = conn.ConnectionState()
		_, _ = conn.Write([]byte{1}) // a refusal shows in the read
		_, atClient = io.ReadFull(conn, make([]byte, 1))
	}
	return state, <-refusal, atClient
}

// A peer with each of these certificates meets us at our listener, at our dialling
// and, without a look at the use, in Check.
func TestPeers(t *testing.T) {
	a, other := root(t, "CA"), root(t, "Other CA")
	h := open(t, newFiles(t, a.leaf(t, ours), a))
	weakly := issue(t, authority("Weak CA"), &a, rsaKey(t, 1024), nil)
	weakly.above = asPEM(weakly.cert)
	self := issue(t, *a.leaf(t, theirs).cert, nil, newKey(t), nil)
	bare := a.under(t, "Left out").leaf(t, theirs)
	bare.above = nil
	long := a
	for range maxChain {
		long = long.under(t, "Mid")
	}
	elsewhere := func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"peer.example.nl"}, nil }
	cases := map[string]struct {
		peer                   issued
		calls, answers, recall error // as a client, as a server, in Check
	}{
		"in order":                    {a.leaf(t, theirs), nil, nil, nil},
		"RSA of 2048 bits":            {a.leafWith(t, rsaKey(t, 2048), theirs), nil, nil, nil},
		"with intermediates":          {a.under(t, "Mid").under(t, "Issuing").leaf(t, theirs), nil, nil, nil},
		"within the names of its CA":  {a.under(t, "Mid", onlyFor("localhost")).leaf(t, theirs), nil, nil, nil},
		"outside the names of its CA": {a.under(t, "Mid", onlyFor("example.nl")).leaf(t, theirs), ErrUnfit, ErrUnfit, ErrUnfit},
		"intermediate left out":       {bare, ErrUnknownAuthority, ErrUnknownAuthority, ErrUnknownAuthority},
		"intermediate expired":        {a.under(t, "Mid", expired).leaf(t, theirs), ErrExpired, ErrExpired, ErrExpired},
		"intermediate not valid yet":  {a.under(t, "Mid", notYet).leaf(t, theirs), ErrExpired, ErrExpired, ErrExpired},
		"expired":                     {a.leaf(t, theirs, expired), ErrExpired, ErrExpired, ErrExpired},
		"not valid yet":               {a.leaf(t, theirs, notYet), ErrExpired, ErrExpired, ErrExpired},
		"self-signed":                 {self, ErrUnknownAuthority, ErrUnknownAuthority, ErrUnknownAuthority},
		"of an unknown authority":     {other.leaf(t, theirs), ErrUnknownAuthority, ErrUnknownAuthority, ErrUnknownAuthority},
		"of a CA with our CA's name":  {root(t, "CA").leaf(t, theirs), ErrUnknownAuthority, ErrUnknownAuthority, ErrUnknownAuthority},
		"signed by a leaf":            {a.leaf(t, ours).leaf(t, theirs), ErrUnknownAuthority, ErrUnknownAuthority, ErrUnknownAuthority},
		"too long a chain":            {long.leaf(t, theirs), ErrUnknownAuthority, ErrUnknownAuthority, ErrUnknownAuthority},
		"an authority itself":         {a.under(t, "localhost", handshakes), ErrUnfit, ErrUnfit, ErrUnfit},
		"a root itself":               {a, ErrUnfit, ErrUnfit, ErrUnfit},
		"a weak key":                  {a.leafWith(t, rsaKey(t, 1024), theirs), ErrUnfit, ErrUnfit, ErrUnfit},
		"under a weak key":            {weakly.leaf(t, theirs), ErrUnfit, ErrUnfit, ErrUnfit},
		"may not sign handshakes":     {a.leaf(t, theirs, encipherOnly), ErrUnfit, ErrUnfit, ErrUnfit},
		"for signing code":            {a.leaf(t, theirs, codeOnly), ErrUnfit, ErrUnfit, ErrUnfit},
		"for servers only":            {a.leaf(t, theirs, serverOnly), ErrUnfit, nil, nil},
		"for clients only":            {a.leaf(t, theirs, clientOnly), nil, ErrUnfit, nil},
		"a CA for servers only":       {a.under(t, "Mid", serverOnly).leaf(t, theirs), ErrUnfit, nil, nil},
		"of another host":             {a.leaf(t, theirs, elsewhere), nil, ErrUnfit, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pair := c.peer.tls(t)
			calling := &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
			_, atServer, atClient := handshake(t, h.Server(), calling)
			require.Equal(t, c.calls == nil, atServer == nil, "%v", atServer)
			require.Equal(t, c.calls == nil, atClient == nil, "a refused caller gets no answer")
			answering := &tls.Config{Certificates: []tls.Certificate{pair}}
			_, atServer, atClient = handshake(t, answering, h.Client("localhost"))
			require.ErrorIs(t, atClient, c.answers)
			require.Equal(t, c.answers == nil, atServer == nil)
			for range 2 { // the second time from memory, where it was good
				require.ErrorIs(t, h.Check(c.peer.chain(t), time.Now()), c.recall)
			}
		})
	}
}

func handshakes(c *x509.Certificate) {
	c.KeyUsage |= x509.KeyUsageDigitalSignature
	c.DNSNames = []string{"localhost"}
}

func TestTheServerIsTheOneThatWasDialled(t *testing.T) {
	a := root(t, "CA")
	h := open(t, newFiles(t, a.leaf(t, ours), a))
	for name, want := range map[string]error{"localhost": nil, "127.0.0.1": nil, "127.0.0.2": ErrUnfit, "peer.example.nl": ErrUnfit, "": ErrUnfit} {
		_, _, err := handshake(t, h.Server(), h.Client(name))
		require.ErrorIs(t, err, want, name)
	}
}

func TestOnlyTLS13WithACertificateAndWithoutTickets(t *testing.T) {
	a := root(t, "CA")
	h := open(t, newFiles(t, a.leaf(t, ours), a))
	old := h.Client("localhost")
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	_, _, err := handshake(t, h.Server(), old)
	require.Error(t, err)
	nobody := h.Client("localhost")
	nobody.GetClientCertificate = nil
	_, _, err = handshake(t, h.Server(), nobody)
	require.Error(t, err)
	again := h.Client("localhost") // a caller that would like to resume
	again.SessionTicketsDisabled, again.ClientSessionCache = false, tls.NewLRUClientSessionCache(4)
	server := h.Server()
	for range 3 {
		state, _, err := handshake(t, server, again)
		require.NoError(t, err)
		require.False(t, state.DidResume)
	}
}

// What was found good is forgotten when its chain ends, and when the files change.
func TestCheckRemembersNoLongerThanItHolds(t *testing.T) {
	a, next := root(t, "CA"), root(t, "Next CA")
	soon := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(2*time.Hour)
	}
	f := newFiles(t, a.leaf(t, ours), a, next)
	h := open(t, f)
	peer := a.under(t, "Mid", soon).leaf(t, theirs).chain(t)
	now := time.Now()
	require.NoError(t, h.Check(peer, now))
	require.NoError(t, h.Check(peer, now.Add(time.Hour)))
	require.ErrorIs(t, h.Check(peer, now.Add(3*time.Hour)), ErrExpired, "the intermediate ended, the leaf did not")
	require.ErrorIs(t, h.Check(peer, now.Add(-30*time.Minute)), ErrExpired, "the leaf had begun, the intermediate had not")
	require.NoError(t, h.Check(peer, now))
	require.ErrorIs(t, h.Check(nil, now), ErrUnknownAuthority)

	f.show(t, next.leaf(t, ours))
	f.believe(t, next)
	changed, err := h.Reload()
	require.NoError(t, err)
	require.True(t, changed)
	require.ErrorIs(t, h.Check(peer, now), ErrUnknownAuthority)
}

// A CA and its cross-signed twin: the chain that holds longest counts.
func TestCheckKnowsTheLongestOfSeveralChains(t *testing.T) {
	a, next := root(t, "CA", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(2 * time.Hour) }), root(t, "Next CA")
	mid := a.under(t, "Mid")
	twin := issue(t, authority("Mid"), &next, mid.key, nil)
	leaf := mid.leaf(t, theirs)
	chain := []*x509.Certificate{leaf.cert, mid.cert, twin.cert}
	h := open(t, newFiles(t, next.leaf(t, ours), a, next))
	require.NoError(t, h.Check(chain, time.Now()))
	require.Equal(t, leaf.cert.NotAfter, h.live.Load().seen[string(leaf.cert.Raw)].until)
	require.NoError(t, h.Check(chain, time.Now().Add(3*time.Hour)))
}

func TestCheckRemembersSoMuchOnly(t *testing.T) {
	a := root(t, "CA")
	h := open(t, newFiles(t, a.leaf(t, ours), a))
	s := h.live.Load()
	for i := range maxSeen + 10 {
		s.remember(&x509.Certificate{Raw: []byte{byte(i), byte(i >> 8)}}, span{})
	}
	require.Len(t, s.seen, 10)
}

func TestPeer(t *testing.T) {
	a := root(t, "CA")
	named := func(pairs ...any) edit { // attribute and value in turn
		return func(c *x509.Certificate) {
			for i := 0; i < len(pairs); i += 2 {
				c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: pairs[i].(asn1.ObjectIdentifier), Value: pairs[i+1]})
			}
		}
	}
	number, id := serialNumber, organizationIdentifier
	cases := map[string]struct {
		edit edit
		want identity.OIN
	}{
		"one":                             {named(number, string(theirs)), theirs},
		"none":                            {named(), ""},
		"two the same":                    {named(number, string(theirs), number, string(theirs)), ""},
		"two":                             {named(number, string(theirs), number, string(ours)), ""},
		"too short":                       {named(number, "0000009900000019300"), ""},
		"too long":                        {named(number, "000000990000001930000"), ""},
		"letters":                         {named(number, "0000009900000019300O"), ""},
		"with a space":                    {named(number, " 0000099000000193000"), ""},
		"in both":                         {named(number, string(theirs), id, "OI:NL-"+string(theirs)), theirs},
		"in both, the other way round":    {named(id, "OI:NL-"+string(theirs), number, string(theirs)), theirs},
		"in the identifier alone":         {named(id, "OI:NL-"+string(theirs)), theirs},
		"without a country":               {named(id, "OI:"+string(theirs)), theirs},
		"beside another scheme":           {named(id, "NTRNL-27365323", id, "OI:NL-"+string(theirs), id, "VATNL-001234567B01"), theirs},
		"serialNumber and another scheme": {named(number, string(theirs), id, "NTRNL-27365323"), theirs},
		"another scheme alone":            {named(id, "NTRNL-"+string(theirs)), ""},
		"no scheme":                       {named(id, string(theirs)), ""},
		"small letters":                   {named(id, "oi:NL-"+string(theirs)), ""},
		"of another country":              {named(id, "OI:BE-"+string(theirs)), ""},
		"country twice":                   {named(id, "OI:NL-NL-"+string(theirs)), ""},
		"an identifier with a space":      {named(id, "OI:NL- "+string(theirs)), ""},
		"an empty identifier":             {named(number, string(theirs), id, "OI:"), ""},
		"each another":                    {named(number, string(theirs), id, "OI:NL-"+string(ours)), ""},
		"each another, the other first":   {named(id, "OI:NL-"+string(ours), number, string(theirs)), ""},
		"two identifiers the same":        {named(id, "OI:NL-"+string(theirs), id, "OI:"+string(theirs)), ""},
		"two identifiers, one as number":  {named(number, string(theirs), id, "OI:NL-"+string(theirs), id, "OI:NL-"+string(ours)), ""},
		"no number beside an identifier":  {named(number, "12345", id, "OI:NL-"+string(theirs)), ""},
		"an identifier that is no number": {named(number, string(theirs), id, "OI:NL-12345"), ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Peer(a.leaf(t, "", c.edit).cert)
			require.Equal(t, c.want, got)
			if c.want == "" {
				require.ErrorIs(t, err, ErrIdentity)
			} else {
				require.NoError(t, err)
			}
		})
	}
	_, err := Peer(nil)
	require.ErrorIs(t, err, ErrIdentity)
}

func TestAPeerSeenBeforeCostsNoMemory(t *testing.T) {
	a := root(t, "CA")
	h := open(t, newFiles(t, a.leaf(t, ours), a))
	peer, now := a.under(t, "Mid").leaf(t, theirs).chain(t), time.Now()
	require.NoError(t, h.Check(peer, now))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = h.Check(peer, now) }))
}

func BenchmarkCheckSeen(b *testing.B) {
	a := root(b, "CA")
	h := open(b, newFiles(b, a.leaf(b, ours), a))
	peer, now := a.under(b, "Mid").leaf(b, theirs).chain(b), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Check(peer, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckNew(b *testing.B) {
	a := root(b, "CA")
	h := open(b, newFiles(b, a.leaf(b, ours), a))
	peer, now := a.under(b, "Mid").leaf(b, theirs).chain(b), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		clear(h.live.Load().seen)
		if err := h.Check(peer, now); err != nil {
			b.Fatal(err)
		}
	}
}

// refused is a connection of an outsider, for the tests of rotation.
func refused(t testing.TB, address string, pair tls.Certificate) error {
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}})
	if err := c.Handshake(); err != nil {
		return err
	}
	_, err = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	return err
}
