package mailbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

var at = time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC)

const (
	from = "no-reply@tollgate.example"
	mei  = "mei@example.com"
)

// open starts a mailbox on loopback.
func open(t *testing.T, c Config) (*Mailbox, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Now = func() time.Time { return at }
	m := New(c)
	done := make(chan error, 1)
	go func() { done <- m.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(m.Close(), <-done); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return m, l.Addr().String()
}

func letter(subject, body string) []byte {
	return []byte("Subject: " + subject + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body)
}

func TestOldestMessagesGoFirst(t *testing.T) {
	t.Parallel()
	m, address := open(t, Config{Messages: 3})
	for i := range 5 {
		if err := smtp.SendMail(address, nil, from, []string{mei}, letter(fmt.Sprintf("mail %d", i+1), "hello\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, message := range m.Messages("") {
		got = append(got, message.ID+" "+message.Subject)
	}
	if want := []string{"5 mail 5", "4 mail 4", "3 mail 3"}; !slices.Equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
}

func TestConcurrentMailsAllArrive(t *testing.T) {
	t.Parallel()
	m, address := open(t, Config{})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if err := smtp.SendMail(address, nil, from, []string{fmt.Sprintf("p%d@example.com", i%4)}, letter("hello", "hello\r\n")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if all, some := len(m.Messages("")), len(m.Messages("p1@example.com")); all != 20 || some != 5 {
		t.Errorf("%d in all and %d for one, want 20 and 5", all, some)
	}
}

func TestTooLargeIsRefusedAndTheServerGoesOn(t *testing.T) {
	t.Parallel()
	m, address := open(t, Config{Bytes: 1000})
	if err := smtp.SendMail(address, nil, from, []string{mei}, letter("large", strings.Repeat("0123456789\r\n", 200))); err == nil {
		t.Error("a mail beyond the limit was taken")
	}
	if err := smtp.SendMail(address, nil, from, []string{mei}, letter("small", "hello\r\n")); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
	if n := len(m.Messages("")); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestDeepAndManyPartsAreRefused(t *testing.T) {
	t.Parallel()
	deep := ""
	for i := range 10 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	many := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 200) + "--b--\r\n"
	for name, raw := range map[string]string{"deep": deep, "many": many, "no headers": "\x00\x01", "bad base64": "Content-Transfer-Encoding: base64\r\n\r\n!!!"} {
		if message, err := parse([]byte(raw)); err == nil {
			t.Errorf("%s: taken as %+v", name, message)
		}
	}
}

func TestFirstTextAndFirstHTMLAreShown(t *testing.T) {
	t.Parallel()
	raw := "Subject: =?UTF-8?B?6aqM6K+B56CB?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n6aqM6K+B56CB\r\n" +
		"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E9=AA=8C</p>\r\n" +
		"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nattached\r\n--b--\r\n"
	m, err := parse([]byte(raw))
	if err != nil || m.Subject != "验证码" || m.Text != "验证码" || m.HTML != "<p>验</p>" {
		t.Errorf("read %+v (%v)", m, err)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("Subject: a\r\n\r\nb"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\n--\r\n"))
	f.Add([]byte("Content-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parse(raw)
		if err == nil && len(m.Text)+len(m.HTML) > 3*len(raw) { // an invalid byte becomes three
			t.Errorf("%d bytes became %d", len(raw), len(m.Text)+len(m.HTML))
		}
	})
}

func filled(t *testing.T) *Mailbox {
	t.Helper()
	m := New(Config{Now: func() time.Time { return at }})
	m.keep(Message{To: []string{mei}, From: from, Subject: "042917 is your Tollgate code", Kind: "code", Text: "Enter\n\n    042917\n", HTML: "<p style=\"color:red\">042917</p><script>alert(1)</script>", Code: "042917"})
	m.keep(Message{To: []string{"li@example.com"}, From: from, Subject: "<script>alert(2)</script>", Kind: "invitation", Text: "<b>hello</b>"})
	return m
}

func visit(t *testing.T, m *Mailbox, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPageShowsTheMailsOfAnAddress(t *testing.T) {
	t.Parallel()
	m := filled(t)
	for path, want := range map[string]int{"/mailbox": 2, "/mailbox?to=" + mei: 1, "/mailbox?to=nobody@example.com": 0} {
		w := visit(t, m, path)
		doc, err := goquery.NewDocumentFromReader(w.Body)
		if err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d (%v)", path, w.Code, err)
		}
		if n := doc.Find("tbody tr").Length(); n != want {
			t.Errorf("%s shows %d mails, want %d", path, n, want)
		}
	}
}

func TestMarkupOfAMailStaysInItsSandbox(t *testing.T) {
	t.Parallel()
	m := filled(t)
	page := visit(t, m, "/mailbox/2").Body.String()
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "<b>hello") {
		t.Error("markup from a mail is markup of the page")
	}
	w := visit(t, m, "/mailbox/1/html")
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox allow-popups allow-popups-to-escape-sandbox;") || strings.Contains(policy, "script-src") {
		t.Errorf("the mail's own page has the policy %q", policy)
	}
	doc, err := goquery.NewDocumentFromReader(visit(t, m, "/mailbox/1").Body)
	if err != nil {
		t.Fatal(err)
	}
	if sandbox, ok := doc.Find("iframe").Attr("sandbox"); !ok || sandbox != "allow-popups allow-popups-to-escape-sandbox" {
		t.Errorf("the frame allows %q", sandbox)
	}
	if code := doc.Find("#code").Text(); code != "042917" {
		t.Errorf("the code to copy is %q", code)
	}
}

func TestProgramsReadTheMailboxAsJSON(t *testing.T) {
	t.Parallel()
	var got []Message
	w := visit(t, filled(t), "/mailbox.json?to=MEI@example.com")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Code != "042917" || got[0].Kind != "code" || !got[0].Received.Equal(at) {
		t.Errorf("read %+v", got)
	}
	if body := visit(t, New(Config{Now: func() time.Time { return at }}), "/mailbox.json").Body.String(); strings.TrimSpace(body) != "[]" {
		t.Errorf("an empty mailbox is %q", body)
	}
}

func TestMailThatIsGoneIsNotFound(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/mailbox/99", "/mailbox/99/html", "/mailbox/2/html", "/mailbox/a/b/c"} {
		if w := visit(t, filled(t), path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
