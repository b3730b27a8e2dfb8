package operator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// VersionRow is one version of the catalogue.
type VersionRow struct {
	*catalog.Version
	Added catalog.Added // zero: it came with the program
	State string        // past, now or coming
	Last  bool          // no other is built on it
}

// Removable reports whether the version can still be taken back.
func (v VersionRow) Removable() bool { return v.Last && v.State == "coming" && v.Added.ID != "" }

// Versions is the catalogue.
type Versions struct {
	Frame web.Frame
	Rows  []VersionRow // newest first

	HeldBack []*catalog.Version // of the program, without effect
}

// NewVersion is the form of a version that is to be added.
type NewVersion struct {
	Frame    web.Frame
	Form     *web.Form
	Problems catalog.Problems
	Checked  *VersionRow // set when the file is in order
	Changes  catalog.Difference
	After    string // the version that it can amend
	Today    period.Day
}

// VersionView is one version and what it changed.
type VersionView struct {
	Frame   web.Frame
	Row     VersionRow
	Before  *catalog.Version // nil for the first
	Changes catalog.Difference
}

// maxUpload bounds a form with a file; a catalogue has at most a million bytes.
const maxUpload = 5 << 18

const catalogPath = Prefix + "/catalog"

func versionPath(id string) string { return catalogPath + "/versions/" + url.PathEscape(id) }

// versions reads the catalogue as it is stored, the newest first.
func (o *Console) versions(ctx context.Context) (*catalog.Catalog, []VersionRow, error) {
	whole, added, err := o.stored(ctx)
	if err != nil {
		return nil, nil, err
	}
	return whole, versionRows(whole, added, catalog.Today(o.Clock.Now(), site.All())), nil
}

func (o *Console) stored(ctx context.Context) (whole *catalog.Catalog, added []catalog.Added, err error) {
	err = o.Store.Read(ctx, func(tx *store.Tx) error {
		whole, added, err = o.Catalog.Whole(ctx, tx)
		return err
	})
	return whole, added, err
}

func versionRows(whole *catalog.Catalog, added []catalog.Added, today period.Day) []VersionRow {
	by := map[string]catalog.Added{}
	for _, a := range added {
		by[a.ID] = a
	}
	versions := whole.Versions()
	rows := make([]VersionRow, len(versions))
	for i, v := range versions {
		rows[len(versions)-1-i] = VersionRow{Version: v, Added: by[v.ID], State: v.State(today), Last: i == len(versions)-1}
	}
	return rows
}

func (o *Console) catalogPage(w http.ResponseWriter, r *http.Request) error {
	whole, added, err := o.stored(r.Context())
	if err != nil {
		return err
	}
	page := Versions{
		Frame: o.frame(r, web.T(r.Context(), "op.nav.catalog"), "catalog"),
		Rows:  versionRows(whole, added, catalog.Today(o.Clock.Now(), site.All())), HeldBack: o.Catalog.HeldBack(added),
	}
	return web.Render(w, r, http.StatusOK, versionsPage(page))
}

func (o *Console) versionPage(w http.ResponseWriter, r *http.Request) error {
	_, rows, err := o.versions(r.Context())
	if err != nil {
		return err
	}
	for i, row := range rows {
		if row.ID != r.PathValue("version") {
			continue
		}
		page := VersionView{Frame: o.frame(r, row.ID, "catalog"), Row: row}
		if i+1 < len(rows) {
			page.Before = rows[i+1].Version
			page.Changes = catalog.DifferenceOf(page.Before, row.Version)
		}
		return web.Render(w, r, http.StatusOK, versionPage(page))
	}
	return catalog.ErrVersion.With("version", r.PathValue("version"))
}

func (o *Console) newVersionPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderNewVersion(w, r, NewVersion{Form: web.Blank()})
}

func (o *Console) renderNewVersion(w http.ResponseWriter, r *http.Request, page NewVersion) error {
	ctx := r.Context()
	_, rows, err := o.versions(ctx)
	if err != nil {
		return err
	}
	page.After, page.Today = rows[0].ID, catalog.Today(o.Clock.Now(), site.All())
	page.Frame = o.frame(r, web.T(ctx, "catalog.add.title"), "catalog")
	return web.Render(w, r, page.Form.Status(), newVersionPage(page))
}

// addVersion checks the file that was sent and, unless it was only to be
// checked, adds the version.
func (o *Console) addVersion(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := parseUpload(w, r)
	if err != nil {
		return err
	}
	page, document := NewVersion{Form: form}, []byte(form.Text("document"))
	var whole *catalog.Catalog
	if form.Text("act") == "add" {
		by := catalog.Actor{ID: operator(ctx).ID, Address: web.Address(r)}
		err = o.Store.Write(ctx, func(tx *store.Tx) (err error) {
			whole, _, err = o.Catalog.Add(ctx, tx, document, by, o.Clock.Now())
			return err
		})
	} else {
		whole, err = o.check(ctx, document)
	}
	if errors.As(err, &page.Problems) {
		err = catalog.ErrInvalid.With("count", len(page.Problems))
	}
	if form.Refused(err) {
		return o.renderNewVersion(w, r, page)
	}
	if err != nil {
		return err
	}
	versions := whole.Versions()
	before, v := versions[len(versions)-2], versions[len(versions)-1]
	if form.Text("act") == "add" {
		o.Catalog.Adopt(whole)
		o.say(ctx, web.Good, "catalog.said.added", "id", v.ID, "day", v.From.String())
		return web.SeeOther(w, r, versionPath(v.ID))
	}
	page.Checked, page.Changes = &VersionRow{Version: v}, catalog.DifferenceOf(before, v)
	return o.renderNewVersion(w, r, page)
}

func (o *Console) check(ctx context.Context, document []byte) (*catalog.Catalog, error) {
	whole, _, err := o.versions(ctx)
	if err != nil {
		return nil, err
	}
	return whole.Check(document, o.Clock.Now())
}

// parseUpload reads a form whose document was typed or sent as a file.
func parseUpload(w http.ResponseWriter, r *http.Request) (*web.Form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	if err := r.ParseMultipartForm(maxUpload); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, web.ErrForm.Because(err)
	}
	form := &web.Form{Values: r.Form}
	if file, _, err := r.FormFile("file"); err == nil {
		text, err := io.ReadAll(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, web.ErrForm.Because(err)
		}
		if len(text) > 0 {
			form.Values.Set("document", string(text))
		}
	}
	if text := form.Text("document"); !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, web.ErrForm
	}
	return form, nil
}

func (o *Console) removeVersion(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	by := catalog.Actor{ID: operator(ctx).ID, Address: web.Address(r)}
	var whole *catalog.Catalog
	err := o.Store.Write(ctx, func(tx *store.Tx) (err error) {
		whole, err = o.Catalog.Remove(ctx, tx, r.PathValue("version"), by, o.Clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	o.Catalog.Adopt(whole)
	o.say(ctx, web.Good, "catalog.said.removed", "id", r.PathValue("version"))
	return web.SeeOther(w, r, catalogPath)
}

// itemName is the catalogue's own name of an item, in the language of the page.
func itemName(ctx context.Context, v *catalog.Version, id string) string {
	item, err := v.Item(id)
	switch {
	case err != nil:
		return id
	case web.Language(ctx) == "zh":
		return item.Name.Zh
	}
	return item.Name.En
}

// className is a class as people read it; one that has no name shows itself.
func className(ctx context.Context, class string) string {
	if name := web.Name(ctx, "class", class); !strings.HasPrefix(name, "⟦") {
		return name
	}
	return class
}

// until is the day on which another version begins.
func until(v *catalog.Version) string {
	if v.Until.IsZero() {
		return "–"
	}
	return v.Until.String()
}

func versionPairs(ctx context.Context, v VersionRow) []web.Pair {
	rounding := web.T(ctx, "catalog.rounding.exact")
	if v.Rounding.TruncateUnits {
		rounding = web.T(ctx, "catalog.rounding.truncate", "n", v.Rounding.UnitDecimals)
	}
	pairs := []web.Pair{
		{Term: web.T(ctx, "op.col.state"), Part: web.Badge(priceTone(v.State), web.T(ctx, "catalog.state."+v.State))},
		{Term: web.T(ctx, "catalog.items"), Text: web.Count(int64(len(v.Items)))},
		{Term: web.T(ctx, "catalog.rounding"), Text: rounding},
		{Term: web.T(ctx, "catalog.origin"), Part: origin(v)},
	}
	if v.Added.ID != "" {
		pairs = append(pairs, web.Pair{Term: "SHA-256", Text: v.Added.SHA256, Mono: true})
	}
	return pairs
}
