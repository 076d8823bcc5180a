#!/usr/bin/env bash
# install_packages.sh SECTION...: installs the Debian packages of these sections of packages.txt that are missing.
# Asks dpkg each time instead of keeping a stamp: that takes milliseconds and cannot go stale.
set -euo pipefail
cd "$(dirname "$0")/.."

section_packages() {
  awk -v wanted="[$1]" '/^#/ || NF == 0 { next } /^\[/ { inside = ($1 == wanted); next } inside { print $1 }' packages.txt
}

is_installed() {
  [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null || true)" == installed ]]
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

if ! command -v dpkg-query >/dev/null; then
  echo "error: dpkg-query not found; this script knows Debian only: install the equivalents of packages.txt by hand" >&2
  exit 1
fi

missing=()
for section in "$@"; do
  names=$(section_packages "$section")
  if [[ -z "$names" ]]; then
    echo "error: packages.txt has no section [$section]" >&2
    exit 2
  fi
  for name in $names; do
    is_installed "$name" || missing+=("$name")
  done
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "== packages [$*]: all installed"
  exit 0
fi

echo "== packages [$*]: installing ${missing[*]}"
if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
  echo "error: not root and no sudo here; as root run: apt-get update && apt-get install ${missing[*]}" >&2
  exit 1
fi
# Another repository of this machine may be unreachable; what counts is whether our packages install.
as_root apt-get update -q || echo "warning: apt-get update failed in part; trying with the lists at hand" >&2
as_root apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
