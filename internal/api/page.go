package api

import (
	"encoding/base64"
	"strings"
)

// usualPage is the size of a page where nothing is said; 200 is the most.
const usualPage = 50

// Paged is how a list is asked for.
type Paged struct {
	Cursor string `query:"cursor" maxLength:"512" doc:"The next_cursor of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" doc:"How many entries; 50 where nothing is said."`
}

func (p Paged) limit() int {
	if p.Limit == 0 {
		return usualPage
	}
	return p.Limit
}

// Page is a part of a list.
type Page[T any] struct {
	Items      []T    `json:"items" nullable:"false"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Asks for what follows; missing at the end."`
}

// after gives the place in the named list that the cursor stands for; "" is
// its beginning.
func (p Paged) after(list string) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	place, ok := strings.CutPrefix(string(text), list+":")
	if err != nil || !ok || place == "" || !printable(place) {
		return "", ErrCursor.On("cursor")
	}
	return place, nil
}

func cursor(list, place string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + ":" + place))
}

// pageOf cuts a page out of a whole list that is short by its nature: the
// workspaces of an account, the members of a workspace. name identifies an
// entry.
func pageOf[T, V any](p Paged, list string, all []T, name func(T) string, show func(T) V) (*Page[V], error) {
	place, err := p.after(list)
	if err != nil {
		return nil, err
	}
	begin := 0
	if place != "" {
		for begin < len(all) && name(all[begin]) != place {
			begin++
		}
		if begin == len(all) {
			return nil, ErrCursor.On("cursor") // the entry is gone: begin again
		}
		begin++
	}
	end := min(begin+p.limit(), len(all))
	page := &Page[V]{Items: make([]V, 0, end-begin)}
	for _, entry := range all[begin:end] {
		page.Items = append(page.Items, show(entry))
	}
	if end < len(all) {
		page.NextCursor = cursor(list, name(all[end-1]))
	}
	return page, nil
}

// pageFrom is a page of entries of which one more than asked for was read.
func pageFrom[T, V any](p Paged, list string, read []T, name func(T) string, show func(T) V) *Page[V] {
	more := len(read) > p.limit()
	if more {
		read = read[:p.limit()]
	}
	page := &Page[V]{Items: make([]V, 0, len(read))}
	for _, entry := range read {
		page.Items = append(page.Items, show(entry))
	}
	if more {
		page.NextCursor = cursor(list, name(read[len(read)-1]))
	}
	return page
}
