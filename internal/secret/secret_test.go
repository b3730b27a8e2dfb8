package secret

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func ringOf(t interface{ Fatal(...any) }, keys ...string) Ring {
	r, err := Parse(strings.Join(keys, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsSealedOpensInItsPlaceAndNowhereElse(t *testing.T) {
	t.Parallel()
	first, second := NewKey(), NewKey()
	r := ringOf(t, first, second)
	rapid.Check(t, func(t *rapid.T) {
		place := Place{rapid.String().Draw(t, "cloud"), rapid.String().Draw(t, "name")}
		text := rapid.String().Draw(t, "text")
		s, err := r.Seal(place, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Open(place, s); err != nil || got != text {
			t.Fatalf("%q, %v", got, err)
		}
		if len(text) > 3 && bytes.Contains(s.Box, []byte(text)) {
			t.Fatal("the text stands in the box")
		}
		other := Place{rapid.String().Draw(t, "other cloud"), rapid.String().Draw(t, "other name")}
		if _, err := r.Open(other, s); other != place && !errors.Is(err, ErrBroken) {
			t.Fatalf("it opens as %q: %v", other, err)
		}
		bit := rapid.IntRange(0, len(s.Box)*8-1).Draw(t, "bit")
		changed := Sealed{s.Key, slices.Clone(s.Box)}
		changed.Box[bit/8] ^= 1 << (bit % 8)
		if _, err := r.Open(place, changed); !errors.Is(err, ErrBroken) {
			t.Fatalf("bit %d does not matter: %v", bit, err)
		}
	})
}

func TestEachKeyOpensWhatItSealedAndTheFirstSeals(t *testing.T) {
	t.Parallel()
	before, after, place := NewKey(), NewKey(), Place{"aws", "secret"}
	s, err := ringOf(t, before).Seal(place, "hush")
	if err != nil {
		t.Fatal(err)
	}
	both := ringOf(t, after, "# the one before", "", before)
	if text, err := both.Open(place, s); err != nil || text != "hush" || both.Current() == s.Key {
		t.Errorf("%q, %v; sealed by %s, now %s", text, err, s.Key, both.Current())
	}
	if _, err := ringOf(t, after).Open(place, s); !errors.Is(err, ErrNoKey) {
		t.Errorf("without its key: %v", err)
	}
	if _, err := (Ring{}).Seal(place, "hush"); !errors.Is(err, ErrNoKey) {
		t.Errorf("no key seals: %v", err)
	}
	if r := ringOf(t, "", "# none"); !r.Empty() || r.Current() != "" {
		t.Error("a ring without keys is not empty")
	}
}

func TestNothingPrintsAKey(t *testing.T) {
	t.Parallel()
	secret := NewKey()
	r := ringOf(t, secret)
	printed := fmt.Sprintf("%v %+v %#v %s", r, r, r, r)
	_, err := Parse("short\n")
	_, wrong := Parse(secret[:20])
	for _, text := range []string{printed, fmt.Sprint(err), fmt.Sprint(wrong)} {
		if strings.Contains(text, secret[:12]) || strings.Contains(text, "short") {
			t.Errorf("printed: %s", text)
		}
	}
	if err == nil || wrong == nil {
		t.Error("what is no key is taken")
	}
}
