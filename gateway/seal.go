package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
)

// seal encrypts the key of a consent's subject commitment before it is stored:
// with it and the commitment beside it, every BSN could be tried in seconds.
func seal(master []byte, id string, plain []byte) ([]byte, error) {
	aead, err := sealer(master)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, plain, []byte(id)), nil
}

// unseal opens with whichever of the keys it was sealed with.
func unseal(masters [][]byte, id string, sealed []byte) (plain []byte, err error) {
	for _, master := range masters {
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
