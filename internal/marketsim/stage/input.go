package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// longestForm bounds what a button posts.
const longestForm = 16 << 10

// Form reads what a button of a page sends; ok is false when the answer was
// given already.
func Form(w http.ResponseWriter, r *http.Request) (args map[string]string, ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "no form", http.StatusBadRequest)
		return nil, false
	}
	args = map[string]string{}
	for k := range r.PostForm {
		args[k] = strings.TrimSpace(r.PostForm.Get(k))
	}
	return args, true
}

// OneOf says that a switch has none of its values.
func OneOf(name, value string, of ...string) error {
	if slices.Contains(of, value) {
		return nil
	}
	return fmt.Errorf("%s: %q: choose of %v", name, value, of)
}

// Switched is the switches with those changed that the JSON object names, if
// all that it names are there and the check lets them pass.
func Switched[S any](now S, text []byte, check func(S) error) (S, error) {
	next := now
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&next)
	if err == nil {
		err = check(next)
	}
	if err != nil {
		return now, err
	}
	return next, nil
}
