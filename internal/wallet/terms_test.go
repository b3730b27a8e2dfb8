package wallet

import (
	"testing"
	"time"

	"tollgate.dev/internal/money"
)

// TestEntriesFromBeforeKeepTheirHash holds the hash of an entry to the one that
// it had before entries had terms: books that are older stay verifiable.
func TestEntriesFromBeforeKeepTheirHash(t *testing.T) {
	t.Parallel()
	e := Entry{
		ID: "ltxn_a", At: time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC), Number: 7, Previous: "abc",
		Movement: Movement{Key: "source:vchr_a", Kind: VoucherIssued, Cause: "vchr_a", Payer: "bcac_a", Postings: []Posting{
			{Voucher("bcac_a", "vchr_a"), money.Of(100, money.CNY)}, {Grants(money.CNY), money.Of(-100, money.CNY)},
		}},
	}
	const before = "3e0d59b9c78e421ddea9e077378440c81045f51a5493a36775b8f680fd312aae"
	if got := e.Sum(); got != before {
		t.Errorf("the hash is %s", got)
	}
	e.Terms = "until=0 origin=given from="
	if e.Sum() == before {
		t.Error("the terms are not within the hash")
	}
}
