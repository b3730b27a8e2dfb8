package alipay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// sorted is the text that is signed: the parameters by name, joined, not
// encoded, without the named ones and perhaps without empty ones.
func sorted(params url.Values, skipEmpty bool, without ...string) string {
	var parts []string
	for name, values := range params {
		if slices.Contains(without, name) || skipEmpty && values[0] == "" {
			continue
		}
		parts = append(parts, name+"="+values[0])
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

func sign(key *rsa.PrivateKey, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(signature), err
}

func verify(key *rsa.PublicKey, text, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}

// leastBits is the length of key that RSA2 asks for.
const leastBits = 2048

var (
	errKey   = errors.New("neither PEM nor base64 of an RSA key")
	errShort = errors.New("the key must have at least 2048 bits")
)

// der is the key inside PEM, or inside bare base64 as Alipay's console shows it.
func der(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(raw) == 0 {
		return nil, errKey
	}
	return raw, nil
}

func privateKey(text string) (*rsa.PrivateKey, error) {
	raw, err := der(text)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS1PrivateKey(raw)
	if err != nil {
		other, err := x509.ParsePKCS8PrivateKey(raw)
		if err != nil {
			return nil, errKey
		}
		var ok bool
		if key, ok = other.(*rsa.PrivateKey); !ok {
			return nil, errKey
		}
	}
	if key.N.BitLen() < leastBits {
		return nil, errShort
	}
	return key, nil
}

func publicKey(text string) (*rsa.PublicKey, error) {
	raw, err := der(text)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKIXPublicKey(raw)
	if err != nil {
		return nil, errKey
	}
	key, ok := any.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, errKey
	case key.N.BitLen() < leastBits:
		return nil, errShort
	}
	return key, nil
}
