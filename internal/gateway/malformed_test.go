package gateway

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

var update = flag.Bool("update", false, "write what malformed bodies are answered anew")

// malformed is a body that no collector should send, and what it is answered.
// In a text, <k*70000> stands for so many of the letter.
type malformed struct {
	Name   string            `yaml:"name"`
	Path   string            `yaml:"path"`
	Header map[string]string `yaml:"header,omitempty"`
	Text   string            `yaml:"text,omitempty"`
	Hex    string            `yaml:"hex,omitempty"`
	Pack   string            `yaml:"pack,omitempty"`
	Status int               `yaml:"status"` // of the answer
	Code   string            `yaml:"code"`
	Says   string            `yaml:"says"`
}

var manyOf = regexp.MustCompile(`<(.)\*(\d+)>`)

func (m malformed) body(t *testing.T) []byte {
	t.Helper()
	body := []byte(manyOf.ReplaceAllStringFunc(m.Text, func(s string) string {
		parts := manyOf.FindStringSubmatch(s)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(parts[1], n)
	}))
	if m.Hex != "" {
		var err error
		if body, err = hex.DecodeString(m.Hex); err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
	}
	switch m.Pack {
	case "snappy":
		return snappy.Encode(nil, body)
	case "zstd":
		encoder, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return encoder.EncodeAll(body, nil)
	}
	return body
}

// TestMalformedBodiesAreToldWhereTheyBreak plays a corpus of bodies over all
// protocols: each is refused for good with a sentence, and counts nothing.
func TestMalformedBodiesAreToldWhereTheyBreak(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/malformed/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []malformed
		if err := yaml.UnmarshalWithOptions(text, &cases, yaml.Strict()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		total += len(cases)
		s := newStage(t)
		for i := range cases {
			s.refuses(filepath.Base(file), &cases[i])
		}
		s.expect(0, 0, 0)
		if *update {
			if text, err = yaml.MarshalWithOptions(cases, yaml.UseLiteralStyleIfMultiline(false)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if total < 200 {
		t.Errorf("the corpus has %d bodies only", total)
	}
}

func (s *stage) refuses(file string, m *malformed) {
	s.t.Helper()
	w := s.raw(call{path: m.Path, header: header(pairsOf(m.Header)...), body: m.body(s.t)})
	code, says := answered(s.t, w.Header().Get("Content-Type"), w.Body.Bytes())
	if w.Code < 400 || w.Code > 499 || code == "" || !strings.HasSuffix(says, ".") || len(says) > 400 {
		s.t.Errorf("%s, %s: answered %d %s %q", file, m.Name, w.Code, code, says)
	}
	got := malformed{m.Name, m.Path, m.Header, m.Text, m.Hex, m.Pack, w.Code, code, says}
	if *update {
		*m = got
		return
	}
	if got.Status != m.Status || got.Code != m.Code || got.Says != m.Says {
		s.t.Errorf("%s, %s: answered %d %s %q, want %d %s %q", file, m.Name, got.Status, got.Code, got.Says, m.Status, m.Code, m.Says)
	}
}

func pairsOf(h map[string]string) []string {
	var pairs []string
	for k, v := range h {
		pairs = append(pairs, k, v)
	}
	return pairs
}

// answered is the code and the sentence of a refusal, in whichever words.
func answered(t *testing.T, kind string, body []byte) (code, says string) {
	t.Helper()
	if kind == protobufType {
		_, text := rpcStatus(t, body)
		code, says, _ = strings.Cut(text, ": ")
		return code, says
	}
	var answer struct{ Code, Message any }
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&answer); err != nil {
		t.Errorf("answered %.200q, which is no JSON", body)
	}
	says = fmt.Sprint(answer.Message)
	if code, known := answer.Code.(string); known {
		return code, says
	}
	code, says, _ = strings.Cut(says, ": ")
	return code, says
}
