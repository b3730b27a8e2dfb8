package alibaba

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// request is a call of the API in either of its styles.
type request struct {
	http    *http.Request
	query   url.Values
	params  url.Values // the action's own
	body    []byte
	action  string
	version string
	v3      bool
}

const longestRequest = 1 << 20

// read takes a call apart. What is wrong with it is said later, when the call
// is known by name.
func read(w http.ResponseWriter, r *http.Request) (request, answer) {
	q := request{http: r, query: r.URL.Query(), params: url.Values{}}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestRequest))
	if err != nil {
		return q, refuse(http.StatusRequestEntityTooLarge, "RequestTooLarge", "the body is larger than 1 MiB")
	}
	q.body, q.v3 = body, r.Header.Get("X-Acs-Action") != ""
	form := url.Values{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if form, err = url.ParseQuery(string(body)); err != nil {
			return q, refuse(http.StatusBadRequest, "InvalidParameter", "the form cannot be read")
		}
	}
	for _, values := range []url.Values{q.query, form} {
		for k, v := range values {
			q.params[k] = append(q.params[k], v...)
		}
	}
	q.action, q.version = r.Header.Get("X-Acs-Action"), r.Header.Get("X-Acs-Version")
	if !q.v3 {
		q.action, q.version = q.params.Get("Action"), q.params.Get("Version")
	}
	for k, v := range q.params {
		if len(v) != 1 {
			return q, refuse(http.StatusBadRequest, "InvalidParameter", "%s is given more than once", k)
		}
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return q, refuse(http.StatusMethodNotAllowed, "UnsupportedHTTPMethod", "This http method is not supported.")
	}
	return q, answer{}
}

// A signature is good for this long on either side of the clock, and its nonce
// once within that.
const signatureLife = 15 * time.Minute

// signed verifies the signature of either style.
func (s *Sim) signed(q request) (sub bool, refusal answer) {
	style := s.market.Switches.Signature
	var key, date, nonce, layout string
	if q.v3 {
		key, date, nonce, layout = credential(q.http), q.http.Header.Get("X-Acs-Date"), q.http.Header.Get("X-Acs-Signature-Nonce"), "2006-01-02T15:04:05Z"
	} else {
		key, date, nonce, layout = q.params.Get("AccessKeyId"), q.params.Get("Timestamp"), q.params.Get("SignatureNonce"), "2006-01-02T15:04:05Z"
	}
	at, err := time.Parse(layout, date)
	now := s.stage.Signed()
	switch {
	case style == "v1" && q.v3, style == "v3" && !q.v3:
		return false, refuse(http.StatusBadRequest, "IncompleteSignature", "this style of signature is not taken")
	case key == "" || nonce == "":
		return false, refuse(http.StatusBadRequest, "IncompleteSignature", "The request signature does not conform to Alibaba Cloud standards.")
	case key != s.config.AccessKey && (key != s.config.SubAccessKey || key == ""):
		return false, refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	case err != nil || now.Sub(at).Abs() > signatureLife:
		return false, refuse(http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	secret := s.config.SecretKey
	if sub = key != s.config.AccessKey; sub {
		secret = s.config.SubSecretKey
	}
	if q.v3 && !s.rightV3(q, secret) || !q.v3 && !rightV1(q, secret) {
		return false, refuse(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
	}
	for n, came := range s.nonces {
		if now.Sub(came).Abs() > signatureLife {
			delete(s.nonces, n)
		}
	}
	if _, used := s.nonces[nonce]; used {
		return false, refuse(http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	s.nonces[nonce] = now
	return sub, answer{}
}

const v3Algorithm = "ACS3-HMAC-SHA256"

// authorization takes the header of the newer style apart.
func authorization(r *http.Request) map[string]string {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), v3Algorithm+" ")
	parts := map[string]string{}
	if !ok {
		return parts
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	return parts
}

func credential(r *http.Request) string { return authorization(r)["Credential"] }

// rightV3 checks the newer style: the method, path, query, signed headers and
// the hash of the body.
func (s *Sim) rightV3(q request, secret string) bool {
	parts := authorization(q.http)
	names := strings.Split(parts["SignedHeaders"], ";")
	for name := range q.http.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-acs-") && !slices.Contains(names, lower) {
			return false
		}
	}
	hash := sum256(q.body)
	if !slices.Contains(names, "host") || q.http.Header.Get("X-Acs-Content-Sha256") != hash || !slices.IsSorted(names) {
		return false
	}
	path, _, _ := strings.Cut(q.http.RequestURI, "?")
	var b strings.Builder
	b.WriteString(q.http.Method + "\n" + path + "\n" + canonicalQuery(q.query, "") + "\n")
	for _, name := range names {
		value := q.http.Host
		if name != "host" {
			value = strings.TrimSpace(strings.Join(q.http.Header.Values(name), ","))
		}
		b.WriteString(name + ":" + value + "\n")
	}
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + hash)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(v3Algorithm + "\n" + sum256([]byte(b.String()))))
	return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(parts["Signature"]))
}

// rightV1 checks the older style, whose signature is a parameter among others.
func rightV1(q request, secret string) bool {
	if q.params.Get("SignatureMethod") != "HMAC-SHA1" || q.params.Get("SignatureVersion") != "1.0" {
		return false
	}
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(q.http.Method + "&%2F&" + percent(canonicalQuery(q.params, "Signature"))))
	given, err := base64.StdEncoding.DecodeString(q.params.Get("Signature"))
	return err == nil && hmac.Equal(mac.Sum(nil), given)
}

// canonicalQuery is the parameters in the order of their names, without one.
func canonicalQuery(values url.Values, without string) string {
	var parts []string
	for k, v := range values {
		if k != without {
			parts = append(parts, percent(k)+"="+percent(v[0]))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

func percent(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func sum256(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// token signs what the cloud tells the vendor: all parameters but the token,
// by name, and the seller's key at the end.
func token(params url.Values, key string, encoded bool) string {
	var names []string
	for k := range params {
		if k != "token" {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, k := range names {
		value := params.Get(k)
		if encoded {
			value = url.QueryEscape(value)
		}
		b.WriteString(k + "=" + value + "&")
	}
	sum := md5.Sum([]byte(b.String() + "key=" + key)) // the cloud's choice
	return hex.EncodeToString(sum[:])
}
