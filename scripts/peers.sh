#!/usr/bin/env bash
# Builds the programs of VictoriaMetrics that are named, at a fixed version, into
# out/peers, where tests and measurements find them.
set -euo pipefail
peers=$(cd "$(dirname "$0")/.." && pwd)/out/peers

for name in "$@"; do
  if [ ! -x "$peers/$name" ]; then
    echo "peers: building $name"
    GOBIN=$peers go install "github.com/VictoriaMetrics/VictoriaMetrics/app/$name@v1.130.0"
  fi
done
