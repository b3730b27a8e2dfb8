package huawei

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const longestRequest = 2 << 20

func read(w http.ResponseWriter, r *http.Request) ([]byte, answer) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestRequest))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "0101", "the body is larger than 2 MiB")
	}
	return body, answer{}
}

func mac(key string, text []byte) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write(text)
	return h.Sum(nil)
}

// signatureV2 signs what the cloud tells a vendor: the body, within key, nonce
// and time.
func signatureV2(key, nonce, timestamp string, body []byte) string {
	inner := hex.EncodeToString(mac(key, body))
	return strings.ToUpper(hex.EncodeToString(mac(key, []byte(key+nonce+timestamp+inner))))
}

// authToken signs what the first generation tells a vendor: its parameters by
// name, with the time behind the key.
func authToken(key string, params url.Values) string {
	var parts []string
	for k := range params {
		if k != "authToken" {
			parts = append(parts, k+"="+params.Get(k))
		}
	}
	slices.Sort(parts)
	return base64.StdEncoding.EncodeToString(mac(key+params.Get("timeStamp"), []byte(strings.Join(parts, "&"))))
}

// bodySign is how a vendor signs his answers to the first generation.
func bodySign(key string, body []byte) string {
	return base64.StdEncoding.EncodeToString(mac(key, body))
}

// rightBodySign holds the header against the answer. The quotes are a must; the
// cloud's own sample has a blank after signature=.
func rightBodySign(header, key string, body []byte) bool {
	want := `sign_type="HMAC-SHA256", signature="` + bodySign(key, body) + `"`
	return header == want || header == strings.Replace(want, `signature="`, `signature= "`, 1)
}

// usageSignature signs a push of usage.
func usageSignature(key, ts, nonce string, body []byte) string {
	return base64.StdEncoding.EncodeToString(mac(key, append([]byte("ts="+ts+"&nonce="+nonce+"&body="), body...)))
}

const sdkAlgorithm = "SDK-HMAC-SHA256"

// sdkSignature is that of calls of the API by AK and SK.
func sdkSignature(r *http.Request, names []string, body []byte, secret string) string {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + strings.ReplaceAll(values.Encode(), "+", "%20") + "\n")
	for _, name := range names {
		value := r.Host
		if name != "host" {
			value = strings.TrimSpace(strings.Join(r.Header.Values(name), ","))
		}
		b.WriteString(name + ":" + value + "\n")
	}
	hash := sha256.Sum256(body)
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + hex.EncodeToString(hash[:]))
	canonical := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(mac(secret, []byte(sdkAlgorithm+"\n"+r.Header.Get("X-Sdk-Date")+"\n"+hex.EncodeToString(canonical[:]))))
}

const sdkSignatureLife = 15 * time.Minute

// signedBySDK verifies the Authorization of a call.
func (s *Sim) signedBySDK(c call) answer {
	bad := func(why string) answer { return refuse(http.StatusUnauthorized, "0154", "%s", why) }
	rest, ok := strings.CutPrefix(c.Header.Get("Authorization"), sdkAlgorithm+" ")
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	at, err := time.Parse(usageTime, c.Header.Get("X-Sdk-Date"))
	names := strings.Split(parts["SignedHeaders"], ";")
	switch {
	case !ok || parts["Access"] == "" || parts["Signature"] == "":
		return bad("Authorization has Access, SignedHeaders and Signature")
	case parts["Access"] != s.config.AccessKey:
		return bad("the access key is unknown")
	case err != nil || s.stage.Signed().Sub(at).Abs() > sdkSignatureLife:
		return bad("X-Sdk-Date is not within 15 minutes of the clock")
	case !slices.Contains(names, "host") || !slices.Contains(names, "x-sdk-date") || !slices.IsSorted(names):
		return bad("host and x-sdk-date are signed, and the names are in order")
	case !hmac.Equal([]byte(sdkSignature(c.Request, names, c.body, s.config.SecretKey)), []byte(parts["Signature"])):
		return bad("the signature is another")
	}
	return answer{}
}

// secretKey is the key of encrypted fields: what Java's SHA1PRNG gives, seeded
// with the seller's key.
func secretKey(seed string, bytes int) []byte {
	state := sha1.Sum([]byte(seed))
	var key []byte
	for len(key) < bytes {
		out := sha1.Sum(state[:])
		key = append(key, out[:]...)
		carry, changed := 1, false
		for i := range state {
			v := int(int8(state[i])) + int(int8(out[i])) + carry
			next := byte(v)
			changed = changed || next != state[i]
			state[i] = next
			carry = v >> 8
		}
		if !changed {
			state[0]++
		}
	}
	return key[:bytes]
}

func keyBytes(encryptType int) int {
	if encryptType == 2 {
		return 16
	}
	return 32
}

// encrypt gives the text behind its initialization vector of 16 characters.
func encrypt(text, seed, iv string, encryptType int) string {
	block, err := aes.NewCipher(secretKey(seed, keyBytes(encryptType)))
	if err != nil || len(iv) != aes.BlockSize {
		panic("marketsim/huawei: the key or the vector has another length")
	}
	pad := aes.BlockSize - len(text)%aes.BlockSize
	padded := append([]byte(text), strings.Repeat(string(rune(pad)), pad)...)
	cipher.NewCBCEncrypter(block, []byte(iv)).CryptBlocks(padded, padded)
	return iv + base64.StdEncoding.EncodeToString(padded)
}

// decrypt takes what encrypt gives.
func decrypt(text, seed string, encryptType int) (string, error) {
	if len(text) < aes.BlockSize {
		return "", errors.New("the text is too short")
	}
	padded, err := base64.StdEncoding.DecodeString(text[aes.BlockSize:])
	if err != nil || len(padded) == 0 || len(padded)%aes.BlockSize != 0 {
		return "", errors.New("the text is not whole blocks in base64")
	}
	block, err := aes.NewCipher(secretKey(seed, keyBytes(encryptType)))
	if err != nil {
		return "", err
	}
	cipher.NewCBCDecrypter(block, []byte(text[:aes.BlockSize])).CryptBlocks(padded, padded)
	pad := int(padded[len(padded)-1])
	if pad < 1 || pad > aes.BlockSize || strings.Trim(string(padded[len(padded)-pad:]), string(rune(pad))) != "" {
		return "", errors.New("the padding is wrong")
	}
	return string(padded[:len(padded)-pad]), nil
}
