// Package federation answers: how does one organisation's gateway ask another's, and may
// what that one has be disclosed? A Peer asks, and is a source like any other; an Answerer is
// asked, and decides by its own agreement, policy and day. Each records before it acts.
package federation

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// saltSize is that of the random bytes of a question.
const saltSize = 32

// hashOf is the hash of all that is asked: HMAC-SHA-256 under the salt of the question over
// the RFC 8785 form of the request without permit, salt and the key of the subject
// commitment, base64url. Without the salt a number in it cannot be guessed from the hash.
func hashOf(r *budgetv1.FetchRequest) (string, error) {
	bare := proto.CloneOf(r)
	salt := bare.GetProofs().GetSalt()
	if bare.Proofs != nil {
		bare.Proofs.Permit, bare.Proofs.Salt, bare.Proofs.SubjectKey = "", nil, nil
	}
	raw, err := result.Canonical(bare)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte("ontschot/request/1\x00"))
	mac.Write(raw)
	return encode(mac.Sum(nil)), nil
}

// consentDigest is by which a permit names the signed consent.
func consentDigest(shell string) string {
	sum := sha256.Sum256([]byte(shell))
	return encode(sum[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
