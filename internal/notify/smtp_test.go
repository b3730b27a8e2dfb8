package notify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tollgate.dev/internal/mailbox"
	"tollgate.dev/internal/notify"
)

func sample(to string) notify.Mail {
	return notify.Mail{
		ID: "mail_abc", Kind: notify.Code, To: to, Language: "zh", CreatedAt: at,
		Subject: "042917 是您的 Tollgate 验证码，请在十分钟内使用，过期后需要重新获取，谢谢",
		Text:    "验证码：\n\n    042917\n\n.单独一点开头的行\n" + strings.Repeat("很长的一行", 400) + "\n",
		HTML:    "<p>验证码 <b>042917</b></p>",
	}
}

// startMailbox runs the demo's own server.
func startMailbox(t *testing.T, c mailbox.Config) (*mailbox.Mailbox, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Now = time.Now
	box := mailbox.New(c)
	done := make(chan error, 1)
	go func() { done <- box.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(box.Close(), <-done); err != nil {
			t.Errorf("closing the mailbox: %v", err)
		}
	})
	return box, l.Addr().String()
}

func sender(t *testing.T, s notify.Server) *notify.Sender {
	t.Helper()
	s.From = "Tollgate 通知 <no-reply@tollgate.example>"
	out, err := notify.NewSender(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestChineseMailArrivesIntact(t *testing.T) {
	t.Parallel()
	box, address := startMailbox(t, mailbox.Config{})
	s := sender(t, notify.Server{Address: address})
	want := sample("mei@example.com")
	if err := s.Send(context.Background(), want); err != nil {
		t.Fatal(err)
	}
	got := box.Messages("Mei@Example.com ")
	if len(got) != 1 {
		t.Fatalf("%d messages arrived, want 1", len(got))
	}
	m := got[0]
	if m.Subject != want.Subject || m.Text != want.Text || strings.TrimRight(m.HTML, "\n") != want.HTML {
		t.Errorf("arrived:\n%q\n%q\n%q", m.Subject, m.Text, m.HTML)
	}
	if m.Kind != "code" || m.Language != "zh" || m.Code != "042917" || m.From != "no-reply@tollgate.example" {
		t.Errorf("arrived as %+v", m)
	}
}

func TestRedeliveryIsRecognisedByItsMessageID(t *testing.T) {
	t.Parallel()
	box, address := startMailbox(t, mailbox.Config{})
	s := sender(t, notify.Server{Address: address})
	for range 2 {
		if err := s.Send(context.Background(), sample("mei@example.com")); err != nil {
			t.Fatal(err)
		}
	}
	got := box.Messages("")
	if len(got) != 2 || got[0].MessageID != "mail_abc@tollgate.example" || got[1].MessageID != got[0].MessageID {
		t.Errorf("two deliveries have the IDs of %+v", got)
	}
}

func TestHeaderCannotBeInjected(t *testing.T) {
	t.Parallel()
	box, address := startMailbox(t, mailbox.Config{})
	s := sender(t, notify.Server{Address: address})
	m := sample("mei@example.com")
	m.Subject = "hello\r\nX-Tollgate-Kind: forged\r\n\r\nforged body"
	if err := s.Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	got := box.Messages("")[0]
	if got.Kind != "code" || got.Text != m.Text || !strings.HasPrefix(got.Subject, "hello X-Tollgate-Kind: forged") {
		t.Errorf("arrived as %+v", got)
	}
	for _, to := range []string{"mei@example.com>\r\nRCPT TO:<eve@example.com", "mei@example.com, eve@example.com", "Mei <mei@example.com>", ""} {
		m.To = to
		if err := s.Send(context.Background(), m); !errors.Is(err, notify.ErrRefused) {
			t.Errorf("address %q: %v, want ErrRefused", to, err)
		}
	}
	if n := len(box.Messages("")); n != 1 {
		t.Errorf("%d messages arrived, want the first alone", n)
	}
}

func TestOversizedMailIsRefusedForGood(t *testing.T) {
	t.Parallel()
	box, address := startMailbox(t, mailbox.Config{Bytes: 4 << 10})
	err := sender(t, notify.Server{Address: address}).Send(context.Background(), sample("mei@example.com"))
	if !errors.Is(err, notify.ErrRefused) {
		t.Errorf("%v, want ErrRefused", err)
	}
	if len(box.Messages("")) != 0 {
		t.Error("it arrived all the same")
	}
}

func TestAbsentServerIsATroubleThatPasses(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	err = sender(t, notify.Server{Address: address}).Send(context.Background(), sample("mei@example.com"))
	if err == nil || errors.Is(err, notify.ErrRefused) {
		t.Errorf("%v, want an error that may pass", err)
	}
}

func TestSilentServerIsLeftAfterTheTimeout(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = sender(t, notify.Server{Address: l.Addr().String(), Timeout: 50 * time.Millisecond}).Send(context.Background(), sample("mei@example.com"))
	if err == nil || errors.Is(err, notify.ErrRefused) {
		t.Errorf("%v, want a timeout", err)
	}
}

func TestMandatoryTLSSendsNothingInTheClear(t *testing.T) {
	t.Parallel()
	box, address := startMailbox(t, mailbox.Config{})
	err := sender(t, notify.Server{Address: address, Security: notify.Mandatory}).Send(context.Background(), sample("mei@example.com"))
	if err == nil || len(box.Messages("")) != 0 {
		t.Errorf("sent without TLS (%v)", err)
	}
}

func TestLoginAndTLSAreUsedWhenAskedFor(t *testing.T) {
	t.Parallel()
	server := newProvider(t)
	login := notify.Server{Address: server.address, User: "tollgate", Password: "secret", Security: notify.Mandatory, Roots: server.roots}
	if err := sender(t, login).Send(context.Background(), sample("mei@example.com")); err != nil {
		t.Fatal(err)
	}
	if user, encrypted := server.last(); user != "tollgate" || !encrypted {
		t.Errorf("user %q, encrypted %v", user, encrypted)
	}
	login.Password = "wrong"
	if err := sender(t, login).Send(context.Background(), sample("mei@example.com")); err == nil || errors.Is(err, notify.ErrRefused) {
		t.Errorf("%v: a wrong password is the operator's to repair, and no mail may be lost by it", err)
	}
	login.Password, login.Roots = "secret", nil
	if err := sender(t, login).Send(context.Background(), sample("mei@example.com")); err == nil {
		t.Error("a certificate of nobody was trusted")
	}
}

func TestSettingsAreCheckedBeforeTheFirstMail(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]notify.Server{
		"no sender":        {Address: "127.0.0.1:25"},
		"no host":          {Address: ":25", From: "a@example.com"},
		"no such port":     {Address: "localhost:99999", From: "a@example.com"},
		"no such security": {Address: "localhost:25", From: "a@example.com", Security: "maybe"},
	} {
		if _, err := notify.NewSender(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// provider is a mail server as installations have it: STARTTLS and a login.
type provider struct {
	address string
	roots   *x509.CertPool

	mu        sync.Mutex
	user      string
	encrypted bool
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	certificate, roots := selfSigned(t)
	p := &provider{roots: roots}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &visit{provider: p, conn: c}, nil }))
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.ErrorLog = quiet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return p
}

func (p *provider) last() (user string, encrypted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.user, p.encrypted
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type visit struct {
	provider *provider
	conn     *smtp.Conn
	user     string
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "tollgate" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		v.user = user
		return nil
	}), nil
}

func (v *visit) Mail(string, *smtp.MailOptions) error {
	if v.user == "" {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (v *visit) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (v *visit) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	v.provider.mu.Lock()
	defer v.provider.mu.Unlock()
	v.provider.user = v.user
	_, v.provider.encrypted = v.conn.TLSConnectionState()
	return err
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a mail provider"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
