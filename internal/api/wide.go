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
	r.Room = maxWide
	return r
}

// manner is how much a request may send, and of which media types. Only who
// shows some sign-in may send more than usual; whether it is a good one is
// found out at the gate.
func (s *server) manner(r *http.Request) (room int64, media []string) {
	if _, err := shownKey(r); err == nil {
		for _, w := range s.unusual {
			if w.Method == r.Method && fits(Prefix+w.Path, r.URL.Path) {
				return w.Room, w.Media
			}
		}
	}
	return maxBody, nil
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
