// Package mailbox is a real SMTP server that keeps what it receives in memory
// and shows it on a page, so that the whole upgrade can be walked on one
// machine with no mail account. The demo starts it; an installation does not.
//
// It owns the messages it received, and nothing else knows of them. It relays
// nothing. Always true: it holds at most Config.Messages messages of at most
// Config.Bytes bytes each; the oldest go first.
package mailbox

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Defaults and limits.
const (
	defaultMessages = 500
	defaultBytes    = 1 << 20
	maxRecipients   = 20
	maxLine         = 16 << 10 // RFC 5321 asks for 1000; some clients send long lines of HTML
	dialogueTimeout = 30 * time.Second
)

// Config says how much is kept, and whose clock dates it.
type Config struct {
	Messages int              // how many messages are kept; 500 when zero
	Bytes    int64            // how large one may be; 1 MiB when zero
	Now      func() time.Time // required
	Logger   *slog.Logger
}

// Message is one received mail, as its reader sees it.
type Message struct {
	ID        string    `json:"id"` // grows with each message
	MessageID string    `json:"message_id"`
	From      string    `json:"from"`
	To        []string  `json:"to"` // the envelope's recipients, in lower case
	Subject   string    `json:"subject"`
	Kind      string    `json:"kind"` // X-Tollgate-Kind
	Language  string    `json:"language"`
	Text      string    `json:"text"`
	HTML      string    `json:"-"`
	Code      string    `json:"code,omitempty"` // the digits that stand on a line of their own
	Received  time.Time `json:"received"`
}

// Mailbox is the server and what it received.
type Mailbox struct {
	config Config
	server *smtp.Server

	mu       sync.Mutex
	messages []Message // oldest first
	received int       // in all
}

// New makes a mailbox; Serve opens its door.
func New(c Config) *Mailbox {
	if c.Messages <= 0 {
		c.Messages = defaultMessages
	}
	if c.Bytes <= 0 {
		c.Bytes = defaultBytes
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Mailbox{config: c}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{mailbox: m}, nil
	}))
	s.Domain = "mailbox.localhost"
	s.MaxRecipients = maxRecipients
	s.MaxMessageBytes = c.Bytes
	s.MaxLineLength = maxLine
	s.ReadTimeout, s.WriteTimeout = dialogueTimeout, dialogueTimeout
	s.EnableSMTPUTF8 = true
	s.ErrorLog = slog.NewLogLogger(c.Logger.Handler(), slog.LevelWarn)
	m.server = s
	return m
}

// Serve takes mail until Close. It returns nil after that.
func (m *Mailbox) Serve(l net.Listener) error {
	if err := m.server.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("serving SMTP: %w", err)
	}
	return nil
}

// Close ends the server; what it received stays readable.
func (m *Mailbox) Close() error {
	if err := m.server.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("closing SMTP: %w", err)
	}
	return nil
}

// Messages lists what came for the address, newest first; for an empty
// address, everything.
func (m *Mailbox) Messages(to string) []Message {
	to = strings.ToLower(strings.TrimSpace(to))
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Message
	for _, message := range slices.Backward(m.messages) {
		if to == "" || slices.Contains(message.To, to) {
			list = append(list, message)
		}
	}
	return list
}

// Message gives one message.
func (m *Mailbox) Message(id string) (Message, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, message := range m.messages {
		if message.ID == id {
			return message, true
		}
	}
	return Message{}, false
}

func (m *Mailbox) keep(message Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.received++
	message.ID = strconv.Itoa(m.received)
	message.Received = m.config.Now()
	if over := len(m.messages) + 1 - m.config.Messages; over > 0 {
		m.messages = slices.Delete(m.messages, 0, over)
	}
	m.messages = append(m.messages, message)
}

// session is one SMTP dialogue.
type session struct {
	mailbox *Mailbox
	from    string
	to      []string
}

// Mail takes the sender.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt takes a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, strings.ToLower(to))
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r) // bounded by MaxMessageBytes
	if err != nil {
		return err
	}
	message, err := parse(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "This is not a message: " + err.Error()}
	}
	message.From, message.To = s.from, slices.Clone(s.to)
	s.mailbox.keep(message)
	return nil
}

// Reset forgets the message begun.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the dialogue.
func (s *session) Logout() error { return nil }
