package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
)

// Seal encrypts the key of a consent's subject commitment before it is stored: with it and
// the commitment beside it, every BSN could be tried in seconds. id is that of the consent.
func (k Keys) Seal(id string, plain []byte) ([]byte, error) {
	aead, err := sealer(k.keys[0])
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, plain, []byte(id)), nil
}

// Unseal opens what was sealed under this id with any version of the key.
func (k Keys) Unseal(id string, sealed []byte) (plain []byte, err error) {
	for _, master := range k.keys {
		aead, failed := sealer(master)
		if failed != nil {
			return nil, failed
		}
		if len(sealed) < aead.NonceSize() {
			return nil, errors.New("sealed bytes too short")
		}
		if plain, err = aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(id)); err == nil {
			return plain, nil
		}
	}
	return nil, err
}

func sealer(master []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, master, nil, "ontschot/seal/1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
