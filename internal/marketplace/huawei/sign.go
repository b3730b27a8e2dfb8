package huawei

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func mac(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signV2 is the signature of a call of the second generation: over the key,
// the nonce, the milliseconds and the signature of the body (reference 3.1).
func signV2(key, nonce, timestamp string, body []byte) string {
	inner := hex.EncodeToString(mac(key, string(body)))
	return hex.EncodeToString(mac(key, key+nonce+timestamp+inner))
}

// signedV2 reports whether the signature of a call holds, in whichever case
// its digits are written. The documents also say that parameters are sorted by
// name: a body that holds only when it is written so is taken, and told.
func signedV2(key string, query url.Values, body []byte) (holds, resorted bool) {
	given, err := hex.DecodeString(query.Get("signature"))
	if err != nil {
		return false, false
	}
	same := func(body []byte) bool {
		want, err := hex.DecodeString(signV2(key, query.Get("nonce"), query.Get("timestamp"), body))
		return err == nil && hmac.Equal(want, given)
	}
	if same(body) {
		return true, false
	}
	sorted, err := canonical(body)
	if err != nil || bytes.Equal(sorted, body) {
		return false, false
	}
	return same(sorted), true
}

// canonical is a JSON text with sorted keys and without blanks.
func canonical(body []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return compact(value)
}

// compact writes JSON as Huawei's samples are written: keys in natural order,
// no blanks, and no sign of HTML escaped.
func compact(value any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// signV1 is the token of a call of the first generation.
func signV1(key string, query url.Values) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name != "authToken" {
			parts = append(parts, name+"="+query.Get(name))
		}
	}
	return base64.StdEncoding.EncodeToString(mac(key+query.Get("timeStamp"), strings.Join(parts, "&")))
}

// signedV1 reports whether the token of a call holds. Some frameworks turn the
// plus signs of base64 into blanks on the way.
func signedV1(key string, query url.Values) bool {
	for _, values := range query {
		if len(values) != 1 {
			return false
		}
	}
	given := strings.ReplaceAll(query.Get("authToken"), " ", "+")
	return hmac.Equal([]byte(signV1(key, query)), []byte(given))
}

// bodySign is the header by which an answer of the first generation is signed,
// with the blank of the documents' sample.
func bodySign(key string, body []byte) string {
	return fmt.Sprintf(`sign_type="HMAC-SHA256", signature= "%s"`, base64.StdEncoding.EncodeToString(mac(key, string(body))))
}

// signUsage is the signature of a push of usage.
func signUsage(key, timestamp, nonce string, body []byte) string {
	return base64.StdEncoding.EncodeToString(mac(key, "ts="+timestamp+"&nonce="+nonce+"&body="+string(body)))
}

const sdkTime = "20060102T150405Z"

// authorize signs a request to Huawei's gateway with an access key
// (SDK-HMAC-SHA256, reference 3.6).
func authorize(r *http.Request, body []byte, accessKey, secret string, at time.Time) {
	r.Header.Set("X-Sdk-Date", at.UTC().Format(sdkTime))
	names := []string{"host"}
	for name := range r.Header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%s",
		accessKey, strings.Join(names, ";"), signSDK(r, names, body, secret)))
}

func signSDK(r *http.Request, names []string, body []byte, secret string) string {
	var headers strings.Builder
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.URL.Host
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	path := r.URL.EscapedPath()
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	request := strings.Join([]string{r.Method, path, r.URL.Query().Encode(), headers.String(), strings.Join(names, ";"), sum(body)}, "\n")
	text := strings.Join([]string{"SDK-HMAC-SHA256", r.Header.Get("X-Sdk-Date"), sum([]byte(request))}, "\n")
	return hex.EncodeToString(mac(secret, text))
}

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}
