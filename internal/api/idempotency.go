package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
)

const keyHeader = "Idempotency-Key"

// Faults of idempotency keys.
var (
	ErrKeyRequired = fault.New(fault.Invalid, "idempotency_key_required", "This call needs the header Idempotency-Key: a text of your choice, new for each new intention.")
	ErrKeyForm     = fault.New(fault.Invalid, "idempotency_key_form", "An Idempotency-Key has 1 to 128 printable ASCII characters.")
	ErrKeyReused   = fault.New(fault.Invalid, "idempotency_key_reused", "This Idempotency-Key came with another request before. Use a new key for a new intention.")
)

// Keyed is the header of calls that must have one effect however often they
// are sent.
type Keyed struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"128" pattern:"^[\\x21-\\x7e]+$" patternDescription:"printable ASCII" doc:"A text of your choice, new for each new intention. The same key with the same request gives the same answer and no second effect, for at least 7 days."`
}

func (k *Keyed) key() string { return k.IdempotencyKey }

// once does the work in one transaction together with the record of its
// answer. Only what was done is recorded: a refused request may be sent again
// with the same key.
func once[I any, P interface {
	*I
	key() string
}, B any](r Route, status int, work func(c *call, in *I) (*B, error)) route {
	r.Once = true
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, status, func(ctx context.Context, in *I) (*reply[B], error) {
			request := fingerprint(ctx)
			replayed := ""
			body, err := transact(ctx, s, in, func(c *call, in *I) (*B, error) {
				replayed = ""
				actor := string(c.Console) + ":" + c.AccountID
				before, first, err := c.tx.ClaimKey(c, actor, P(in).key(), request, c.at)
				switch {
				case err != nil:
					return nil, err
				case !first:
					replayed = "true"
					return replay[B](before, request)
				}
				body, err := work(c, in)
				if store.Kept(err) { // the transaction stays, for what it counted; the key is free again
					if err := c.tx.ReleaseKey(c, actor, P(in).key()); err != nil {
						return nil, err
					}
				}
				if err != nil {
					return nil, err
				}
				text, err := json.Marshal(body)
				if err != nil {
					return nil, fmt.Errorf("encode an answer: %w", err)
				}
				return body, c.tx.AnswerKey(c, actor, P(in).key(), status, string(text))
			})
			out, err := answer(status, body, err)
			if out != nil {
				out.Replayed = replayed
			}
			return out, err
		})
	}}
}

func replay[B any](before store.Answer, request string) (*B, error) {
	if before.Request != request {
		return nil, ErrKeyReused.On(keyHeader)
	}
	body := new(B)
	if err := json.Unmarshal([]byte(before.Response), body); err != nil {
		return nil, fmt.Errorf("read an answer given before: %w", err)
	}
	return body, nil
}

// fingerprint is a hash of what is asked: method, path and the values of the
// body, however they are spaced and ordered.
func fingerprint(ctx context.Context) string {
	r := receivedOf(ctx)
	body := r.body
	var values any
	if json.Unmarshal(body, &values) == nil {
		if plain, err := json.Marshal(values); err == nil {
			body = plain
		}
	}
	h := sha256.New()
	h.Write([]byte(r.Method + "\n" + r.URL.Path + "\n"))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
