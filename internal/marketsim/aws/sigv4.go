package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// read takes the body; one that is too long is refused, and nothing is done.
func read(w http.ResponseWriter, r *http.Request, longest int64) ([]byte, answer) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refuse("ValidationException", "a request must be smaller than 1 MB")
	case err != nil:
		return nil, refuse("SerializationException", "the body does not arrive")
	}
	return body, answer{}
}

// A signature is good for this long on either side of the clock.
const signatureLife = 5 * time.Minute

const algorithm = "AWS4-HMAC-SHA256"

// signed verifies Signature Version 4 and gives the region that it is for.
func (s *Sim) signed(c call, service string) (region string, refusal answer) {
	header := c.Header.Get("Authorization")
	if header == "" {
		return "", refuse("MissingAuthenticationTokenException", "Request is missing Authentication Token")
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if !ok || len(scope) != 5 || len(parts) != 3 || parts["Signature"] == "" || parts["SignedHeaders"] == "" {
		return "", refuse("IncompleteSignatureException", "Authorization has Credential, SignedHeaders and Signature")
	}
	date := c.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	names := strings.Split(parts["SignedHeaders"], ";")
	switch {
	case scope[0] != s.config.AccessKey:
		return "", refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	case err != nil || scope[1] != date[:8]:
		return "", refuse("InvalidSignatureException", "X-Amz-Date and the date of the credential differ")
	case scope[3] != service || scope[4] != "aws4_request":
		return "", refuse("InvalidSignatureException", "Credential should be scoped to correct service: '%s'.", service)
	case s.stage.Signed().Sub(at).Abs() > signatureLife:
		return "", refuse("InvalidSignatureException", "Signature expired: %s is not within %s of the clock", date, signatureLife)
	}
	if missing := unsigned(c.Request, names); missing != "" {
		return "", refuse("InvalidSignatureException", "'%s' must be a 'SignedHeader' in the AWS Authorization.", missing)
	}
	text := strings.Join([]string{algorithm, date, strings.Join(scope[1:], "/"), hash([]byte(canonical(c.Request, names, c.body)))}, "\n")
	key := []byte("AWS4" + s.config.SecretKey)
	for _, part := range append(slices.Clone(scope[1:]), text) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(parts["Signature"])) {
		return "", refuse("InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
	}
	return scope[2], answer{}
}

// unsigned is the first header that has to be signed and is not.
func unsigned(r *http.Request, names []string) string {
	want := []string{"host", "x-amz-date"}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") || lower == "content-type" {
			want = append(want, lower)
		}
	}
	slices.Sort(want)
	for _, name := range want {
		if !slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// canonical is the request in the form that is signed.
func canonical(r *http.Request, names []string, body []byte) string {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	var b strings.Builder
	b.WriteString(r.Method + "\n" + escapePath(path) + "\n" + canonicalQuery(query) + "\n")
	for _, name := range names {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + hash(body))
	return b.String()
}

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(values, ",")
}

// escapePath escapes a path that is escaped already once more, as all services
// but S3 want it.
func escapePath(path string) string {
	if path == "" {
		return "/"
	}
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
	var b strings.Builder
	for _, c := range []byte(path) {
		if strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
