package stage

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Callback is what a cloud has to tell the vendor.
type Callback struct {
	ID       string            `json:"id"`
	Cloud    string            `json:"cloud"`
	Kind     string            `json:"kind"`
	Subject  string            `json:"subject"` // the instance or order that it is about
	Params   map[string]string `json:"params"`  // what is said, before it is signed
	At       time.Time         `json:"at"`
	Most     int               `json:"most"` // attempts
	Attempts []Attempt         `json:"attempts"`
	Done     bool              `json:"done"`
}

// Attempt is one delivery.
type Attempt struct {
	At      time.Time `json:"at"`
	Status  int       `json:"status"`
	Answer  string    `json:"answer"`
	Problem string    `json:"problem,omitempty"` // why the answer does not count
}

// Sender is how a cloud signs its callbacks, and which answers count. Answered
// gives an empty text when the callback is done, and otherwise why it is not.
type Sender struct {
	Compose  func(ctx context.Context, c Callback) (*http.Request, error)
	Answered func(c Callback, status int, header http.Header, answer []byte) string
	Lacks    []FaultKind // those that nothing of this cloud can meet
}

// A callback is answered soon or not at all.
const (
	answerWithin  = 10 * time.Second
	longestAnswer = 64 << 10
	mostCallbacks = 50_000
)

// Register makes a cloud known, with its way of sending callbacks.
func (s *Stage) Register(cloud string, sender Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.senders[cloud] = sender
}

// Start lets callbacks go out.
func (s *Stage) Start(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.stop = context.WithCancel(ctx)
}

// Stop ends all attempts and waits for those under way.
func (s *Stage) Stop() {
	s.mu.Lock()
	stop := s.stop
	s.mu.Unlock()
	if stop != nil {
		stop()
		s.done.Wait()
	}
}

// Tell keeps a callback and sends it until it is answered as documented, at
// most so many times. It gives the callback's ID.
func (s *Stage) Tell(c Callback) string {
	c.ID, c.At = "cb-"+s.Name(12), s.Now()
	c.Most = max(c.Most, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept.Callbacks) >= mostCallbacks {
		s.kept.Callbacks = slices.Delete(s.kept.Callbacks, 0, mostCallbacks/10)
	}
	s.kept.Callbacks = append(s.kept.Callbacks, &c)
	if !s.kept.Hold {
		s.deliver(c.ID, c.Most)
	}
	return c.ID
}

// deliver is called under the lock.
func (s *Stage) deliver(id string, most int) {
	if s.ctx == nil || s.ctx.Err() != nil {
		return
	}
	ctx := s.ctx
	s.done.Go(func() {
		for attempt := range most {
			select {
			case <-ctx.Done():
				return
			case <-time.After(s.gaps[min(attempt, len(s.gaps)-1)]):
			}
			if done, err := s.Send(ctx, id); err != nil || done {
				return
			}
		}
	})
}

// Send makes one attempt now, also of a callback that was answered already. It
// reports whether the answer counts.
func (s *Stage) Send(ctx context.Context, id string) (bool, error) {
	c, sender, err := s.callback(id)
	if err != nil {
		return false, err
	}
	attempt, header, answer := s.try(ctx, sender, c)
	if attempt.Problem == "" {
		attempt.Problem = sender.Answered(c, attempt.Status, header, answer)
	}
	s.Note(Entry{Cloud: c.Cloud, Direction: Out, Operation: c.Kind, Status: attempt.Status, Code: attempt.Problem, Request: fmt.Sprint(c.Subject, " ", c.Params), Answer: attempt.Answer})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept.Callbacks {
		if k.ID == id {
			k.Attempts = append(k.Attempts, attempt)
			k.Done = k.Done || attempt.Problem == ""
		}
	}
	return attempt.Problem == "", nil
}

func (s *Stage) callback(id string) (Callback, Sender, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept.Callbacks {
		if k.ID == id {
			c := *k
			c.Attempts = slices.Clone(k.Attempts)
			return c, s.senders[c.Cloud], nil
		}
	}
	return Callback{}, Sender{}, fmt.Errorf("there is no callback %q", id)
}

func (s *Stage) try(ctx context.Context, sender Sender, c Callback) (Attempt, http.Header, []byte) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	a := Attempt{At: s.Now()}
	request, err := sender.Compose(ctx, c)
	if err != nil {
		a.Problem = err.Error()
		return a, nil, nil
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		a.Problem = err.Error()
		return a, nil, nil
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	a.Status, a.Answer = response.StatusCode, cut(string(answer))
	if err != nil {
		a.Problem = err.Error()
	}
	return a, response.Header, answer
}

// Callbacks lists them, oldest first; an empty cloud is all.
func (s *Stage) Callbacks(cloud string) []Callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Callback{}
	for _, k := range s.kept.Callbacks {
		if cloud == "" || k.Cloud == cloud {
			c := *k
			c.Attempts = slices.Clone(k.Attempts)
			found = append(found, c)
		}
	}
	return found
}

// Hold keeps callbacks back, or no longer.
func (s *Stage) Hold(hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Hold = hold
}

// Order is how callbacks that were held back go out.
type Order string

// The orders.
const (
	AsMade   Order = "as_made"
	Reversed Order = "reversed"
	Shuffled Order = "shuffled"
)

// Release sends what was never tried, each so many times, one after the other
// in the order asked for; it reports how many attempts were answered as
// documented. Callbacks made from then on go out at once.
func (s *Stage) Release(ctx context.Context, order Order, copies int) (int, error) {
	if copies < 1 || copies > 100 {
		return 0, fmt.Errorf("copies is 1 to 100")
	}
	var ids []string
	for _, c := range s.Callbacks("") {
		if len(c.Attempts) == 0 {
			ids = append(ids, slices.Repeat([]string{c.ID}, copies)...)
		}
	}
	switch order {
	case AsMade, "":
	case Reversed:
		slices.Reverse(ids)
	case Shuffled:
		s.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	default:
		return 0, fmt.Errorf("order %q: choose of as_made, reversed, shuffled", order)
	}
	s.Hold(false)
	taken := 0
	for _, id := range ids {
		done, err := s.Send(ctx, id)
		if err != nil {
			return taken, err
		}
		if done {
			taken++
		}
	}
	return taken, nil
}

// Latest is the latest attempt, for pages.
func (c Callback) Latest() *Attempt {
	if len(c.Attempts) == 0 {
		return nil
	}
	return &c.Attempts[len(c.Attempts)-1]
}
