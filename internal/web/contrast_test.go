package web_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// textPairs are the colours of text and of what it stands on; each must have the
// contrast that WCAG 2.2 asks of text (1.4.3, level AA).
var textPairs = [][2]string{
	{"ink", "ground"}, {"ink", "sunken"}, {"ink", "raised"}, {"ink", "hover"}, {"ink-2", "ground"}, {"ink-2", "sunken"},
	{"ink-2", "raised"}, {"ink-2", "hover"}, {"accent", "ground"}, {"accent", "raised"}, {"accent", "sunken"}, {"accent", "accent-soft"},
	{"on-accent", "accent"}, {"on-accent", "accent-hover"}, {"ink", "accent-soft"}, {"ink-2", "accent-soft"},
	{"good", "good-soft"}, {"warn", "warn-soft"}, {"bad", "bad-soft"}, {"bad", "raised"}, {"bad", "ground"}, {"warn", "raised"},
	{"ink", "good-soft"}, {"ink", "warn-soft"}, {"ink", "bad-soft"}, {"ink-2", "good-soft"}, {"ink-2", "warn-soft"}, {"ink-2", "bad-soft"},
}

// shapePairs are the colours of what is no text: borders of inputs, bars and
// the focus (1.4.11).
var shapePairs = [][2]string{
	{"line-strong", "ground"}, {"line-strong", "raised"}, {"focus", "ground"}, {"focus", "sunken"}, {"warn-fill", "raised"},
	{"bad-fill", "raised"}, {"accent", "raised"}, {"s0", "raised"}, {"good", "good-soft"},
}

func TestColoursHaveTheContrastThatTheyNeed(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("static/tollgate.css")
	if err != nil {
		t.Fatal(err)
	}
	css := string(body)
	light := tokens(css[:strings.Index(css, "@media")])
	dark := tokens(css[strings.Index(css, `:root[data-theme="dark"]`):strings.Index(css, "*, ::before")])
	system := tokens(css[strings.Index(css, "@media"):strings.Index(css, `:root[data-theme="dark"]`)])
	for name, colour := range dark {
		if system[name] != colour {
			t.Errorf("--%s is %s by choice and %s by the system", name, colour, system[name])
		}
	}
	for theme, colours := range map[string]map[string]string{"light": light, "dark": dark} {
		enough(t, theme, colours, textPairs, 4.5)
		enough(t, theme, colours, shapePairs, 3)
	}
}

func enough(t *testing.T, theme string, colours map[string]string, pairs [][2]string, least float64) {
	t.Helper()
	for _, p := range pairs {
		a, b := luminance(t, colours[p[0]]), luminance(t, colours[p[1]])
		if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < least {
			t.Errorf("%s: --%s on --%s has %.2f, less than %.1f", theme, p[0], p[1], ratio, least)
		}
	}
}

func tokens(css string) map[string]string {
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	if len(colour) != 7 {
		t.Fatalf("no colour: %q", colour)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
