package web

import (
	"context"
	"regexp"
	"strings"

	"tollgate.dev/internal/fault"
)

// unsaid is how a template shows a figure that it was not given.
const unsaid = "<no value>"

// Kept says a stored fault in the language of the page. The detail is what the
// log knows of it beyond the sentence, as it was written; often there is none.
func Kept(ctx context.Context, k fault.Kept) (sentence, detail string) {
	args := map[string]any{}
	for name, value := range k.Figures {
		args[name] = value
	}
	text, translated := translate(Language(ctx), "fault."+k.Code, args)
	if !translated || strings.Contains(text, unsaid) {
		return strings.TrimPrefix(k.Reason, k.Code+": "), ""
	}
	if said, plain := strings.CutPrefix(k.Reason, k.Code+": "); !plain && k.Reason != "" || strings.HasSuffix(said, ")") {
		detail = k.Reason
	}
	return text, detail
}

// coded is where a text may name a fault: "close the day: item_unknown: There is no such item."
var coded = regexp.MustCompile(`(?:^|: )([a-z][a-z0-9]*(?:_[a-z0-9]+)*): `)

// Told is Kept of a text that was stored without its code, such as the failure
// of a job: it says the first fault that it names, or itself.
func Told(ctx context.Context, text string) (sentence, detail string) {
	for _, found := range coded.FindAllStringSubmatch(text, -1) {
		said, known := translate(Language(ctx), "fault."+found[1], nil)
		if known && !strings.Contains(said, unsaid) {
			return said, text
		}
	}
	return text, ""
}
