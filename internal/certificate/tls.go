package certificate

import (
	"crypto/tls"
	"crypto/x509"
)

// Server is for a listener. Each handshake uses the certificate and the
// authorities of the moment it begins, and asks the client for a certificate.
//
// There are no session tickets. Who resumes a session shows no certificate but
// rests on one shown before, so it would have to be checked against today's
// authorities by other rules than these; callers keep their connections for many
// calls, and a full handshake costs them little.
func (h *Holder) Server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, SessionTicketsDisabled: true,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return h.live.Load().server, nil },
	}
}

func (s *state) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{s.pair}, ClientCAs: s.known, Time: s.rules.clock,
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) > maxChain { // Check would refuse it at the first call
				return ErrUnknownAuthority
			}
			if len(s.parties) > 0 { // that it chains to somebody's authority does not suffice
				_, err := s.verify(c.PeerCertificates, s.rules.clock(), "", x509.ExtKeyUsageClientAuth)
				return err
			}
			_, err := s.longest(c.VerifiedChains, s.rules.clock())
			return err
		},
	}
}

// Client is for dialling a server of that name, a host name or an IP address: the
// certificate must be made out to it. Each handshake shows the certificate and
// believes the authorities of its moment; an empty name is refused by every one.
// The errors of a handshake are those of Check.
func (h *Holder) Client(serverName string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: serverName, SessionTicketsDisabled: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &h.live.Load().pair, nil },
		// RootCAs would be the authorities of the moment this Config was made. What is
		// skipped here is done in VerifyConnection, which runs in every handshake.
		InsecureSkipVerify: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			if serverName == "" { // crypto/x509 takes it for "any"
				return ErrUnfit
			}
			_, err := h.live.Load().verify(c.PeerCertificates, h.rules.clock(), serverName, x509.ExtKeyUsageServerAuth)
			return err
		},
	}
}
