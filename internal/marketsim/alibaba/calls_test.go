package alibaba_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/marketsim/alibaba"
	"tollgate.dev/internal/marketsim/stage"
)

func TestOnlyARightSignatureIsServed(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	ask := func(key, secret string) error {
		_, err := w.call(key, secret, "DescribeInstanceForIsv", map[string]string{"InstanceId": id})
		return err
	}
	if err := ask("sub", "subsecret"); err != nil {
		t.Error(err)
	}
	if got := code(t, ask("ak", "other")); got != "SignatureDoesNotMatch" {
		t.Error(got)
	}
	if got := code(t, ask("nobody", "sk")); got != "InvalidAccessKeyId.NotFound" {
		t.Error(got)
	}
	w.flip(`{"signature": "v1"}`)
	if got := code(t, ask("ak", "sk")); got != "IncompleteSignature" {
		t.Error(got)
	}
}

// older signs a call in the style of before, by its documented rule.
func older(id, nonce string, at time.Time) url.Values {
	params := url.Values{
		"Action": {"DescribeInstanceForIsv"}, "Version": {"2015-11-01"}, "AccessKeyId": {"ak"}, "Format": {"JSON"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureVersion": {"1.0"}, "SignatureNonce": {nonce}, "Timestamp": {at.UTC().Format("2006-01-02T15:04:05Z")}, "InstanceId": {id},
	}
	text := "GET&%2F&" + url.QueryEscape(strings.ReplaceAll(params.Encode(), "+", "%20"))
	mac := hmac.New(sha1.New, []byte("sk&"))
	mac.Write([]byte(text))
	params.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return params
}

func TestTheOlderSignatureIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	get := func(params url.Values) string {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, w.server.URL+"/?"+params.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var body struct{ Code, Status, RequestId string }
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.RequestId == "" {
			t.Fatal(err)
		}
		return body.Code + body.Status
	}
	params := older(id, "n1", time.Now())
	if got := get(params); got != "OPENED" {
		t.Error(got)
	}
	if got := get(params); got != "SignatureNonceUsed" {
		t.Error(got)
	}
	if got := get(older(id, "n2", time.Now().Add(-20*time.Minute))); got != "InvalidTimeStamp.Expired" {
		t.Error(got)
	}
}

func TestFaultsHappenOncePerCall(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	w.at(begin.Add(10 * time.Minute))
	for _, kind := range []stage.FaultKind{stage.Throttle, stage.Failure, stage.Severed, stage.Lost} {
		if err := w.stage.Ask(stage.Fault{Cloud: alibaba.Cloud, Operation: "PushMeteringData", Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"Throttling.User", "InternalError"} {
		if got := code(t, w.push(row(id, begin, begin.Add(time.Minute), "3"))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for i, rows := range []int{0, 1} {
		if err := w.push(row(id, begin, begin.Add(time.Minute), "3")); err == nil || len(w.sim.Accepted()) != rows {
			t.Errorf("%d: %v, %d rows", i, err, len(w.sim.Accepted()))
		}
	}
	if err := w.stage.Ask(stage.Fault{Cloud: alibaba.Cloud, Kind: stage.Partial, Rows: 1}); err == nil {
		t.Error("no document knows of partial pushes")
	}
}
