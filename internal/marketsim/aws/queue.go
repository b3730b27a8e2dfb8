package aws

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// queueing is JSON 1.0.
var queueing = protocol{
	service: "sqs", content: "application/x-amz-json-1.0", errors: "com.amazonaws.sqs#", longest: 1 << 20,
	operations: map[string]func(*Sim, call) answer{
		"ReceiveMessage":          (*Sim).receiveMessage,
		"DeleteMessage":           (*Sim).deleteMessage,
		"DeleteMessageBatch":      (*Sim).deleteMessageBatch,
		"ChangeMessageVisibility": (*Sim).changeVisibility,
		"GetQueueUrl":             (*Sim).queueURL,
		"GetQueueAttributes":      (*Sim).queueAttributes,
	},
}

// mostMessages bounds the queue; the oldest go first.
const mostMessages = 100_000

// message is one of the queue. It is seen again when it was not deleted in time.
type message struct {
	ID       string    `json:"id"`
	Body     string    `json:"body"`
	SentAt   time.Time `json:"sent_at"`
	Receipt  string    `json:"receipt"`
	Hidden   time.Time `json:"hidden"` // until then, by the real clock
	Received int       `json:"received"`
}

// URL is the queue's.
func (s *Sim) URL() string {
	return s.config.Base + "/queue/" + s.config.Account + "/" + s.config.Queue
}

func (s *Sim) enqueue(m *message) {
	if len(s.market.Messages) >= mostMessages {
		s.market.Messages = s.market.Messages[mostMessages/10:]
	}
	s.market.Messages = append(s.market.Messages, m)
	close(s.arrive)
	s.arrive = make(chan struct{})
}

// queueRequest is what the operations have between them. Members that change
// nothing here are read and ignored.
type queueRequest struct {
	QueueUrl            string
	QueueName           string
	MaxNumberOfMessages *int
	VisibilityTimeout   *int
	WaitTimeSeconds     *int
	ReceiptHandle       string
	Entries             []struct{ Id, ReceiptHandle string }
}

// asked reads a request and checks the queue and region.
func (s *Sim) asked(c call) (queueRequest, answer) {
	var q queueRequest
	if err := json.Unmarshal(c.body, &q); err != nil {
		return q, refuse("InvalidMessageContents", "%v", err)
	}
	named := q.QueueUrl == s.URL() || q.QueueUrl == "" && q.QueueName == s.config.Queue
	if !named || c.region != eventsRegion {
		a := refuse("QueueDoesNotExist", "The specified queue does not exist.")
		a.legacy = "AWS.SimpleQueueService.NonExistentQueue"
		return q, a
	}
	return q, answer{}
}

func within(n *int, least, most, otherwise int) (int, bool) {
	if n == nil {
		return otherwise, true
	}
	return *n, *n >= least && *n <= most
}

func (s *Sim) receiveMessage(c call) answer {
	q, refusal := s.asked(c)
	if refusal.status != 0 {
		return refusal
	}
	most, ok1 := within(q.MaxNumberOfMessages, 1, 10, 1)
	hide, ok2 := within(q.VisibilityTimeout, 0, 43_200, 30)
	wait, ok3 := within(q.WaitTimeSeconds, 0, 20, 0)
	if !ok1 || !ok2 || !ok3 {
		a := refuse("InvalidParameterValue", "MaxNumberOfMessages is 1 to 10, VisibilityTimeout 0 to 43200, WaitTimeSeconds 0 to 20")
		a.legacy = "InvalidParameterValue"
		return a
	}
	ctx, cancel := context.WithTimeout(c.Context(), time.Duration(wait)*time.Second)
	defer cancel()
	for {
		found, arrive := s.visible(most, hide)
		if len(found) > 0 || wait == 0 {
			return done(map[string]any{"Messages": found})
		}
		select {
		case <-arrive:
		case <-ctx.Done():
			wait = 0
		}
	}
}

// visible takes up to so many messages that can be seen, and hides them.
func (s *Sim) visible(most, hide int) ([]map[string]any, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	now := s.stage.Signed()
	var seen []*message
	for _, m := range s.market.Messages {
		if !now.Before(m.Hidden) {
			seen = append(seen, m)
		}
	}
	if s.market.Switches.ShuffleEvents {
		s.stage.Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
	}
	var found []map[string]any
	for _, m := range seen[:min(most, len(seen))] {
		m.Receipt, m.Hidden = s.stage.Name(48), now.Add(time.Duration(hide)*time.Second)
		m.Received++
		sum := md5.Sum([]byte(m.Body)) // #nosec: the protocol's checksum
		found = append(found, map[string]any{
			"MessageId": m.ID, "ReceiptHandle": m.Receipt, "Body": m.Body, "MD5OfBody": hex.EncodeToString(sum[:]),
			"Attributes": map[string]string{
				"SentTimestamp": strconv.FormatInt(m.SentAt.UnixMilli(), 10), "ApproximateReceiveCount": strconv.Itoa(m.Received),
			},
		})
	}
	return found, s.arrive
}

// remove deletes by receipt; to delete again what is deleted is no mistake.
func (s *Sim) remove(receipt string) bool {
	if receipt == "" || len(receipt) != 48 || strings.Trim(receipt, "0123456789abcdef") != "" {
		return false
	}
	for i, m := range s.market.Messages {
		if m.Receipt == receipt {
			s.market.Messages = append(s.market.Messages[:i:i], s.market.Messages[i+1:]...)
			break
		}
	}
	return true
}

func badReceipt() answer {
	a := refuse("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	a.legacy = "ReceiptHandleIsInvalid"
	return a
}

func (s *Sim) deleteMessage(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, refusal := s.asked(c)
	if refusal.status != 0 {
		return refusal
	}
	if !s.remove(q.ReceiptHandle) {
		return badReceipt()
	}
	return done(map[string]any{})
}

func (s *Sim) deleteMessageBatch(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, refusal := s.asked(c)
	if refusal.status != 0 {
		return refusal
	}
	if len(q.Entries) < 1 || len(q.Entries) > 10 {
		return refuse("TooManyEntriesInBatchRequest", "a batch has 1 to 10 entries")
	}
	good, bad := []any{}, []any{}
	for _, e := range q.Entries {
		if s.remove(e.ReceiptHandle) {
			good = append(good, map[string]string{"Id": e.Id})
		} else {
			bad = append(bad, map[string]any{"Id": e.Id, "SenderFault": true, "Code": "ReceiptHandleIsInvalid"})
		}
	}
	return done(map[string]any{"Successful": good, "Failed": bad})
}

func (s *Sim) changeVisibility(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, refusal := s.asked(c)
	if refusal.status != 0 {
		return refusal
	}
	hide, ok := within(q.VisibilityTimeout, 0, 43_200, -1)
	if !ok || hide < 0 {
		return refuse("InvalidParameterValue", "VisibilityTimeout is 0 to 43200")
	}
	for _, m := range s.market.Messages {
		if m.Receipt == q.ReceiptHandle && m.Receipt != "" {
			m.Hidden = s.stage.Signed().Add(time.Duration(hide) * time.Second)
			return done(map[string]any{})
		}
	}
	return badReceipt()
}

func (s *Sim) queueURL(c call) answer {
	if _, refusal := s.asked(c); refusal.status != 0 {
		return refusal
	}
	return done(map[string]string{"QueueUrl": s.URL()})
}

func (s *Sim) queueAttributes(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, refusal := s.asked(c); refusal.status != 0 {
		return refusal
	}
	now, hidden := s.stage.Signed(), 0
	for _, m := range s.market.Messages {
		if now.Before(m.Hidden) {
			hidden++
		}
	}
	return done(map[string]any{"Attributes": map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(len(s.market.Messages) - hidden),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
		"QueueArn":                              "arn:aws:sqs:" + eventsRegion + ":" + s.config.Account + ":" + s.config.Queue,
	}})
}
