package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"
	"tollgate.dev/internal/account"

	"github.com/danielgtaylor/huma/v2"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// catalogue is what the operator does with versions of the prices.
func (s *server) catalogue() []route {
	const all, one = "/operator/catalog/versions", "/operator/catalog/versions/{version_id}"
	return []route{
		reads(onDuty(get, all, account.Look, "list-catalog-versions", "Versions of the catalogue, the newest first"), s.listVersions),
		reads(onDuty(get, one, account.Look, "show-catalog-version", "A version: its items, its prices, and what it changes"), s.showVersion),
		reads(onDuty(post, "/operator/catalog/check", account.KeepPrices, "check-catalog-version", "Check the file of a version that is to be added; nothing is kept"), s.checkVersion),
		outside(onDuty(post, all, account.KeepPrices, "add-catalog-version", "Add a version that begins on a day to come"), created, s.addVersion),
		gone(onDuty(remove, one, account.KeepPrices, "remove-catalog-version", "Take back the last version, as long as it does not hold yet"), s.removeVersion),
		reads(onDuty(get, one+"/what-if", account.Look, "try-catalog-version", "What a version would have made of the bills of a month, workspace by workspace"), s.tryVersion),
	}
}

// gone does work that opens its own transactions and has nothing to say.
func gone[I any](r Route, work func(c *call, in *I) error) route {
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, http.StatusNoContent, func(ctx context.Context, in *I) (*struct{}, error) {
			return nil, work(s.call(ctx, nil), in)
		})
	}}
}

// CatalogEntry is a version of the catalogue.
type CatalogEntry struct {
	CatalogVersion
	State   string     `json:"state" enum:"past,now,coming,held_back" doc:"held_back: a version of the program that does not hold, since others were added before it came."`
	Origin  string     `json:"origin" enum:"program,added"`
	AddedBy string     `json:"added_by,omitempty"`
	AddedAt *time.Time `json:"added_at,omitempty"`
	SHA256  string     `json:"sha256,omitempty" doc:"Of the file that was added."`
}

// CatalogDetail is a version with what it sells.
type CatalogDetail struct {
	CatalogEntry
	Items    []CatalogItem `json:"items" nullable:"false"`
	Follows  string        `json:"follows,omitempty" doc:"The version before."`
	Prices   []PriceChange `json:"price_changes" nullable:"false" doc:"Compared with the version before."`
	New      []string      `json:"new_items" nullable:"false"`
	Changed  []string      `json:"changed_items" nullable:"false" doc:"Those of which more than the price changed."`
	Sections []string      `json:"changed_sections" nullable:"false" doc:"Other sections of the file that changed."`
	Document string        `json:"document,omitempty" doc:"The file that was added, YAML."`
}

// CatalogItem is what is sold, with its prices.
type CatalogItem struct {
	Item       string       `json:"item" example:"logs"`
	NameEn     string       `json:"name_en"`
	NameZh     string       `json:"name_zh"`
	UnitSize   string       `json:"unit_size" doc:"A price is for so many of what is counted." example:"1000000"`
	UnitName   string       `json:"unit_name" example:"records"`
	Sampling   string       `json:"sampling" enum:"new_in_hour,day_to_date,stored_total"`
	Rule       string       `json:"rule" enum:"sum24,max24,max_of_two"`
	PayAsYouGo bool         `json:"pay_as_you_go" doc:"False: sold within packages only."`
	Prices     []ItemsPrice `json:"prices" nullable:"false"`
}

// ItemsPrice is the price of a unit a day.
type ItemsPrice struct {
	Group    string `json:"group" enum:"china,international"`
	Currency string `json:"currency"`
	Class    string `json:"class" doc:"The retention class, or none."`
	Price    string `json:"price" doc:"A decimal."`
}

// PriceChange is a price that a version changes.
type PriceChange struct {
	Item     string `json:"item"`
	Group    string `json:"group"`
	Currency string `json:"currency"`
	Class    string `json:"class"`
	Before   string `json:"before,omitempty" doc:"A decimal; missing where there was none."`
	After    string `json:"after,omitempty" doc:"A decimal; missing where there is none any more."`
}

func (c *call) today() period.Day { return catalog.Today(c.at, site.All()) }

// entries lists the versions of a catalogue, the oldest first.
func entries(whole *catalog.Catalog, added []catalog.Added, held []*catalog.Version, today period.Day) []CatalogEntry {
	by := map[string]catalog.Added{}
	for _, a := range added {
		by[a.ID] = a
	}
	var list []CatalogEntry
	for _, v := range whole.Versions() {
		e := CatalogEntry{CatalogVersion: versionOf(v), State: v.State(today), Origin: "program"}
		if a, ok := by[v.ID]; ok {
			at := a.At.UTC()
			e.Origin, e.AddedBy, e.AddedAt, e.SHA256 = "added", a.By, &at, a.SHA256
		}
		list = append(list, e)
	}
	for _, v := range held {
		list = append(list, CatalogEntry{CatalogVersion: versionOf(v), State: "held_back", Origin: "program"})
	}
	return list
}

func (s *server) listVersions(c *call, in *struct{ Paged }) (*Page[CatalogEntry], error) {
	whole, added, err := s.Catalog.Whole(c, c.tx)
	if err != nil {
		return nil, err
	}
	all := entries(whole, added, s.Catalog.HeldBack(added), c.today())
	slices.Reverse(all)
	name := func(e CatalogEntry) string { return e.State + "." + e.ID } // one that is held back may have the name of an added one
	return pageOf(in.Paged, "catalog_versions", all, name, func(e CatalogEntry) CatalogEntry { return e })
}

// OfVersion names a version of the catalogue.
type OfVersion struct {
	VersionID string `path:"version_id" maxLength:"64"`
}

func (s *server) showVersion(c *call, in *OfVersion) (*CatalogDetail, error) {
	whole, added, err := s.Catalog.Whole(c, c.tx)
	if err != nil {
		return nil, err
	}
	return detailOf(whole, added, in.VersionID, c.today())
}

// detailOf shows a version with what it changes of the one before.
func detailOf(whole *catalog.Catalog, added []catalog.Added, id string, today period.Day) (*CatalogDetail, error) {
	versions := whole.Versions()
	i := slices.IndexFunc(versions, func(v *catalog.Version) bool { return v.ID == id })
	if i < 0 {
		return nil, catalog.ErrVersion.With("version", id)
	}
	d := &CatalogDetail{CatalogEntry: entries(whole, added, nil, today)[i], Prices: []PriceChange{}, New: []string{}, Changed: []string{}, Sections: []string{}}
	for _, item := range versions[i].Items {
		d.Items = append(d.Items, itemOf(item))
	}
	if k := slices.IndexFunc(added, func(a catalog.Added) bool { return a.ID == id }); k >= 0 {
		d.Document = string(added[k].Document)
	}
	if i == 0 {
		return d, nil
	}
	changes := catalog.DifferenceOf(versions[i-1], versions[i])
	d.Follows = versions[i-1].ID
	d.New, d.Changed, d.Sections = append(d.New, changes.New...), append(d.Changed, changes.Items...), append(d.Sections, changes.Sections...)
	for _, p := range changes.Prices {
		d.Prices = append(d.Prices, PriceChange{p.Item, string(p.Market.Group), string(p.Market.Currency), p.Class, p.Before, p.After})
	}
	return d, nil
}

func itemOf(item catalog.Item) CatalogItem {
	shown := CatalogItem{
		Item: item.ID, NameEn: item.Name.En, NameZh: item.Name.Zh, UnitSize: item.Unit.Size.Plain(), UnitName: item.Unit.Name.En,
		Sampling: string(item.Sampling), Rule: string(item.Rule), PayAsYouGo: item.PayAsYouGo, Prices: []ItemsPrice{},
	}
	for _, m := range catalog.Markets() {
		for _, class := range item.Classes {
			if p, err := item.Price(m.Currency, m.Group, class); err == nil {
				shown.Prices = append(shown.Prices, ItemsPrice{string(m.Group), string(m.Currency), class, p.String()})
			}
		}
	}
	return shown
}

// offered is the file of a version.
type offered struct {
	Body struct {
		Document string `json:"document" minLength:"1" maxLength:"60000" doc:"A catalogue file with one version, YAML. A larger one is added in the console or on the command line."`
	}
}

// invalid names everything that is wrong with a file, each with its place.
func invalid(err error) error {
	var problems catalog.Problems
	if !errors.As(err, &problems) {
		return err
	}
	p := single(catalog.ErrInvalid.With("problems", len(problems)), catalog.ErrInvalid.Kind.Status())
	p.Field = "document"
	for _, wrong := range problems {
		p.Errors = append(p.Errors, FieldProblem{Field: "document." + wrong.Path, Code: catalog.ErrInvalid.Code, Detail: wrong.Text()})
	}
	return p
}

func last(whole *catalog.Catalog) string {
	versions := whole.Versions()
	return versions[len(versions)-1].ID
}

func (s *server) checkVersion(c *call, in *offered) (*CatalogDetail, error) {
	whole, added, err := s.Catalog.Whole(c, c.tx)
	if err != nil {
		return nil, err
	}
	if whole, err = whole.Check([]byte(in.Body.Document), c.at); err != nil {
		return nil, invalid(err)
	}
	return detailOf(whole, added, last(whole), c.today())
}

func (c *call) pricer() catalog.Actor { return catalog.Actor{ID: c.AccountID, Address: c.Address} }

func (s *server) addVersion(c *call, in *offered) (*CatalogDetail, error) {
	var whole *catalog.Catalog
	var a catalog.Added
	err := s.Store.Write(c, func(tx *store.Tx) (err error) {
		whole, a, err = s.Catalog.Add(c, tx, []byte(in.Body.Document), c.pricer(), c.at)
		return err
	})
	if err != nil {
		return nil, invalid(err)
	}
	s.Catalog.Adopt(whole)
	return detailOf(whole, []catalog.Added{a}, a.ID, c.today())
}

func (s *server) removeVersion(c *call, in *OfVersion) error {
	var whole *catalog.Catalog
	err := s.Store.Write(c, func(tx *store.Tx) (err error) {
		whole, err = s.Catalog.Remove(c, tx, in.VersionID, c.pricer(), c.at)
		return err
	})
	if err == nil {
		s.Catalog.Adopt(whole)
	}
	return err
}

// CatalogTrial is what a version would have made of a month's bills, a page of
// workspaces at a time.
type CatalogTrial struct {
	Version    string          `json:"version"`
	Month      string          `json:"month" example:"2026-03"`
	Items      []TrialRow      `json:"items" nullable:"false" doc:"A row per workspace and account that paid for it."`
	Failed     int             `json:"unrated_count" doc:"Bills of this page that the version could not have made. They are in no row."`
	Unrated    []UnratedBill   `json:"unrated" nullable:"false" doc:"The first of them."`
	Totals     []TrialCurrency `json:"page_totals" nullable:"false" doc:"The sums of this page."`
	NextCursor string          `json:"next_cursor,omitempty" doc:"Asks for what follows; missing at the end."`
}

// TrialChange is what was billed and what it would have been: decimals.
type TrialChange struct {
	Before     string `json:"before"`
	After      string `json:"after"`
	Difference string `json:"difference"`
}

// TrialRow is the change for a workspace.
type TrialRow struct {
	WorkspaceID string `json:"workspace_id"`
	AccountID   string `json:"account_id"`
	Currency    string `json:"currency"`
	Bills       int    `json:"bills"`
	TrialChange
	Parts []TrialItem `json:"parts" nullable:"false" doc:"By billing item."`
}

// TrialItem is the change of one item.
type TrialItem struct {
	Item string `json:"item"`
	TrialChange
}

// TrialCurrency is the change in one currency.
type TrialCurrency struct {
	Currency string `json:"currency"`
	TrialChange
}

// UnratedBill is a bill that the version could not have made.
type UnratedBill struct {
	BillNumber string `json:"bill_number"`
	Code       string `json:"code"`
	Detail     string `json:"detail"`
}

// ErrMonth is a month that cannot be read.
var ErrMonth = fault.New(fault.Invalid, "what_if_month", "Enter a month such as 2026-03.")

// trying asks what a version would have billed.
type trying struct {
	OfVersion
	Paged
	Month string `query:"month" required:"true" maxLength:"7" example:"2026-03"`
}

func (s *server) tryVersion(c *call, in *trying) (*CatalogTrial, error) {
	month, err := period.ParseMonth(in.Month)
	if err != nil {
		return nil, ErrMonth.On("month")
	}
	place, err := in.after("trial")
	if err != nil {
		return nil, err
	}
	whole, _, err := s.Catalog.Whole(c, c.tx)
	if err != nil {
		return nil, err
	}
	v, err := whole.Find(in.VersionID)
	if err != nil {
		return nil, err
	}
	of := bill.NewWhatIf(whole, v, month)
	rows, err := of.Walk(c, c.tx, place, in.limit())
	if err != nil {
		return nil, err
	}
	shown := &CatalogTrial{Version: v.ID, Month: month.String(), Items: make([]TrialRow, 0, len(rows)), Failed: of.Failed, Unrated: []UnratedBill{}, Totals: []TrialCurrency{}}
	if of.Next != "" {
		shown.NextCursor = cursor("trial", of.Next)
	}
	return shown, shown.fill(of, rows)
}

func (t *CatalogTrial) fill(of *bill.WhatIf, rows []bill.WhatIfRow) error {
	for _, r := range rows {
		row := TrialRow{WorkspaceID: r.WorkspaceID, AccountID: r.Payer, Currency: string(r.Currency), Bills: r.Bills, Parts: []TrialItem{}}
		var err error
		if row.TrialChange, err = changeOf(r.Change); err != nil {
			return err
		}
		for _, i := range r.Items {
			change, err := changeOf(i.Change)
			if err != nil {
				return err
			}
			row.Parts = append(row.Parts, TrialItem{i.Item, change})
		}
		t.Items = append(t.Items, row)
	}
	for _, currency := range slices.Sorted(maps.Keys(of.Totals)) {
		change, err := changeOf(*of.Totals[currency])
		if err != nil {
			return err
		}
		t.Totals = append(t.Totals, TrialCurrency{string(currency), change})
	}
	for _, u := range of.Unrated {
		t.Unrated = append(t.Unrated, UnratedBill{u.Bill.Number, u.Reason.Code, u.Reason.Message})
	}
	return nil
}

func changeOf(c bill.Change) (TrialChange, error) {
	d, err := c.Difference()
	return TrialChange{c.Before.String(), c.After.String(), d.String()}, err
}
