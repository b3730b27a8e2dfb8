package catalog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
)

// maxFile bounds the catalogue file that Load looks at.
const maxFile = 1 << 20

// Problem is one thing that is wrong with a catalogue file.
type Problem struct {
	Path     string // the place: versions[2024-11-06].items[logs].unit.size
	Sentence string // what is wrong there, with a verb of fmt for each of the arguments; a translation has the same
	Args     []any
}

// Text is the sentence in English.
func (p Problem) Text() string { return fmt.Sprintf(p.Sentence, p.Args...) }

// Problems is everything that is wrong with a catalogue file.
type Problems []Problem

// Error names them all, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Path + ": " + problem.Text()
	}
	return strings.Join(lines, "\n")
}

// Load reads and checks a catalogue file. The error is ErrInvalid because of
// Problems, which name everything that is wrong at once.
func Load(text []byte) (*Catalog, error) {
	var b builder
	c := b.catalog(text)
	if len(b.problems) > 0 {
		return nil, ErrInvalid.With("problems", len(b.problems)).Because(b.problems)
	}
	return c, nil
}

// builder turns the file's shape into versions and collects what is wrong.
type builder struct {
	at       string // the path of what is being read
	problems Problems
}

func (b *builder) wrong(path, sentence string, args ...any) {
	place := b.at
	if path != "" {
		place = strings.TrimPrefix(b.at+"."+path, ".")
	}
	b.problems = append(b.problems, Problem{place, sentence, args})
}

// within runs read with the path extended.
func (b *builder) within(path string, read func()) {
	outer := b.at
	b.at = strings.TrimPrefix(outer+"."+path, ".")
	read()
	b.at = outer
}

// file reads the shape of a file; what is wrong with it was said when it has
// no version.
func (b *builder) file(text []byte) fileCatalog {
	b.at = "file"
	var file fileCatalog
	if len(text) > maxFile {
		b.wrong("", "is larger than %d bytes", maxFile)
		return file
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := decoder.Decode(&file); err != nil {
		b.wrong("", "%s", strings.TrimSpace(yaml.FormatError(err, false, false)))
		return fileCatalog{}
	}
	b.at = ""
	if len(file.Versions) == 0 {
		b.wrong("versions", "names no version")
	}
	return file
}

func (b *builder) catalog(text []byte) *Catalog {
	file := b.file(text)
	var versions []*Version
	var before *Version
	for i := range file.Versions {
		f := &file.Versions[i]
		b.within("versions["+name(f.ID, i)+"]", func() {
			v := b.version(f, before)
			b.sequence(v, before, versions)
			b.check(v)
			versions = append(versions, v)
			before = v
		})
	}
	return of(versions, versions)
}

// name is what a path calls an entry: its ID, or its place when it has none.
func name(id string, i int) string {
	if id == "" {
		return fmt.Sprint(i)
	}
	return id
}

// version builds one version on the one before, which it may amend.
func (b *builder) version(f *fileVersion, before *Version) *Version {
	v := &Version{}
	switch {
	case f.Amends == "":
		b.complete(f)
	case before == nil || before.ID != f.Amends:
		b.wrong("amends", "must name the version directly before, not %q", f.Amends)
	default:
		*v = *before
		v.Items = slices.Clone(before.Items)
	}
	v.ID = f.ID
	v.From = b.day("from", f.From)
	v.Until = period.Day{}
	if f.Until != "" {
		v.Until = b.day("until", f.Until)
	}
	b.items(v, f.Items)
	if f.Rounding != nil {
		v.Rounding = b.rounding(f.Rounding)
	}
	if f.Splits != nil {
		v.Splits = f.Splits
	}
	if f.TaskCalls != nil {
		v.TaskCalls = *f.TaskCalls
	}
	b.quotas(v, f.Quotas)
	b.retention(v, f.Retention)
	b.annual(v, f.AnnualPackages)
	b.traffic(v, f.TrafficPackages)
	b.cards(v, f.Cards)
	return v
}

// complete reports the sections that a version which amends nothing lacks.
func (b *builder) complete(f *fileVersion) {
	missing := map[string]bool{
		"rounding": f.Rounding == nil, "items": len(f.Items) == 0, "quotas": f.Quotas == nil,
		"retention": f.Retention == nil, "splits": f.Splits == nil, "task_calls": f.TaskCalls == nil,
	}
	for _, section := range slices.Sorted(maps.Keys(missing)) {
		if missing[section] {
			b.wrong(section, "is missing, and the version amends none")
		}
	}
}

func (b *builder) items(v *Version, items []fileItem) {
	seen := map[string]bool{}
	for i := range items {
		f := &items[i]
		b.within("items["+name(f.ID, i)+"]", func() {
			item := b.item(f)
			if seen[f.ID] {
				b.wrong("id", "is used twice in this version")
			}
			seen[f.ID] = true
			at := slices.IndexFunc(v.Items, func(old Item) bool { return old.ID == f.ID })
			if at < 0 {
				v.Items = append(v.Items, item)
			} else {
				v.Items[at] = item
			}
		})
	}
	v.index = make(map[string]int, len(v.Items))
	for i, item := range v.Items {
		v.index[item.ID] = i
	}
}

func (b *builder) day(path, text string) period.Day {
	d, err := period.ParseDay(text)
	if err != nil {
		b.wrong(path, "%q is no date such as 2026-03-01", text)
	}
	return d
}

// Limits of the figures in a catalogue. More decimals than these would be
// lost on every line, and a larger price is a slip of the pen.
const (
	maxPriceDecimals = 6
	maxPriceDigits   = 9 // before the point
)

// decimal reads a figure that must not be negative.
func (b *builder) decimal(path, text string) quantity.Decimal {
	d, err := quantity.Parse(text)
	switch whole, _, _ := strings.Cut(text, "."); {
	case err != nil:
		b.wrong(path, "%q is no plain decimal number", text)
	case d.Sign() < 0:
		b.wrong(path, "%q is negative", text)
	case len(whole) > maxPriceDigits:
		b.wrong(path, "%q has more than %d digits before the point", text, maxPriceDigits)
	default:
		if _, ok := d.Scaled(maxPriceDecimals); !ok {
			b.wrong(path, "%q has more than %d decimals", text, maxPriceDecimals)
		}
	}
	return d
}

// powerOfTen reads a size that must be 1, 10, 100, … and gives its exponent too.
func (b *builder) powerOfTen(path, text string) (quantity.Decimal, int) {
	d, err := quantity.Parse(text)
	n, whole := d.Int()
	if err != nil || !whole || n < 1 {
		b.wrong(path, "%q is no power of ten", text)
		return quantity.Of(1), 0
	}
	exponent := 0
	for rest := n; rest > 1; rest /= 10 {
		if rest%10 != 0 {
			b.wrong(path, "%q is no power of ten", text)
			return quantity.Of(1), 0
		}
		exponent++
	}
	return quantity.Of(n), exponent
}

func (b *builder) currency(path, text string) money.Currency {
	c, err := money.ParseCurrency(text)
	if err != nil {
		b.wrong(path, "%q is no currency in use", text)
	}
	return c
}

func (b *builder) amount(path, text string, c money.Currency) money.Amount {
	a, err := money.Parse(text, c)
	switch {
	case err != nil:
		b.wrong(path, "%q is no amount with at most two decimals", text)
	case a.Sign() < 0:
		b.wrong(path, "%q is negative", text)
	}
	return a
}
