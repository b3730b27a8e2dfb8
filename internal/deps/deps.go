// Package deps pins modules while the house is being built.
package deps

import (
	_ "github.com/PuerkitoBio/goquery"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/govalues/decimal"
	_ "github.com/klauspost/compress/snappy"
	_ "github.com/riverqueue/river/rivermigrate"
	_ "github.com/zeebo/xxh3"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/text/language"
	_ "google.golang.org/protobuf/encoding/protowire"
	_ "pgregory.net/rapid"

	_ "github.com/a-h/templ"
	_ "github.com/alecthomas/kong"
	_ "github.com/alexedwards/scs/v2"
	_ "github.com/chromedp/chromedp"
	_ "github.com/danielgtaylor/huma/v2"
	_ "github.com/emersion/go-smtp"
	_ "github.com/goccy/go-yaml"
	_ "github.com/jackc/pgx/v5"
	_ "github.com/klauspost/compress/gzip"
	_ "github.com/nicksnyder/go-i18n/v2/i18n"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/riverqueue/river"
	_ "github.com/riverqueue/river/riverdriver/riverpgxv5"
	_ "github.com/riverqueue/river/riverdriver/riversqlite"
	_ "github.com/wneessen/go-mail"
	_ "golang.org/x/crypto/argon2"
	_ "modernc.org/sqlite"
)
