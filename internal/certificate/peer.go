package certificate

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
)

// Attributes of a subject that may hold an OIN (X.520 sections 6.2.9 and 6.6.7).
var (
	serialNumber           = asn1.ObjectIdentifier{2, 5, 4, 5}
	organizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}
)

// Peer gives the organisation of a certificate: the OIN in its one Subject.serialNumber,
// or in its one organizationIdentifier of the scheme OI, or in both, when they are equal.
// The error is ErrIdentity; between two numbers a choice would be the caller's.
func Peer(leaf *x509.Certificate) (identity.OIN, error) {
	if leaf == nil {
		return "", ErrIdentity
	}
	var numbers, identifiers []string
	for _, a := range leaf.Subject.Names {
		text, _ := a.Value.(string)
		switch {
		case a.Type.Equal(serialNumber):
			numbers = append(numbers, text)
		case a.Type.Equal(organizationIdentifier):
			if number, ok := inScheme(text); ok {
				identifiers = append(identifiers, number)
			}
		}
	}
	if len(numbers) > 1 || len(identifiers) > 1 || len(numbers)+len(identifiers) == 0 {
		return "", ErrIdentity
	}
	all := append(numbers, identifiers...)
	oin, err := identity.ParseOIN(all[0])
	if err != nil || all[0] != all[len(all)-1] {
		return "", ErrIdentity
	}
	return oin, nil
}

// inScheme gives the number of an organizationIdentifier of the scheme of the OIN: a
// national scheme is two letters and a colon, then country and hyphen, then the number
// (ETSI EN 319 412-1 section 5.1.4). The country may be left out. Others, such as NTRNL-
// (trade register) and VATNL-, hold no OIN.
func inScheme(text string) (number string, ok bool) {
	number, ok = strings.CutPrefix(text, "OI:")
	return strings.TrimPrefix(number, "NL-"), ok
}
