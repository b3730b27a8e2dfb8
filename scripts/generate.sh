#!/usr/bin/env bash
# Writes the Go files of the pages. Folder by folder, because templ notes the
# path of each page as seen from where it starts.
set -euo pipefail
cd "$(dirname "$0")/.."

find internal -name '*.templ' -printf '%h\n' | sort -u | while read -r folder; do
  go tool templ generate -path "./$folder" -log-level error
done
