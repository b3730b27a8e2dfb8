package web

// BarChart is stacked bars per day or hour; the same figures stand in the
// table below it.
type BarChart struct {
	Label  string   // what is counted, in which unit
	Head   string   // the head of the table's first column
	Series []string // names, at most six: as many patterns as can be told apart
	Bars   []Bar
	Top    string // the text of the largest total
	Format func(n int64) string
}

// Bar is one bar, with a value per series.
type Bar struct {
	Label  string
	Href   string
	Values []int64
	Texts  []string // the values as shown; Format where empty
}

// The drawing's own units; the stylesheet scales them.
const (
	chartHeight = 160
	chartSlot   = 20
	chartBar    = 14
)

// segment is one rectangle of the drawing.
type segment struct {
	X, Y, Height int64
	Series       int
}

func (c BarChart) width() int { return max(len(c.Bars), 1) * chartSlot }

func (c BarChart) largest() int64 {
	var most int64 = 1
	for _, b := range c.Bars {
		var sum int64
		for _, v := range b.Values {
			sum += max(v, 0)
		}
		most = max(most, sum)
	}
	return most
}

// segments stacks the values of a bar from the ground up. What is not nothing
// is at least a unit high.
func (c BarChart) segments(index int) []segment {
	most, ground := c.largest(), int64(chartHeight)
	var list []segment
	for i, v := range c.Bars[index].Values {
		if v <= 0 {
			continue
		}
		height := scale(v, most)
		ground = max(ground-height, 0)
		list = append(list, segment{X: int64(index*chartSlot + (chartSlot-chartBar)/2), Y: ground, Height: height, Series: i})
	}
	return list
}

func scale(v, most int64) int64 {
	for most > 1<<40 { // keep the product inside 64 bits
		v, most = v>>1, most>>1
	}
	return max(v*(chartHeight-4)/most, 2)
}

func (c BarChart) text(bar, series int) string {
	b := c.Bars[bar]
	if series < len(b.Texts) {
		return b.Texts[series]
	}
	if c.Format != nil {
		return c.Format(b.Values[series])
	}
	return Count(b.Values[series])
}
