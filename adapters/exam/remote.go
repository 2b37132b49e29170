package exam

import (
	"context"
	"crypto/tls"
	"encoding/asn1"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// mutual: who shows no certificate is told nothing.
func mutual(ctx context.Context, x *examination) *finding {
	bare := x.TLS.Clone()
	bare.Certificates, bare.GetClientCertificate = nil, nil
	old := x.TLS.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for what, side := range map[string]*tls.Config{"no certificate": bare, "TLS 1.1": old} {
		t, f := x.reach(nil, "passthrough:///"+x.Address, side, nil)
		if f != nil {
			return f
		}
		short, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := t.describe(short)
		cancel()
		t.close()
		if err == nil {
			return fails("%s: het antwoordt", "%s: it answers", what)
		}
	}
	return nil
}

// oidOrganization is organizationIdentifier, and oidSerial the serialNumber of a subject.
var (
	oidOrganization = asn1.ObjectIdentifier{2, 5, 4, 97}
	oidSerial       = asn1.ObjectIdentifier{2, 5, 4, 5}
)

// itsOIN: the certificate at the address is of the organisation that was named.
func itsOIN(ctx context.Context, x *examination) *finding {
	if x.OIN == "" {
		return beside("er is geen OIN gegeven (--oin)", "no OIN was given (--oin)")
	}
	side := x.TLS.Clone()
	side.NextProtos = []string{"h2"}
	d := tls.Dialer{Config: side}
	c, err := d.DialContext(ctx, "tcp", x.Address)
	if err != nil {
		return fails("geen TLS-verbinding", "no TLS connection")
	}
	defer c.Close()
	leaf := c.(*tls.Conn).ConnectionState().PeerCertificates[0]
	for _, name := range leaf.Subject.Names {
		value, _ := name.Value.(string)
		if name.Type.Equal(oidSerial) && value == x.OIN || name.Type.Equal(oidOrganization) && strings.HasSuffix(value, x.OIN) {
			return nil
		}
	}
	return fails("het certificaat heeft die OIN niet", "the certificate does not have that OIN")
}

// configuredThere: no gateway configures it, nor hears what its configuration lacks.
func configuredThere(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	_, one := t.configure(ctx, []byte("{}"), nil)
	_, two := t.asks.ValidateConfig(ctx, &adapterv1.ValidateConfigRequest{Config: []byte("{}")})
	for call, err := range map[string]error{"Configure": one, "ValidateConfig": two} {
		if code := status.Code(err); code != codes.PermissionDenied && (call == "Configure" || code != codes.Unimplemented) {
			return fails("%s geeft %s", "%s gives %s", call, outcome(err))
		}
	}
	return nil
}
