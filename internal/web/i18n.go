package web

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"tollgate.dev/internal/fault"
)

//go:embed locales/*.yaml
var locales embed.FS

// Languages are those in which every page can be read, the first of them
// where nothing else is known.
func Languages() []string { return []string{"en", "zh"} }

// catalogue is the bundle and a localizer per language.
type catalogue struct {
	localizers map[string]*i18n.Localizer
	keys       map[string][]string // per language
}

// translations reads the files once; a file that cannot be read is a
// programmer's mistake.
var translations = sync.OnceValue(func() catalogue {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", func(body []byte, into any) error { return yaml.Unmarshal(body, into) })
	c := catalogue{localizers: map[string]*i18n.Localizer{}, keys: map[string][]string{}}
	files, err := locales.ReadDir("locales")
	if err != nil {
		panic("web: " + err.Error())
	}
	for _, f := range files {
		m, err := bundle.LoadMessageFileFS(locales, "locales/"+f.Name())
		if err != nil {
			panic("web: " + err.Error())
		}
		for _, message := range m.Messages {
			c.keys[m.Tag.String()] = append(c.keys[m.Tag.String()], message.ID)
		}
	}
	for _, l := range Languages() {
		c.localizers[l] = i18n.NewLocalizer(bundle, l)
		slices.Sort(c.keys[l])
	}
	return c
})

// Keys lists the translated keys of a language, in order.
func Keys(language string) []string { return translations().keys[language] }

func supported(language string) string {
	if slices.Contains(Languages(), language) {
		return language
	}
	return Languages()[0]
}

// T is the sentence of the key in the language of the page. The arguments are
// pairs of a name and a value that the sentence takes; "count" also chooses
// the plural. A key without a sentence shows itself in brackets, which the
// gallery's check finds.
func T(ctx context.Context, key string, args ...any) string {
	if text, ok := translate(Language(ctx), key, pairs(args)); ok {
		return text
	}
	return "⟦" + key + "⟧"
}

// Name is the name of a thing of a fixed list, such as a role or a billing
// item: the sentence of the key "list.id".
func Name[ID ~string](ctx context.Context, list string, id ID) string {
	return T(ctx, list+"."+string(id))
}

// Sentence is what a fault says in the language of the page; a fault without
// translation says its English sentence.
func Sentence(ctx context.Context, f *fault.Error) string {
	if text, ok := translate(Language(ctx), "fault."+f.Code, f.Args); ok {
		return text
	}
	return f.Message
}

func translate(language, key string, args map[string]any) (string, bool) {
	config := &i18n.LocalizeConfig{MessageID: key, TemplateData: args}
	if count, ok := args["count"]; ok {
		config.PluralCount = count
	}
	l := translations().localizers[language]
	if l == nil {
		return "", false
	}
	text, tag, err := l.LocalizeWithTag(config)
	if err != nil || text == "" || tag.String() != language {
		return "", false
	}
	return text, true
}

func pairs(args []any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[fmt.Sprint(args[i])] = args[i+1]
	}
	return m
}
