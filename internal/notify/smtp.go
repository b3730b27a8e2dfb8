package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"crypto/tls"
	"crypto/x509"

	"github.com/wneessen/go-mail"
)

// ErrRefused is a mail that the server will never take, such as one to an
// address that does not exist: sending it again is of no use.
var ErrRefused = errors.New("the mail server refused the mail for good")

// Security says how a connection to the mail server is protected.
type Security string

// The ways.
const (
	Opportunistic Security = "opportunistic" // STARTTLS when the server offers it
	Mandatory     Security = "mandatory"     // STARTTLS, or nothing is sent
	Implicit      Security = "implicit"      // TLS from the first byte (port 465)
	Plain         Security = "none"          // for a server on the same machine
)

// Limits of the dialogue.
const (
	defaultTimeout = 15 * time.Second
	defaultPort    = 587
)

// Server is how to reach the mail server that takes our mails.
type Server struct {
	Address  string // host:port; port 587 when there is none
	From     string // the sender, such as Tollgate <no-reply@example.com>
	User     string // empty: no login
	Password string
	Security Security       // empty: opportunistic
	Timeout  time.Duration  // of the whole dialogue; 15 s when zero
	Roots    *x509.CertPool // nil: those of the system
}

// Sender sends mails over SMTP, each in a dialogue of its own.
type Sender struct {
	from    *netmail.Address
	domain  string // of the sender: the right side of each Message-ID
	timeout time.Duration
	host    string
	options []mail.Option
}

// NewSender checks the settings; it does not connect.
func NewSender(s Server) (*Sender, error) {
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, fmt.Errorf("the sender's address %q: %w", s.From, err)
	}
	host, port, err := hostPort(s.Address)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	sender := &Sender{from: from, domain: domain, host: host, timeout: s.Timeout}
	if sender.timeout <= 0 {
		sender.timeout = defaultTimeout
	}
	sender.options = []mail.Option{
		mail.WithPort(port),
		mail.WithTimeout(sender.timeout),
		mail.WithHELO("localhost"), // the name of a client means nothing to a submission server, and ours is nobody's business
		mail.WithTLSConfig(&tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch s.Security {
	case Opportunistic, "":
		sender.options = append(sender.options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case Mandatory:
		sender.options = append(sender.options, mail.WithTLSPolicy(mail.TLSMandatory))
	case Implicit:
		sender.options = append(sender.options, mail.WithSSL())
	case Plain:
		sender.options = append(sender.options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("security of the mail server: %q is none of opportunistic, mandatory, implicit, none", s.Security)
	}
	if s.User != "" {
		sender.options = append(sender.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	return sender, nil
}

func hostPort(address string) (string, int, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, strconv.Itoa(defaultPort)
	}
	n, err := strconv.Atoi(port)
	if host == "" || err != nil || n < 1 || n > 65535 {
		return "", 0, fmt.Errorf("the mail server's address %q is not host:port", address)
	}
	return host, n, nil
}

// Send hands the mail to the server. It returns nil only when the server took
// it. An error that is ErrRefused is final; any other may pass.
func (s *Sender) Send(ctx context.Context, m Mail) error {
	msg, err := s.message(m)
	if err != nil {
		return fmt.Errorf("mail %s: %w: %w", m.ID, ErrRefused, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("mail client: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() { // the server took it, whatever became of the farewell
		return nil
	}
	var refusal *mail.SendError
	if errors.As(err, &refusal) && !refusal.IsTemp() && refusal.ErrorCode() >= 500 {
		return fmt.Errorf("mail %s: %w: %w", m.ID, ErrRefused, err)
	}
	return fmt.Errorf("sending mail %s: %w", m.ID, err)
}

// Knock connects, greets and signs in, and sends nothing.
func (s *Sender) Knock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("mail client: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("the mail server: %w", err)
	}
	return client.Close()
}

func (s *Sender) message(m Mail) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	msg.FromMailAddress(s.from)
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Address != m.To {
		return nil, fmt.Errorf("the address %q is none", m.To)
	}
	msg.ToMailAddress(to)
	msg.Subject(oneLine(m.Subject))
	msg.SetMessageIDWithValue(oneLine(m.ID) + "@" + s.domain)
	msg.SetDateWithValue(m.CreatedAt.UTC())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation notice comes back
	msg.SetGenHeader("Content-Language", oneLine(m.Language))
	msg.SetGenHeader("X-Tollgate-Kind", oneLine(string(m.Kind)))
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return msg, nil
}
