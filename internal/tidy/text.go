package tidy

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// marks of work that was put off. They are put together here, so that this
// file does not hold them.
var marks = []string{"TO" + "DO", "FIX" + "ME"}

// machine are folders at the root of somebody's machine: a committed text that
// names one works there and nowhere else.
var machine = []string{"tmp", "work", "root"}

// checkText holds the rules of every text, Go or not.
func checkText(file string, text []byte) []Violation {
	if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) || vendored(file) {
		return nil
	}
	var found []Violation
	isGo := strings.HasSuffix(file, ".go")
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if folder := machinePath(line); folder != "" && !strings.HasSuffix(file, "_test.go") {
			found = append(found, Violation{file, number, folder + " is a folder of somebody's machine; make it a setting, or ask for a temporary one"})
		}
		if mark := unfinishedIn(line); mark != "" && !isGo { // of Go, the comments are read
			found = append(found, Violation{file, number, mark + ": finish it, or file an issue"})
		}
	}
	return found
}

// vendored files are somebody else's.
func vendored(file string) bool {
	return strings.HasSuffix(file, ".min.js") || slices.Contains([]string{"LICENSE", "go.sum"}, path.Base(file))
}

func unfinishedIn(text string) string {
	for _, mark := range marks {
		if hasWord(text, mark) {
			return mark
		}
	}
	return ""
}

func hasWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(word)
		if !wordAt(text, i-1) && !wordAt(text, from) {
			return true
		}
	}
}

// machinePath finds an absolute path such as /name or /name/… whose first part
// is one of machine, and not a part of a longer path or word.
func machinePath(line string) string {
	for _, folder := range machine {
		want := "/" + folder
		for from := 0; ; {
			i := strings.Index(line[from:], want)
			if i < 0 {
				break
			}
			i += from
			from = i + len(want)
			begins := i == 0 || strings.IndexByte(" \t\"'`(=:,[<>{", line[i-1]) >= 0
			if begins && !wordAt(line, from) && (from >= len(line) || line[from] != '.' && line[from] != '-') {
				return want
			}
		}
	}
	return ""
}

func wordAt(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= utf8.RuneSelf
}
