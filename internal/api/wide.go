package api

import (
	"net/http"
	"strings"

	"tollgate.dev/internal/attachment"
)

// maxWide bounds what a call may send that takes a file: the file in base64
// and the fields around it.
const maxWide = attachment.MaxBytes*4/3 + maxBody

// wide marks a call that takes a file.
func wide(r route) route {
	r.Wide = true
	return r
}

// room is how much a request may send. Only who shows some sign-in may send a
// file; whether it is a good one is found out at the gate.
func (s *server) room(r *http.Request) int64 {
	if _, shown := bearer(r); shown {
		for _, w := range s.wide {
			if w.Method == r.Method && fits(Prefix+w.Path, r.URL.Path) {
				return maxWide
			}
		}
	}
	return maxBody
}

// fits reports whether the path is one of the pattern's.
func fits(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}
