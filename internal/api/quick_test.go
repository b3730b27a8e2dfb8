package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// words are texts that a document may have, plain ones and others.
var words = rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9 ,.:-]{0,40}`), rapid.String(), rapid.SampledFrom([]string{`"`, `\`, "<&>", "中文", "\u2028", "\x7f", "\n"}))

func drawDeduction(t *rapid.T) Deduction {
	paid := nothingPaid
	paid.Cash = words.Draw(t, "cash")
	return Deduction{
		EntryID: words.Draw(t, "entry"), Number: rapid.Int64().Draw(t, "number"), AccountID: words.Draw(t, "account"),
		Amount: Amount{words.Draw(t, "amount"), "CNY"}, Cause: words.Draw(t, "cause"), Paid: paid,
		At: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at")).UTC(),
	}
}

func TestAnswersWrittenQuicklyAreThoseOfAllCalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var all Deductions
		for range rapid.IntRange(1, 4).Draw(t, "results") {
			r := DeductionResult{Key: words.Draw(t, "key"), State: "posted"}
			if rapid.Bool().Draw(t, "refused") {
				r.Problem = single(ErrFields.With("most", 7), 422)
			} else {
				d := drawDeduction(t)
				r.Deduction = &d
			}
			all.Results = append(all.Results, r)
		}
		var want bytes.Buffer
		if err := marshalJSON(&want, all); err != nil {
			t.Fatal(err)
		}
		if got := append(appendDeductions(nil, &all), '\n'); !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%s\nwant %s", got, &want)
		}
	})
}

// TestWhatIsReadQuicklyIsWhatTheDocumentSays breaks documents, and expects what
// is read of them to be what a strict reader makes of it, or nothing.
func TestWhatIsReadQuicklyIsWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		var want struct {
			Deductions []KeyedDeductionDraft `json:"deductions"`
		}
		for range rapid.IntRange(1, 3).Draw(t, "drafts") {
			want.Deductions = append(want.Deductions, KeyedDeductionDraft{Key: words.Draw(t, "key"), DeductionDraft: DeductionDraft{
				AccountID: words.Draw(t, "account"), Amount: words.Draw(t, "amount"), Currency: "CNY", Cause: words.Draw(t, "cause"), Covered: rapid.Bool().Draw(t, "covered"),
			}})
		}
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "broken") {
			at := rapid.IntRange(0, len(body)-1).Draw(t, "at")
			piece := rapid.SampledFrom([]string{"", "{", "}", "]", ",", `"`, ":", " ", "\t", "x", "\x00", "\xff", `"key":"k",`, "true", "null"}).Draw(t, "piece")
			body = append(append(bytes.Clone(body[:at]), piece...), body[at+rapid.IntRange(0, 1).Draw(t, "dropped"):]...)
		}
		got, ok := readDeductions(body)
		if !ok {
			return
		}
		read++
		want.Deductions = nil
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&want); err != nil || strict.More() || !reflect.DeepEqual(got, want.Deductions) {
			t.Fatalf("%s was read as %+v, says %+v: %v", body, got, want.Deductions, err)
		}
	})
	if read == 0 {
		t.Error("nothing was read")
	}
}

func TestOnlyPlainDocumentsAreReadQuickly(t *testing.T) {
	t.Parallel()
	const plain = `{"account_id":"a","amount":"1","currency":"CNY","cause":"c"}`
	if d, ok := readDeduction([]byte(" " + plain + "\n")); !ok || d != (DeductionDraft{AccountID: "a", Amount: "1", Currency: "CNY", Cause: "c"}) {
		t.Errorf("read %+v, %v", d, ok)
	}
	for _, body := range []string{
		``, `{}`, `[` + plain + `]`, plain + plain, `null`,
		`{"account_id":"a","amount":"1","currency":"CNY"}`,
		`{"account_id":"a","amount":"1","currency":"CNY","cause":"c","key":"k"}`,
		`{"account_id":"a","amount":"1","currency":"CNY","cause":"c","more":"m"}`,
		`{"account_id":"a","amount":"1","currency":"CNY","cause":"c","cause":"d"}`,
		`{"account_id":"a","amount":1,"currency":"CNY","cause":"c"}`,
		`{"account_id":"a","amount":"1","currency":"CNY","cause":"\u0063"}`,
		`{"account_id":"a","amount":"1","currency":"CNYCNYCNY","cause":"c"}`,
		`{"account_id":"a","amount":"1","currency":"CNY","cause":"c",}`,
		`{"Account_ID":"a","amount":"1","currency":"CNY","cause":"c"}`,
		`{"account_id":"a","amount":"1","currency":"CNY","cause":"c","covered":"true"}`,
	} {
		if d, ok := readDeduction([]byte(body)); ok {
			t.Errorf("%s was read as %+v", body, d)
		}
	}
	for _, body := range []string{`{"deductions":[]}`, `{"deductions":[` + plain + `]}`, `{"deductions":null}`, `{"deductions":[{"key":"k"}],"more":1}`} {
		if d, ok := readDeductions([]byte(body)); ok {
			t.Errorf("%s was read as %+v", body, d)
		}
	}
}
