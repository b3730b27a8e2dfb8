package id

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNamesAreValidAndNeverTheSame(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 2000 {
		name := New(Workspace)
		if !Valid(Workspace, name) || seen[name] {
			t.Fatalf("%q is not a new name", name)
		}
		seen[name] = true
	}
}

func TestTokenHasTheShapeThatInstallersCheck(t *testing.T) {
	t.Parallel()
	if token := New(Token); !strings.HasPrefix(token, "tkn_") || len(token) != 4+32 {
		t.Errorf("token %q", token)
	}
}

func TestForeignTextIsNoName(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := New(Bill)
		at := rapid.IntRange(0, len(name)-1).Draw(t, "place")
		letter := rapid.SampledFrom([]byte{'A', '-', ' ', 0, '/', '%'}).Draw(t, "letter")
		for _, changed := range []string{
			name[:at] + string(letter) + name[at+1:], name[:at] + name[at+1:], name[:at] + "0" + name[at:] + "0",
		} {
			if Valid(Bill, changed) {
				t.Fatalf("%q is taken for a name", changed)
			}
		}
		if Valid(Workspace, name) {
			t.Fatalf("%q is taken for a workspace", name)
		}
	})
}

func TestDigitsAndReferences(t *testing.T) {
	t.Parallel()
	for n := range 10 {
		if code := Digits(n); len(code) != n || strings.Trim(code, "0123456789") != "" {
			t.Errorf("%d digits: %q", n, code)
		}
	}
	if ref := Short(); len(ref) != 10 || strings.Trim(ref, alphabet) != "" {
		t.Errorf("reference %q", ref)
	}
	counts := map[byte]int{}
	for _, c := range []byte(Digits(4000)) {
		counts[c]++
	}
	for c := byte('0'); c <= '9'; c++ {
		if counts[c] < 250 || counts[c] > 600 {
			t.Errorf("digit %c came %d times in 4000", c, counts[c])
		}
	}
}
