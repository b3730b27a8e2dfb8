package notify

import (
	"embed"
	htmltemplate "html/template"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// letter is a mail before its words are chosen: what the two layouts, plain
// text and HTML, are filled with.
type letter struct {
	kind     Kind
	to       string
	language string
	at       time.Time
	words    map[string]any // what the sentences of this kind name
	code     string         // shown large, on a line of its own
	facts    []fact
	links    []link // where the reader acts, the most important first
}

// fact is a line of the table: a label's key and its value.
type fact struct{ label, value string }

//go:embed letters
var files embed.FS

// The words per language are text templates, named kind.part; the layouts hold
// none. HTML is escaped by its layout and nowhere else.
var (
	words = map[string]*template.Template{
		"en": template.Must(template.ParseFS(files, "letters/*.en.tmpl")),
		"zh": template.Must(template.ParseFS(files, "letters/*.zh.tmpl")),
	}
	textLayout = template.Must(template.ParseFS(files, "letters/layout.txt.tmpl"))
	htmlLayout = htmltemplate.Must(htmltemplate.ParseFS(files, "letters/layout.html.tmpl"))
)

// Languages lists the languages that mails are written in.
func Languages() []string { return []string{"en", "zh"} }

// spoken is the language that a mail is written in: English for anything that
// is not known, so that no mail is lost to a setting.
func spoken(language string) string {
	if _, ok := words[language]; ok {
		return language
	}
	return "en"
}

// page is what the layouts take.
type page struct {
	Language string
	Subject  string
	Heading  string
	Lead     []string
	Code     string
	Facts    []row
	Links    []anchor
	Notes    []string
	Footer   string
}

type row struct{ Label, Value string }

// longestLine bounds a text from outside, such as a workspace's name.
const longestLine = 400

func (l letter) write(base string) (Mail, error) {
	language := spoken(l.language)
	said := map[string]any{}
	for key, value := range l.words {
		if s, ok := value.(string); ok {
			value = oneLine(s)
		}
		said[key] = value
	}
	var failed error
	say := func(name string) string {
		var b strings.Builder
		if err := words[language].ExecuteTemplate(&b, name, said); err != nil && failed == nil {
			failed = err
		}
		return strings.TrimSpace(b.String())
	}
	kind := string(l.kind)
	p := page{
		Language: language,
		Subject:  oneLine(say(kind + ".subject")),
		Heading:  oneLine(say(kind + ".heading")),
		Lead:     paragraphs(say(kind + ".lead")),
		Code:     l.code,
		Notes:    paragraphs(say(kind + ".note")),
		Footer:   say("footer"),
	}
	for _, f := range l.facts {
		p.Facts = append(p.Facts, row{say("fact." + f.label), oneLine(f.value)})
	}
	p.Links = anchors(base, l.links, say)
	if failed != nil {
		return Mail{}, failed
	}
	m := Mail{Kind: l.kind, To: l.to, Language: language, Subject: p.Subject, CreatedAt: l.at}
	var text, html strings.Builder
	if err := textLayout.ExecuteTemplate(&text, "layout.txt.tmpl", p); err != nil {
		return Mail{}, err
	}
	if err := htmlLayout.ExecuteTemplate(&html, "layout.html.tmpl", p); err != nil {
		return Mail{}, err
	}
	m.Text, m.HTML = text.String(), html.String()
	return m, nil
}

func paragraphs(s string) []string {
	var list []string
	for _, p := range strings.Split(s, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, p)
		}
	}
	return list
}

// oneLine removes line breaks and control characters, and bounds the length:
// a name from outside must stay a name, in a header as in a table.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r): // would turn the rest of the line around
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > longestLine {
		s = string([]rune(s)[:longestLine-1]) + "…"
	}
	return s
}

// localTime is an instant as the site's clocks show it.
func localTime(at time.Time, s site.ID) string {
	where, err := site.Find(s)
	if err != nil {
		return at.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return at.In(where.Zone).Format("2006-01-02 15:04:05 -07:00") + " (" + where.Zone.String() + ")"
}

// billingTime is an instant as the Billing Center shows it, which spans sites:
// the domestic one in Chinese time, the other one in UTC.
func billingTime(at time.Time, c money.Currency) string {
	if c == money.CNY {
		return localTime(at, "cn1")
	}
	return localTime(at, "")
}

func siteName(s site.ID, language string) string {
	if name, ok := sitesInChinese[s]; ok && spoken(language) == "zh" {
		return name
	}
	if where, err := site.Find(s); err == nil {
		return where.Name
	}
	return string(s)
}

func planName(p workspace.Plan, language string) string {
	if name, ok := planNames[spoken(language)][p]; ok {
		return name
	}
	return string(p)
}

func roleName(r workspace.Role, language string) string {
	if name, ok := roleNames[spoken(language)][r]; ok {
		return name
	}
	return string(r)
}

func channelName(channel, language string) string {
	if name, ok := channelNames[spoken(language)][channel]; ok {
		return name
	}
	return channel
}

var channelNames = map[string]map[string]string{
	"en": {"stripe": "Stripe", "alipay": "Alipay"},
	"zh": {"stripe": "Stripe", "alipay": "支付宝"},
}

var planNames = map[string]map[workspace.Plan]string{
	"en": {workspace.Experience: "Experience", workspace.Commercial: "Commercial"},
	"zh": {workspace.Experience: "体验版", workspace.Commercial: "商业版"},
}

var roleNames = map[string]map[workspace.Role]string{
	"en": {workspace.Owner: "Owner", workspace.Administrator: "Administrator", workspace.Standard: "Standard", workspace.ReadOnly: "Read-only"},
	"zh": {workspace.Owner: "拥有者", workspace.Administrator: "管理员", workspace.Standard: "标准成员", workspace.ReadOnly: "只读成员"},
}

// sitesInChinese are the names that the consoles show, too.
var sitesInChinese = map[site.ID]string{
	"cn1": "中国区 1（杭州）",
	"cn2": "中国区 2（宁夏）",
	"cn3": "中国区 3（张家口）",
	"cn4": "中国区 4（广州）",
	"cn5": "中国区 5（世纪互联）",
	"cn6": "中国区 6（香港）",
	"us1": "海外区 1（俄勒冈）",
	"eu1": "欧洲区 1（法兰克福）",
	"ap1": "亚太区 1（新加坡）",
	"za1": "非洲区 1（南非）",
	"id1": "印尼区 1（雅加达）",
}
