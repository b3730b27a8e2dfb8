package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// Limits of a message's structure (RFC 2046): ours have two parts on one level.
const (
	maxParts = 50
	maxDepth = 5
)

var errParts = errors.New("too many parts")

// parse reads a message: its headers, and the first text and the first HTML of
// its parts. Attachments are left out.
func parse(raw []byte) (Message, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Message{}, fmt.Errorf("its headers cannot be read: %w", err)
	}
	decode := func(name string) string {
		text, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(name))
		if err != nil {
			text = m.Header.Get(name)
		}
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	message := Message{
		MessageID: strings.Trim(m.Header.Get("Message-Id"), "<>"),
		Subject:   decode("Subject"),
		Kind:      decode("X-Tollgate-Kind"),
		Language:  decode("Content-Language"),
	}
	w := walker{message: &message}
	if err := w.part(m.Header, m.Body, 0); err != nil {
		return Message{}, err
	}
	message.Code = loneDigits(message.Text)
	return message, nil
}

// header is what mail.Header and textproto.MIMEHeader have in common.
type header interface{ Get(name string) string }

type walker struct {
	message *Message
	parts   int
}

func (w *walker) part(h header, body io.Reader, depth int) error {
	if w.parts++; w.parts > maxParts || depth > maxDepth {
		return errParts
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain" // RFC 2045 section 5.2
	}
	if strings.HasPrefix(kind, "multipart/") {
		return w.parted(multipart.NewReader(body, params["boundary"]), depth)
	}
	if disposition, _, _ := mime.ParseMediaType(h.Get("Content-Disposition")); disposition == "attachment" {
		return nil
	}
	text, err := io.ReadAll(decoded(h.Get("Content-Transfer-Encoding"), body))
	if err != nil {
		return fmt.Errorf("a part cannot be decoded: %w", err)
	}
	clean := strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\r\n", "\n")
	switch {
	case kind == "text/plain" && w.message.Text == "":
		w.message.Text = clean
	case kind == "text/html" && w.message.HTML == "":
		w.message.HTML = clean
	}
	return nil
}

func (w *walker) parted(r *multipart.Reader, depth int) error {
	for {
		// The raw part, because its encoding is decoded below.
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("its parts cannot be read: %w", err)
		}
		if err := w.part(p.Header, p, depth+1); err != nil {
			return err
		}
	}
}

func decoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}

// loneDigits finds a mailed code: six digits on a line of their own.
func loneDigits(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if len(line) == 6 && strings.Trim(line, "0123456789") == "" {
			return line
		}
	}
	return ""
}
