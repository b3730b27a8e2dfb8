package api

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/wallet"
)

// Deductions come by the thousand a second, and reading and writing their JSON
// by reflection would cost more than posting them. What is plain is read and
// answered here. Whatever is not, right or wrong, is left to the way of all
// calls, which says the same (quick_test.go).

// deductQuickly answers a call for deductions whose body is plain, and reports
// whether it did.
func (s *server) deductQuickly(w http.ResponseWriter, r *http.Request, body []byte) bool {
	const one = Prefix + deductionsPath
	many := r.URL.Path == one+"/batch"
	if r.Method != http.MethodPost || !many && r.URL.Path != one || r.URL.RawQuery != "" || r.Header.Get("Accept") != "" && r.Header.Get("Accept") != plainJSON {
		return false
	}
	who, err := s.admit(r, Route{Console: Deducting})
	if err != nil {
		s.problem(err, r).write(w)
		return true
	}
	if many {
		return s.deductManyQuickly(w, r, who, body)
	}
	key := r.Header[keyHeader]
	if len(key) != 1 || !keyFits(key[0]) {
		return false
	}
	draft, ok := readDeduction(body)
	if !ok {
		return false
	}
	taken, err := s.takeOne(r.Context(), who, &draft, key[0])
	if err != nil {
		s.problem(err, r).write(w)
		return true
	}
	if taken.Before {
		w.Header().Set(replayedHeader, "true")
	}
	d := deductionOf(taken.Entry)
	writeQuickly(w, created, func(to []byte) []byte { return appendDeduction(to, &d) })
	return true
}

func (s *server) deductManyQuickly(w http.ResponseWriter, r *http.Request, who *caller, body []byte) bool {
	drafts, ok := readDeductions(body)
	if !ok {
		return false
	}
	out, err := s.takeMany(r.Context(), who, drafts, r)
	if err != nil {
		s.problem(err, r).write(w)
		return true
	}
	writeQuickly(w, http.StatusOK, func(to []byte) []byte { return appendDeductions(to, out) })
	return true
}

// keyFits reports whether a key is of the form that the schema asks for.
func keyFits(key string) bool {
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return false
		}
	}
	return len(key) > 0 && len(key) <= wallet.MostDebitKey
}

// answers are buffers for what is written.
var answers = sync.Pool{New: func() any { return new([]byte) }}

func writeQuickly(w http.ResponseWriter, status int, compose func(to []byte) []byte) {
	buffer := answers.Get().(*[]byte)
	defer answers.Put(buffer)
	*buffer = append(compose((*buffer)[:0]), '\n')
	h := w.Header()
	h.Set("Content-Type", plainJSON)
	h.Set("Content-Length", strconv.Itoa(len(*buffer)))
	w.WriteHeader(status)
	_, _ = w.Write(*buffer) // the caller has gone away if this fails
}

// readDeduction reads a plain body of one deduction.
func readDeduction(body []byte) (draft DeductionDraft, ok bool) {
	s, ok := scan(body)
	if !ok {
		return draft, false
	}
	keyed, has := s.draft()
	return keyed.DeductionDraft, s.ended() && has == hasDraft
}

// readDeductions reads a plain body of many.
func readDeductions(body []byte) (all []KeyedDeductionDraft, ok bool) {
	s, ok := scan(body)
	if !ok || !s.is('{') || s.text() != "deductions" || !s.is(':') || !s.is('[') {
		return nil, false
	}
	all = make([]KeyedDeductionDraft, 0, min(mostDeductions, 1+len(body)/100))
	for more := true; more; more = s.is(',') {
		d, has := s.draft()
		if s.failed || has != hasDraft|hasKey || len(all) == mostDeductions {
			return nil, false
		}
		all = append(all, d)
	}
	return all, s.is(']') && s.is('}') && s.ended()
}

// The members that a draft has.
const (
	hasAccount = 1 << iota
	hasAmount
	hasCurrency
	hasCause
	hasCovered
	hasKey

	hasDraft = hasAccount | hasAmount | hasCurrency | hasCause
)

// scanner reads plain JSON: texts without escapes, and nothing but what is
// expected. Once it has failed it stays so.
type scanner struct {
	rest   string
	failed bool
}

// scan begins with a body. Its texts are pieces of one copy.
func scan(body []byte) (*scanner, bool) {
	return &scanner{rest: string(body)}, utf8.Valid(body)
}

func (s *scanner) space() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\n' || s.rest[0] == '\r' || s.rest[0] == '\t') {
		s.rest = s.rest[1:]
	}
}

// is takes the character, if it is next.
func (s *scanner) is(c byte) bool {
	s.space()
	if s.failed || len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// ended reports whether nothing is left.
func (s *scanner) ended() bool {
	s.space()
	return !s.failed && s.rest == ""
}

// text takes a text without escapes.
func (s *scanner) text() string {
	if s.is('"') {
		for i := 0; i < len(s.rest); i++ {
			switch c := s.rest[i]; {
			case c == '"':
				text := s.rest[:i]
				s.rest = s.rest[i+1:]
				return text
			case c == '\\' || c < ' ':
				s.failed = true
				return ""
			}
		}
	}
	s.failed = true
	return ""
}

// truth takes true or false.
func (s *scanner) truth() bool {
	s.space()
	for _, word := range []string{"true", "false"} {
		if rest, ok := strings.CutPrefix(s.rest, word); ok {
			s.rest = rest
			return word == "true"
		}
	}
	s.failed = true
	return false
}

// bounded takes a text of at most so many bytes: never more characters than
// the schema takes.
func (s *scanner) bounded(most int) string {
	text := s.text()
	s.failed = s.failed || len(text) > most
	return text
}

// draft takes a deduction, and says which members it has; one that comes twice
// or is unknown fails.
func (s *scanner) draft() (d KeyedDeductionDraft, has int) {
	s.failed = s.failed || !s.is('{')
	for more := true; more && !s.failed; more = s.is(',') {
		name := s.text()
		s.failed = s.failed || !s.is(':')
		member := 0
		switch name {
		case "account_id":
			member, d.AccountID = hasAccount, s.bounded(64)
		case "amount":
			member, d.Amount = hasAmount, s.bounded(32)
		case "currency":
			member, d.Currency = hasCurrency, s.bounded(8)
		case "cause":
			member, d.Cause = hasCause, s.bounded(256)
		case "covered":
			member, d.Covered = hasCovered, s.truth()
		case "key":
			member, d.Key = hasKey, s.bounded(wallet.MostDebitKey)
		}
		s.failed = s.failed || member == 0 || has&member != 0
		has |= member
	}
	s.failed = s.failed || !s.is('}')
	return d, has &^ hasCovered
}

// appendDeductions appends the JSON of what came of many.
func appendDeductions(to []byte, all *Deductions) []byte {
	to = append(to, `{"results":[`...)
	for i := range all.Results {
		if i > 0 {
			to = append(to, ',')
		}
		result := &all.Results[i]
		if result.Problem != nil {
			to = appendSlowly(to, result)
			continue
		}
		to = appendText(append(to, `{"key":`...), result.Key)
		to = appendText(append(to, `,"state":`...), result.State)
		to = append(appendDeduction(append(to, `,"deduction":`...), result.Deduction), '}')
	}
	return append(to, `]}`...)
}

// appendDeduction appends the JSON of a deduction.
func appendDeduction(to []byte, d *Deduction) []byte {
	to = appendText(append(to, `{"entry_id":`...), d.EntryID)
	to = strconv.AppendInt(append(to, `,"number":`...), d.Number, 10)
	to = appendText(append(to, `,"account_id":`...), d.AccountID)
	to = appendText(append(to, `,"amount":{"amount":`...), d.Amount.Amount)
	to = appendText(append(to, `,"currency":`...), d.Amount.Currency)
	to = appendText(append(to, `},"cause":`...), d.Cause)
	to = appendText(append(to, `,"paid":{"voucher":`...), d.Paid.Voucher)
	to = appendText(append(to, `,"full_reduction":`...), d.Paid.FullReduction)
	to = appendText(append(to, `,"card":`...), d.Paid.Card)
	to = appendText(append(to, `,"cash":`...), d.Paid.Cash)
	to = appendText(append(to, `,"cloud":`...), d.Paid.Cloud)
	to = appendText(append(to, `,"owed":`...), d.Paid.Owed)
	to = d.At.AppendFormat(append(to, `},"at":"`...), time.RFC3339Nano)
	return append(to, `"}`...)
}

// appendText appends a text as JSON.
func appendText(to []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendSlowly(to, text)
		}
	}
	return append(append(append(to, '"'), text...), '"')
}

// appendSlowly appends a value as JSON in the way of all calls.
func appendSlowly(to []byte, v any) []byte {
	buffer := appending(to)
	if err := marshalJSON(&buffer, v); err != nil {
		panic("api: an answer must encode: " + err.Error())
	}
	return buffer[:len(buffer)-1] // without the line feed
}

// appending is written to at its end.
type appending []byte

func (a *appending) Write(text []byte) (int, error) {
	*a = append(*a, text...)
	return len(text), nil
}
