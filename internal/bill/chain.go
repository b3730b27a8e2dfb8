package bill

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"tollgate.dev/internal/site"
)

// Link is the end of a series' chain of bills: the last number, and a hash that
// holds those of all bills of the series in the order of their numbers. It does
// not matter in which lots they were made. The zero link is that of no bill.
type Link struct {
	Number int64
	Hash   string
}

// Next is the link of the bill with the next number.
func (l Link) Next(billHash string) Link {
	var text [4*sha256.Size + 1]byte // two hashes in hexadecimal, and what keeps them apart
	sum := sha256.Sum256(append(append(append(text[:0], l.Hash...), '\n'), billHash...))
	return Link{l.Number + 1, hexOf(sum)}
}

// End is where the chain of a series stands.
type End struct {
	Series string
	Link
}

// older is how a closed day writes down where the chains of other years stand:
// a bill of last year may be made this year.
func older(ends []End, own string) string {
	var text strings.Builder
	for _, e := range ends {
		if e.Series != own {
			fmt.Fprintf(&text, "%s %d %s\n", e.Series, e.Number, e.Hash)
		}
	}
	return text.String()
}

// ends are the links that a closed day holds. What cannot be read is left out:
// then the day's own hash is wrong, too.
func (d SiteDay) ends() []End {
	all := []End{{d.Series, Link{d.Through, d.Digest}}}
	for line := range strings.Lines(d.Older) {
		var e End
		if _, err := fmt.Sscanf(line, "%s %d %s", &e.Series, &e.Number, &e.Hash); err == nil {
			all = append(all, e)
		}
	}
	return all
}

// mark is a link that a closed day holds, and that the bills must come by.
type mark struct {
	End
	day string
}

// chains walks the bills of each series in the order of their numbers.
type chains struct {
	at    map[string]Link
	marks map[string][]mark // those to come, in the order of numbers
}

func newChains() chains { return chains{map[string]Link{}, map[string][]mark{}} }

// expect notes the links of a closed day.
func (c *Check) expect(d SiteDay) {
	for _, e := range d.ends() {
		m := mark{e, string(d.Site) + " " + d.Day.String()}
		if e.Number == 0 {
			c.meet(m, Link{})
		} else {
			c.chains.marks[e.Series] = append(c.chains.marks[e.Series], m)
		}
	}
}

func (c *Check) meet(m mark, l Link) {
	if m.Link != l {
		c.find("I6", m.day, "the bills of %s up to number %d are not those that it was closed with", m.Series, m.Number)
	}
}

// link takes the next bill of a series.
func (c *Check) link(series string, number int64, hash string) {
	l := c.chains.at[series].Next(hash)
	l.Number = number // one that was left out changes the hash behind it
	c.chains.at[series] = l
	marks := c.chains.marks[series]
	for len(marks) > 0 && marks[0].Number <= number {
		c.meet(marks[0], l)
		marks = marks[1:]
	}
	c.chains.marks[series] = marks
}

// Ends takes the figures of a series: how many bills have a number of it, the
// smallest and the largest, and where the store says that its chain stands.
func (c *Check) Ends(e End, bills, smallest, largest int64) {
	if bills != largest || largest != e.Number || bills > 0 && smallest != 1 {
		c.find("I11", e.Series, "%d bills have numbers from %d to %d, and %d were taken", bills, smallest, largest, e.Number)
	}
	if c.chains.at[e.Series] != e.Link {
		c.find("I6", e.Series, "the chain of its bills does not end where the store says")
	}
	delete(c.chains.at, e.Series)
}

// Day takes the next closed day of a site. Feed all days before the bills.
func (c *Check) Day(d SiteDay) {
	before := c.days[d.Site]
	name := string(d.Site) + " " + d.Day.String()
	switch {
	case before.Begun() && before.Day.Add(1) != d.Day:
		c.find("I6", name, "it follows %s", before.Day)
	case d.Previous != before.Hash:
		c.find("I6", name, "it does not hold the hash of the day before")
	}
	c.days[d.Site] = d
	if !d.Closed() {
		return
	}
	if d.Hash != d.Sum() {
		c.find("I6", name, "the record of its close was changed")
	}
	if since := before.through(d.Series); d.Bills != d.Through-since {
		c.find("I6", name, "it was closed with %d bills, and has the numbers from %d to %d", d.Bills, since+1, d.Through)
	}
	c.expect(d)
}

// LastDay takes the stored end of a site's chain of closed days.
func (c *Check) LastDay(s site.ID, hash string) {
	last := c.days[s]
	if last.Begun() && !last.Closed() {
		last.Hash = last.Previous
	}
	if last.Hash != hash {
		c.find("I6", string(s), "the chain of its days does not end where the store says")
	}
}
