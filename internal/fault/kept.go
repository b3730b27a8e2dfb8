package fault

import (
	"encoding/json"
	"fmt"
)

// Kept is a fault as it is stored beside what it stopped: its code, its whole
// text for the log, and the figures of its sentence, so that it can be said in
// another language later.
type Kept struct {
	Code    string
	Reason  string
	Figures map[string]string
}

// Keep is the fault in err, to be stored.
func Keep(err error) Kept {
	f := From(err)
	k := Kept{Code: f.Code, Reason: err.Error()}
	for name, value := range f.Args {
		if k.Figures == nil {
			k.Figures = map[string]string{}
		}
		k.Figures[name] = fmt.Sprint(value)
	}
	return k
}

// FiguresText is the figures as a store keeps them; empty without any.
func (k Kept) FiguresText() (string, error) {
	if len(k.Figures) == 0 {
		return "", nil
	}
	text, err := json.Marshal(k.Figures)
	return string(text), err
}

// ReadFigures reads what FiguresText wrote.
func (k *Kept) ReadFigures(text string) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &k.Figures); err != nil {
		return fmt.Errorf("read the figures of %s: %w", k.Code, err)
	}
	return nil
}
