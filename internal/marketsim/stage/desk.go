package stage

import (
	"net/http"
	"net/url"
	"strings"
)

// LongestList is how many rows a page shows.
const LongestList = 200

// Desk serves the pages of a market: what can be bought, what was, one
// purchase, and the buttons of all of them.
type Desk struct {
	Base      string // where the market's pages begin
	Purchases string // the word for purchases in paths: /purchases/ID

	// List shows what can be bought, or one of it, and what was.
	List func(w http.ResponseWriter, r *http.Request, code string, status int, problem string)
	// One shows one purchase.
	One func(w http.ResponseWriter, r *http.Request, id string)
	// Press does what a button says, and gives the purchase to show then; none
	// leads back to the list.
	Press func(args map[string]string) (id string, err error)
}

// ServeHTTP implements http.Handler.
func (d Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	kind, id, _ := strings.Cut(path, "/")
	switch {
	case r.Method == http.MethodPost && path == "do":
		d.press(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "get pages, and post forms", http.StatusMethodNotAllowed)
	case path == "" || kind == "products":
		d.List(w, r, id, http.StatusOK, "")
	case kind == d.Purchases && id != "":
		d.One(w, r, id)
	default:
		http.NotFound(w, r)
	}
}

func (d Desk) press(w http.ResponseWriter, r *http.Request) {
	args, ok := Form(w, r)
	if !ok {
		return
	}
	id, err := d.Press(args)
	if err != nil {
		d.List(w, r, "", http.StatusUnprocessableEntity, err.Error())
		return
	}
	to := d.Base + "/"
	if id != "" {
		to += d.Purchases + "/" + url.PathEscape(id)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
