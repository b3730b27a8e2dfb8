#!/usr/bin/env bash
# The checks that read the source: formatting, vet, generated files that are up
# to date, and the guards (import order, sizes, floats, clocks, names).
set -euo pipefail
cd "$(dirname "$0")/.."

echo "lint: gofmt"
unformatted=$(git ls-files --cached --others --exclude-standard '*.go' | grep -v '_templ\.go$' | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
  echo "lint: run gofmt -w on:" >&2
  echo "$unformatted" >&2
  exit 1
fi

# Compared with the files as they are, not with what is committed, so that it
# also holds in the middle of a change.
echo "lint: generated pages"
sums() { find internal -name '*_templ.go' -exec sha256sum {} + | sort -k2; }
before=$(sums)
scripts/generate.sh
if [ "$before" != "$(sums)" ]; then
  echo "lint: the pages changed but not their generated files; they have been written anew, commit them:" >&2
  diff <(echo "$before") <(sums) | awk '/^[<>]/ {print "  " $3}' | sort -u >&2 || true
  exit 1
fi

echo "lint: vet"
go vet ./...

echo "lint: guards"
go test ./internal/layers ./internal/tidy
