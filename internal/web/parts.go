package web

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/a-h/templ"
)

// htmxConfig keeps htmx inside the content security policy and lets it show
// the fragment of an error where the content would have been.
const htmxConfig = `{"includeIndicatorStyles":false,"allowEval":false,"selfRequestsOnly":true,"responseHandling":[{"code":"204","swap":false},{"code":"[2345]..","swap":true}]}`

func htmlLanguage(ctx context.Context) string {
	if Language(ctx) == "zh" {
		return "zh-CN"
	}
	return "en"
}

func currentPage(current bool) templ.Attributes {
	if !current {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}

func pressed(on bool) string { return strconv.FormatBool(on) }

func number(n int64) string { return strconv.FormatInt(n, 10) }

func initial(name string) string {
	_, size := utf8.DecodeRuneInString(name)
	return name[:size]
}

func buttonClass(primary bool) string {
	if primary {
		return "button primary"
	}
	return "button"
}

// Attributes of an input that is wrong or optional.
func inputAttributes(f Field, wrong string) templ.Attributes {
	a := templ.Attributes{}
	if wrong != "" {
		a["aria-invalid"] = "true"
	}
	if d := f.describes(wrong); d != "" {
		a["aria-describedby"] = d
	}
	if !f.Optional && !f.ReadOnly {
		a["required"] = true
	}
	if f.Complete != "" {
		a["autocomplete"] = f.Complete
	}
	if f.Mode != "" {
		a["inputmode"] = f.Mode
	}
	if f.Max > 0 {
		a["maxlength"] = strconv.Itoa(f.Max)
	}
	if f.ReadOnly {
		a["readonly"] = true
	}
	return a
}

// grouped options for optgroup.
type optionGroup struct {
	Label   string
	Options []Option
}

func optionGroups(options []Option) []optionGroup {
	var groups []optionGroup
	for _, o := range options {
		if len(groups) == 0 || groups[len(groups)-1].Label != o.Group {
			groups = append(groups, optionGroup{Label: o.Group})
		}
		last := &groups[len(groups)-1]
		last.Options = append(last.Options, o)
	}
	return groups
}

func percentText(g Gauge) string { return strconv.FormatInt(Percent(g.Used, g.Quota), 10) + " %" }

func gaugeValue(g Gauge) string { return number(min(g.Used, g.Quota)) }

func currentStep(current bool) templ.Attributes {
	if !current {
		return nil
	}
	return templ.Attributes{"aria-current": "step"}
}

func bannerRole(t Tone) string {
	if t == Bad {
		return "alert"
	}
	return "status"
}
