package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var static embed.FS

// asset is one file that pages refer to, under a name that changes with its
// content, so that browsers may keep it for ever.
type asset struct {
	body   []byte
	kind   string
	hashed string
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

var assets = sync.OnceValue(func() map[string]asset {
	files, err := static.ReadDir("static")
	if err != nil {
		panic("web: " + err.Error())
	}
	all := map[string]asset{}
	for _, f := range files {
		body, err := static.ReadFile("static/" + f.Name())
		if err != nil {
			panic("web: " + err.Error())
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		hashed := strings.TrimSuffix(f.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		all[f.Name()] = asset{body: body, kind: kinds[ext], hashed: hashed}
	}
	return all
})

// Asset is the address of a static file. An unknown one is a programmer's mistake.
func Asset(name string) string {
	a, ok := assets()[name]
	if !ok {
		panic("web: no static file " + name)
	}
	return "/static/" + a.hashed
}

// Static serves the static files under /static/, for a year by their hashed
// names and for a minute by their plain ones.
func Static() http.Handler {
	byName := map[string]asset{}
	for name, a := range assets() {
		byName[name], byName[a.hashed] = a, a
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/static/")
		a, ok := byName[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "public, max-age=60")
		if name == a.hashed {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		_, _ = w.Write(a.body)
	})
}
