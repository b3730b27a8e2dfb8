package alibaba

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

// The documented rule with chosen inputs, computed outside of this code.
func TestTokensAreThoseOfTheVectors(t *testing.T) {
	t.Parallel()
	for want, params := range map[string]url.Values{
		"7b0b2cf5016fabb236be44fd5e3088f4": {"action": {"expiredInstance"}, "instanceId": {"1"}, "token": {"is left out"}},
		"50a22a20d177a327cd91b0f1cc2a4ef7": {"action": {"renewInstance"}, "expiredOn": {"2013-01-01 01:01:01"}, "instanceId": {"1"}, "orderId": {"205060317920890"}},
	} {
		if got := token(params, "isvkey", false); got != want {
			t.Errorf("%v: %s, want %s", params, got, want)
		}
	}
}

// The example of the cloud's page on the older signature.
func TestTheOlderSignatureIsThatOfItsExample(t *testing.T) {
	t.Parallel()
	params := url.Values{
		"Timestamp": {"2016-02-23T12:46:24Z"}, "Format": {"XML"}, "AccessKeyId": {"testid"}, "Action": {"DescribeRegions"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {"3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}, "Version": {"2014-05-26"}, "SignatureVersion": {"1.0"}, "Signature": {"OLeaidS1JvxuMvnyHOwuJ+uX5qY="},
	}
	q := request{http: httptest.NewRequest(http.MethodGet, "/", nil), params: params}
	if !rightV1(q, "testsecret") {
		t.Error("the signature of the example is not taken")
	}
	params.Set("Format", "JSON")
	if rightV1(q, "testsecret") {
		t.Error("it is taken for other parameters, too")
	}
}

// Whatever is said, a token is of these parameters alone.
func TestATokenChangesWithEachParameter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.MapOfN(rapid.StringMatching(`[a-zA-Z]{1,8}`), rapid.StringMatching(`[ -~]{0,12}`), 1, 6).Draw(t, "parameters")
		params := url.Values{}
		for k, v := range values {
			params.Set(k, v)
		}
		before := token(params, "key", false)
		for k := range values {
			if k == "token" {
				continue
			}
			params.Set(k, params.Get(k)+"x")
			if token(params, "key", false) == before {
				t.Fatalf("%s may be changed", k)
			}
			params.Set(k, values[k])
		}
		if token(params, "yek", false) == before {
			t.Fatal("the key may be another")
		}
	})
}
