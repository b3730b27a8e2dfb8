#!/usr/bin/env bash
# Fuzzes every target of the tree for the time given as the argument.
set -euo pipefail
cd "$(dirname "$0")/.."

grep -rHo --include='*_test.go' -E '^func Fuzz[A-Za-z0-9_]+' internal cmd | while IFS=: read -r file target; do
  target=${target#func }
  echo "fuzz: $target in $(dirname "$file")"
  go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "${1:-10s}" </dev/null
done
