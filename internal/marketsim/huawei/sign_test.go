package huawei

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

// The documented rules with chosen inputs, computed outside of this code.
func TestSignaturesAreThoseOfTheVectors(t *testing.T) {
	t.Parallel()
	body := `{"activity":"newInstance","businessId":"b1","orderId":"CS1","orderLineId":"CS1-000001","testFlag":"1"}`
	usage := `{"usage_records":[{"begin_time":"20220809T080000Z","end_time":"20220809T090000Z","instance_id":"i1","metering_sn":"m1","record_time":"20220809T091000Z","usage_value":"99"}]}`
	for name, pair := range map[string][2]string{
		"second generation": {
			signatureV2("hwkey", "50D83FDECAED6CCD", "1680508066618", []byte(body)), "3EB0A3C7DE1327E3BA41CA9F370F82487BF870690D6DF326FACF36F775AC0019",
		},
		"its inner part": {hex.EncodeToString(mac("hwkey", []byte(body))), "016f99a5a23e0c18e76f4b8f231825d7c14b52be1242d55e568a81c6b56e4859"},
		"first generation": {
			authToken("hwkey", url.Values{"activity": {"expireInstance"}, "instanceId": {"i1"}, "orderId": {"CS1"}, "timeStamp": {"20170725025113409"}, "authToken": {"x"}}),
			"LiZZ+omNoDG+I5PoHsPm16ntyJP4Y1SYbQmoYMA81nQ=",
		},
		"its answer":  {bodySign("hwkey", []byte(`{"resultCode":"000000","resultMsg":"success."}`)), "66ZqU7euiq+GomPUhggoZ8aKjd+BHJeBJicpQ9OGX0g="},
		"usage":       {usageSignature("hwkey", "1709690865879", "n1", []byte(usage)), "IpyqYa9kPMDd86GRiI9HMTCUUgPdeHNfKxIgHFJSwxs="},
		"the AES key": {hex.EncodeToString(secretKey("hwkey", 32)), "47b72d59c07cb753795237a75ee75c44ef075997103f236404587a78c0b6d71d"},
		"AES-256":     {encrypt("user1", "hwkey", "0123456789abcdef", 1), "0123456789abcdefsLqdsU/3fLR23EG6frv69A=="},
		"AES-128":     {encrypt("user1", "hwkey", "0123456789abcdef", 2), "0123456789abcdefH4Fhy8Bfyz+4veEXCW6+fw=="},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s, want %s", name, pair[0], pair[1])
		}
	}
}

// A vector that somebody else published.
func TestTheSignatureOfCallsIsThatOfAPublishedVector(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/api/mkp-openapi-public/global/v1/license/activate", nil)
	r.Host = "mkt.myhuaweicloud.com"
	r.Header.Set("X-Stage", "RELEASE")
	r.Header.Set("X-Sdk-Date", "20240317T144237Z")
	r.Header.Set("Content-Type", "application/json")
	got := sdkSignature(r, []string{"content-type", "host", "x-sdk-date", "x-stage"}, nil, "123")
	if want := "77595ad624b6e4e49990b8c4e84bf1c287457fca61069c4e60b9b6765b52053d"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestBodySignIsTakenWithTheBlankOfTheSample(t *testing.T) {
	t.Parallel()
	body := []byte(`{"resultCode":"000000","resultMsg":"success."}`)
	for header, want := range map[string]bool{
		`sign_type="HMAC-SHA256", signature="66ZqU7euiq+GomPUhggoZ8aKjd+BHJeBJicpQ9OGX0g="`:  true,
		`sign_type="HMAC-SHA256", signature= "66ZqU7euiq+GomPUhggoZ8aKjd+BHJeBJicpQ9OGX0g="`: true,
		`sign_type=HMAC-SHA256, signature=66ZqU7euiq+GomPUhggoZ8aKjd+BHJeBJicpQ9OGX0g=`:      false,
		`sign_type="HMAC-SHA256", signature="x"`:                                             false,
		"":                                                                                   false,
	} {
		if got := rightBodySign(header, "hwkey", body); got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}

func TestWhatIsEncryptedIsDecrypted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, seed := rapid.StringN(1, 40, 80).Draw(t, "text"), rapid.StringN(1, 20, 40).Draw(t, "seed")
		iv := rapid.StringMatching(`[0-9a-zA-Z]{16}`).Draw(t, "iv")
		kind := rapid.IntRange(1, 2).Draw(t, "type")
		if got, err := decrypt(encrypt(text, seed, iv, kind), seed, kind); err != nil || got != text {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

func FuzzDecrypt(f *testing.F) {
	f.Add("0123456789abcdefsLqdsU/3fLR23EG6frv69A==", 1)
	f.Add("0123456789abcdef", 2)
	f.Fuzz(func(t *testing.T, text string, kind int) {
		if got, err := decrypt(text, "hwkey", kind); err == nil && len(got) >= len(text) {
			t.Fatalf("%q from %q", got, text)
		}
	})
}
