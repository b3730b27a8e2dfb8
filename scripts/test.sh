#!/usr/bin/env bash
# Runs every test, or those of PACKAGES: the packages named as arguments under
# the race detector, all others without it. Ends with what failed, or with the
# slowest packages.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p out
log=out/test.log
: >"$log"
started=$SECONDS
failed=0

names=$(IFS='|'; echo "$*")
# shellcheck disable=SC2086 # a list of patterns is words
all=$(go list ${PACKAGES:-./...})
race=$(grep -E "^tollgate\.dev/internal/($names)(/|$)" <<<"$all" || true)
plain=$(grep -vE "^tollgate\.dev/internal/($names)(/|$)" <<<"$all" || true)

run() { # run TITLE FLAGS... -- PACKAGES...
  local title=$1
  shift
  local flags=()
  while [ "$1" != -- ]; do flags+=("$1"); shift; done
  shift
  [ $# -gt 0 ] || return 0
  echo "test: $# packages, $title"
  go test -shuffle=on "${flags[@]}" "$@" 2>&1 | tee -a "$log" | awk '!/no test files/ {print; fflush()}' || failed=1
}

# shellcheck disable=SC2086 # a list of packages is words
{
  run "under the race detector" -race -timeout 10m -- $race
  run "plain" -timeout 15m -- $plain
}

echo
if [ "$failed" -ne 0 ]; then
  echo "test: FAILED after $((SECONDS - started)) s; the whole output is in $log"
  grep -E '^(--- FAIL|FAIL|panic:|[[:space:]]+--- FAIL)' "$log" | sort -u || true
  exit 1
fi
echo "test: passed in $((SECONDS - started)) s; the slowest packages:"
awk '$1 == "ok" && $3 ~ /s$/ {print $3 "\t" $2}' "$log" | sort -rn | head -8
