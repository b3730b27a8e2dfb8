#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: PostgreSQL, a browser
# with Chinese fonts, and Prometheus as a collector of real reports. No service
# is started: the tests start what they use, on loopback, and stop it.
set -euo pipefail

# Stripe's own mock of its API is built by the test that uses it.
go -C "$(dirname "$0")/stripe-mock" mod download

missing=()
need() { # need PACKAGE CHECK...
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
initdb() { compgen -G '/usr/lib/postgresql/*/bin/initdb'; }

need postgresql initdb
need chromium command -v chromium
need fonts-noto-cjk installed fonts-noto-cjk
need prometheus command -v prometheus
need gcc command -v gcc # for the race detector
need libc6-dev installed libc6-dev

# A collector that Debian does not have.
"$(dirname "$0")/peers.sh" vmagent

if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
echo "prepare: installing ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
  echo "prepare: run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

# Debian asks this file before it starts a service; 101 forbids it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt_get() { apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" >/dev/null; }
apt_get update
apt_get install -y --no-install-recommends "${missing[@]}"

# Nor may the next boot start it.
if [ -d /run/systemd/system ] && [[ " ${missing[*]} " == *" prometheus "* ]]; then
  systemctl disable --quiet prometheus
fi
echo "prepare: done"
