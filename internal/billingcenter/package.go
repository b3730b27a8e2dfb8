package billingcenter

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// PackageView is the page of one package.
type PackageView struct {
	Frame    web.Frame
	Form     *web.Form // of what was sent, if anything was refused
	Package  PackageRow
	Names    map[string]string // of workspaces, by ID
	Use      []bill.PackageUse // of today
	Lately   []PackageDay
	Seats    []Seat
	Changes  bool // the newest term has not begun
	Steps    []prepaid.Step
	Sold     []catalog.TrafficPackage // that can be added
	Discount map[string]quantity.Decimal
	Order    string // of a traffic package
	Charges  []prepaid.Charge
}

// PackageDay is what the bills of a past day say that a package covered.
type PackageDay struct {
	Day    period.Day
	Billed int // bills on which it covered something
	Items  map[string]Covered
}

// Covered is the part of one item.
type Covered struct{ Covered, Excess, Quota quantity.Decimal }

// latelyDays is how many past days the page shows, and chargesShown how many
// charges.
const (
	latelyDays   = 7
	chargesShown = 40
)

func (b *Console) packagePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderPackage(w, r, web.Blank())
}

func (b *Console) renderPackage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := PackageView{Form: form, Order: prepaid.NewTrafficID(), Names: map[string]string{}}
	err := b.Store.Read(ctx, func(tx *store.Tx) error { return page.read(ctx, tx, b, payer(ctx), r.PathValue("package")) })
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, sizeName(ctx, page.Package.Newest().Size), "packages")
	return web.Render(w, r, form.Status(), packagePage(page))
}

// packageOf finds a package of the account; another's is as unknown as none.
func packageOf(ctx context.Context, tx *store.Tx, a account.Billing, id string) (prepaid.Package, error) {
	p, err := tx.Package(ctx, id)
	if err == nil && p.Payer != a.ID {
		return prepaid.Package{}, prepaid.ErrUnknown
	}
	return p, err
}

func (p *PackageView) read(ctx context.Context, tx *store.Tx, b *Console, a account.Billing, id string) error {
	of, err := packageOf(ctx, tx, a, id)
	if err != nil {
		return err
	}
	if p.Package, err = b.packageRow(of); err != nil {
		return err
	}
	s, err := site.Find(of.Site)
	if err != nil {
		return err
	}
	v, err := b.Catalog.At(p.Package.Today)
	if err != nil {
		return err
	}
	if cover, ok := of.CoverOn(p.Package.Today); ok {
		p.Use, err = bill.UseOf(ctx, tx, v, catalog.Market{Currency: a.Currency, Group: s.Group}, s, cover, p.Package.Today)
		if form := (&web.Form{}); err != nil && !form.Refused(err) {
			return err
		}
	}
	if err := p.readWorkspaces(ctx, tx, b, a); err != nil {
		return err
	}
	if err := p.readDays(ctx, tx); err != nil {
		return err
	}
	p.Changes = of.Newest().First.After(p.Package.Today) && len(of.Terms) > 1
	if p.Package.State() != prepaid.Ended {
		p.Steps = of.Steps(v, p.Package.Today)
		for _, t := range v.TrafficPackages.Packages {
			if !t.Discontinued {
				p.Sold = append(p.Sold, t)
			}
		}
	}
	granted, err := tx.TrafficDiscounts(ctx, a.ID)
	if err != nil {
		return err
	}
	p.Discount = map[string]quantity.Decimal{}
	for _, d := range granted {
		if !d.Ended() {
			p.Discount[d.Item] = d.Factor
		}
	}
	p.Charges, err = tx.PackageCharges(ctx, of.ID, chargesShown)
	return err
}

// readWorkspaces reads who shares the package from the next day on, and who
// could.
func (p *PackageView) readWorkspaces(ctx context.Context, tx *store.Tx, b *Console, a account.Billing) error {
	seats, err := b.seats(ctx, tx, a, p.Form, p.Package.Site, p.Package.ID)
	if err != nil {
		return err
	}
	sharing := p.Package.Newest().Workspaces
	for i, seat := range seats {
		p.Names[seat.Workspace.ID] = seat.Workspace.Name
		if at := slices.Index(sharing, seat.Workspace.ID); at >= 0 && !p.Form.Values.Has(placeField(seat.Workspace.ID)) {
			seats[i].Place = strconv.Itoa(at + 1)
		}
	}
	slices.SortStableFunc(seats, func(a, b Seat) int { return rank(sharing, a) - rank(sharing, b) })
	p.Seats = seats
	return nil
}

func rank(sharing []string, s Seat) int {
	if at := slices.Index(sharing, s.Workspace.ID); at >= 0 {
		return at
	}
	return len(sharing)
}

// readDays sums the bills of the last days.
func (p *PackageView) readDays(ctx context.Context, tx *store.Tx) error {
	byDay := map[period.Day]*PackageDay{}
	first, last := p.Package.Today.Add(-latelyDays), p.Package.Today.Add(-1)
	for _, id := range p.everybody() {
		bills, err := tx.BillsOf(ctx, id, first, last, latelyDays)
		if err != nil {
			return err
		}
		for _, d := range bills {
			if err := p.addBill(byDay, d); err != nil {
				return err
			}
		}
	}
	for day := last; !day.Before(first); day = day.Add(-1) {
		if d := byDay[day]; d != nil {
			p.Lately = append(p.Lately, *d)
		}
	}
	return nil
}

// everybody lists the workspaces that were ever in the package.
func (p *PackageView) everybody() []string {
	var ids []string
	for _, t := range p.Package.Terms {
		for _, id := range t.Workspaces {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (p *PackageView) addBill(byDay map[period.Day]*PackageDay, d bill.Bill) (err error) {
	cover, _ := p.Package.CoverOn(d.Day)
	counted := false
	for _, l := range d.Lines {
		if l.Package == nil || l.Package.Package != p.Package.ID {
			continue
		}
		if byDay[d.Day] == nil {
			byDay[d.Day] = &PackageDay{Day: d.Day, Items: map[string]Covered{}}
		}
		of := byDay[d.Day]
		if !counted {
			of.Billed, counted = of.Billed+1, true
		}
		sum := of.Items[l.Item]
		sum.Quota = cover.Quotas[l.Item]
		if sum.Covered, err = sum.Covered.Add(l.Package.Covered); err != nil {
			return err
		}
		if sum.Excess, err = sum.Excess.Add(l.Package.Excess); err != nil {
			return err
		}
		of.Items[l.Item] = sum
	}
	return nil
}

// items lists the items of the table of past days, those of today first.
func (p PackageView) items() []string {
	var items []string
	for _, u := range p.Use {
		if slices.ContainsFunc(p.Lately, func(d PackageDay) bool { _, used := d.Items[u.Item]; return used }) {
			items = append(items, u.Item)
		}
	}
	today := len(items)
	for _, d := range p.Lately {
		for item := range d.Items {
			if !slices.Contains(items, item) {
				items = append(items, item)
			}
		}
	}
	slices.Sort(items[today:])
	return items
}

func (b *Console) arrangePackage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("package")
	workspaces, err := placed(form)
	if err == nil {
		err = b.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := prepaid.Arrange(ctx, tx, payer(ctx).ID, id, workspaces, actorOf(r), b.Now())
			return err
		})
	}
	if form.Refused(err) && fault.From(err).Kind != fault.NotFound {
		return b.renderPackage(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "package.arranged")
	return web.SeeOther(w, r, packagesPath+"/"+url.PathEscape(id))
}

func (b *Console) addTraffic(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	o := prepaid.TrafficOrder{ID: form.Text("order"), Payer: payer(ctx).ID, Package: r.PathValue("package"), Item: form.Text("item")}
	if o.Capacity, err = strconv.ParseInt(strings.ReplaceAll(strings.TrimSpace(form.Text("capacity")), ",", ""), 10, 64); err != nil {
		err = prepaid.ErrCapacity.On("capacity")
	} else {
		err = b.Store.Write(ctx, func(tx *store.Tx) error {
			_, _, err := prepaid.AddTraffic(ctx, tx, b.Catalog, o, actorOf(r), b.Now())
			return err
		})
	}
	if form.Refused(err) && fault.From(err).Kind != fault.NotFound {
		return b.renderPackage(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "package.traffic_added")
	return web.SeeOther(w, r, packagesPath+"/"+url.PathEscape(o.Package))
}

// UpgradePackage is the page on which an upgrade is paid for.
type UpgradePackage struct {
	Frame   web.Frame
	Form    *web.Form
	Package PackageRow
	Step    prepaid.Step
	Items   []string
	Usable  wallet.Mix
}

func (b *Console) upgradePackagePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderUpgradePackage(w, r, web.Blank())
}

func (b *Console) renderUpgradePackage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	v, err := b.versionToday(a.Currency)
	if err != nil {
		return err
	}
	page := UpgradePackage{Form: form, Items: packageItems(v)}
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		of, err := packageOf(ctx, tx, a, r.PathValue("package"))
		if err != nil {
			return err
		}
		if page.Package, err = b.packageRow(of); err != nil {
			return err
		}
		steps := of.Steps(v, page.Package.Today)
		i := slices.IndexFunc(steps, func(s prepaid.Step) bool { return s.Size == r.PathValue("size") })
		if i < 0 {
			return prepaid.ErrNoUpgrade
		}
		page.Step = steps[i]
		page.Usable, err = wallet.Spendable(ctx, tx, a.ID, a.Currency, b.Now())
		return err
	})
	if err != nil {
		return err
	}
	if !form.Values.Has(payField(wallet.ByCash)) {
		prefill(form, page.Step.Price, page.Usable)
	}
	page.Frame = b.frame(r, web.T(ctx, "package.upgrade.title", "name", sizeName(ctx, page.Step.Size)), "packages")
	return web.Render(w, r, form.Status(), upgradePackagePage(page))
}

func (b *Console) upgradePackage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("package")
	mix, err := mixOf(form, payer(ctx).Currency)
	if err == nil {
		err = b.Store.Write(ctx, func(tx *store.Tx) error {
			_, _, err := prepaid.Upgrade(ctx, tx, b.Catalog, payer(ctx).ID, id, r.PathValue("size"), mix, actorOf(r), b.Now())
			return err
		})
	}
	if form.Refused(err) && fault.From(err).Code != prepaid.ErrNoUpgrade.Code && fault.From(err).Kind != fault.NotFound {
		return b.renderUpgradePackage(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "package.upgraded")
	return web.SeeOther(w, r, packagesPath+"/"+url.PathEscape(id))
}

// sizeName is what a size of packages is called; one that a catalogue of the
// operator's own has is called by its ID.
func sizeName(ctx context.Context, size string) string {
	switch size {
	case "starter", "growth", "enterprise":
		return web.T(ctx, "package.size."+size)
	}
	return size
}

// chargeTitle says what a charge of a package was for.
func chargeTitle(ctx context.Context, kind prepaid.ChargeKind, what string) string {
	if kind == prepaid.Daily {
		return web.T(ctx, "package.charge.traffic_package", "item", web.Name(ctx, "item", what))
	}
	return web.T(ctx, "package.charge."+string(kind), "name", sizeName(ctx, what))
}

// partsOf sums what paid a charge, in the order of deduction.
func partsOf(c prepaid.Charge) []PaidPart {
	sums := map[wallet.Payment]money.Amount{}
	for _, l := range c.Lines {
		for _, part := range l.Paid {
			if sum, err := sums[part.Payment].Add(part.Amount); err == nil { // it was added up before
				sums[part.Payment] = sum
			}
		}
	}
	var list []PaidPart
	for _, kind := range wallet.Payments() {
		if a := sums[kind]; !a.IsZero() {
			list = append(list, PaidPart{Payment: kind, Amount: a})
		}
	}
	return list
}

// gauge shows a use; a quota is bounded far below what a number holds.
func gauge(ctx context.Context, item string, used, quota quantity.Decimal) web.Gauge {
	whole, _ := used.Truncate(0).Int()
	of, _ := quota.Truncate(0).Int()
	return web.Gauge{Label: web.Name(ctx, "item", item), Used: whole, Quota: of}
}

// trafficLabel is a traffic package with its base and what that costs a day.
func trafficLabel(ctx context.Context, t catalog.TrafficPackage, c money.Currency) string {
	return web.T(ctx, "package.traffic.option", "item", web.Name(ctx, "item", t.Item), "base", web.Count(t.Base), "price", web.Money(t.DayPrice), "currency", string(c))
}

// trafficOptions are the traffic packages that can be added, with the discount
// that the account has.
func trafficOptions(ctx context.Context, p PackageView, c money.Currency) []web.Option {
	var options []web.Option
	for _, t := range p.Sold {
		label := trafficLabel(ctx, t, c)
		if d, granted := p.Discount[t.Item]; granted {
			label += " × " + web.Exact(d)
		}
		options = append(options, web.Option{Value: t.Item, Label: label})
	}
	return options
}
