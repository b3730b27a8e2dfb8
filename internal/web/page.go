package web

import "github.com/a-h/templ"

// Tone is the colour of a state, never its only sign.
type Tone string

// The tones.
const (
	Plain  Tone = "plain"
	Good   Tone = "good"
	Warn   Tone = "warn"
	Bad    Tone = "bad"
	Accent Tone = "accent"
)

// toneIcon is the sign that goes with the colour.
var toneIcon = map[Tone]string{Plain: "info", Good: "check-circle", Warn: "alert", Bad: "octagon", Accent: "info"}

// Frame is everything around a page.
type Frame struct {
	Title    string
	Console  string // its name, translated
	Home     string // where the logo leads
	Nav      []NavItem
	Switcher *Switcher
	Person   *Person
	Notices  []Notice
	Focused  bool            // a narrow page of one task: sign-in, sign-up
	Note     templ.Component // above everything, on every page: the sandbox clock
}

// NavItem is a line of the navigation.
type NavItem struct {
	Label   string
	Href    string
	Icon    string
	Current bool
	Badge   string
	Tone    Tone // of the badge
}

// Switcher changes between workspaces.
type Switcher struct {
	Name    string // of the current one
	Note    string // its plan
	Items   []NavItem
	NewHref string
}

// Person is who is signed in.
type Person struct {
	Name    string
	Detail  string // role, e-mail
	SignOut string // where the sign-out form is sent
	Links   []NavItem
}

// Notice is a sentence on top of a page.
type Notice struct {
	Tone   Tone
	Title  string
	Text   string
	Action *Action
}

// Action is a link that looks like a button.
type Action struct {
	Label   string
	Href    string
	Primary bool
	Icon    string
}

// Step is one of a stepper. A finished step may lead back.
type Step struct {
	Label string
	State StepState
	Href  string
}

// StepState says where in a stepper somebody is.
type StepState string

// The states of a step.
const (
	Done    StepState = "done"
	Current StepState = "current"
	Ahead   StepState = "ahead"
)

// Steps marks the labels before the current one as done; current counts from 1.
func Steps(current int, labels ...string) []Step {
	steps := make([]Step, len(labels))
	for i, label := range labels {
		steps[i] = Step{Label: label, State: Ahead}
		switch {
		case i+1 < current:
			steps[i].State = Done
		case i+1 == current:
			steps[i].State = Current
		}
	}
	return steps
}

// Field is one input of a form with its label, hint and error.
type Field struct {
	Form     *Form
	Name     string
	Label    string
	Hint     string
	Type     string // text by default
	Complete string // the autocomplete token
	Mode     string // the inputmode
	Optional bool
	Value    string // where the form has none
	Max      int
	Options  []Option // of Select and Radios
	Rows     int      // of Area
	Mono     bool     // of Area: it holds a file, whose columns matter
	ReadOnly bool
}

// Option is one of a select or of radio buttons.
type Option struct {
	Value string
	Label string
	Note  string
	Group string // consecutive options of one group stand together
	Off   bool
}

// Shown is what the input holds.
func (f Field) Shown() string {
	if f.Form != nil && f.Form.Values.Has(f.Name) {
		return f.Form.Shown(f.Name)
	}
	return f.Value
}

// Kind is the type of the input.
func (f Field) Kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// Describes are the IDs of the texts that describe the input.
func (f Field) describes(wrong string) string {
	text := ""
	if f.Hint != "" {
		text = f.Name + "-hint"
	}
	if wrong != "" {
		if text != "" {
			text += " "
		}
		text += f.Name + "-error"
	}
	return text
}

// Pair is a line of a definition list.
type Pair struct {
	Term string
	Text string
	Note string
	Mono bool
	Part templ.Component // in place of Text
}

// Gauge is how much of a quota is used.
type Gauge struct {
	Label string
	Used  int64
	Quota int64
}

// Tone is the state of the gauge: a warning at 85 %, exhausted at 100 %
// (domain section 6).
func (g Gauge) Tone() Tone {
	switch {
	case g.Used >= g.Quota:
		return Bad
	case g.Used*100 >= g.Quota*85:
		return Warn
	}
	return Accent
}

// Tab is one of a row of views of the same thing.
type Tab struct {
	Label   string
	Href    string
	Current bool
	Count   string
}

// Pager leads to the neighbouring pages of a list.
type Pager struct {
	Newer string // a link, or empty
	Older string
	Note  string
}
