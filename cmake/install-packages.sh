#!/usr/bin/env bash
# install-packages.sh GROUP…: makes sure that the Debian packages of these groups of apt-packages.txt are installed.
# Says nothing when they are. Never removes a package: where apt would, it stops and says which.
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/apt-packages.txt"

say() { echo "packages: $*"; }
stop() {
  say "$@" >&2
  exit 3
}

# A machine may have a newer Node of its own, whose package conflicts with Debian's npm.
has_node() {
  command -v npm >/dev/null && [[ "$(node --version 2>/dev/null)" =~ ^v([0-9]+) ]] && ((BASH_REMATCH[1] >= 18))
}

wanted=()
for group in "$@"; do
  line="$(grep "^$group:" "$list")" || stop "no group '$group' in $list"
  read -ra names <<<"${line#*:}"
  wanted+=("${names[@]}")
done

command -v dpkg-query >/dev/null || stop "this is not a Debian system; install by hand what is the same as: ${wanted[*]}"
# dpkg-query fails where it has never heard of one of them.
installed=" $({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true; } |
  sed -n 's/^installed //p' | tr '\n' ' ') "
missing=()
for name in "${wanted[@]}"; do
  [[ "$installed" == *" $name "* ]] && continue
  case "$name" in nodejs | npm) has_node && continue ;; esac
  missing+=("$name")
done
((${#missing[@]})) || exit 0

say "missing: ${missing[*]}"
root=()
if ((EUID != 0)); then
  root=(sudo)
  # Without a terminal sudo cannot ask for a password.
  [[ -t 0 ]] || root=(sudo -n)
  if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
    stop "installing them needs root. Run this as root, then start again:
  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  fi
fi
apt() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@"; }

update() {
  say "fetching Debian's package lists (apt-get update)"
  apt -q update >/dev/null || stop "apt-get update failed; is the network there?"
}
simulate() { plan="$(LC_ALL=C apt-get -s --no-install-recommends install "${missing[@]}" 2>&1)"; }

fresh=false
if ! simulate; then
  update
  fresh=true
  simulate || stop "apt cannot install them on this machine:
$plan"
fi
removed="$(sed -n 's/^Remv \([^ ]*\).*/\1/p' <<<"$plan" | sort -u | tr '\n' ' ')"
[[ -z "$removed" ]] || stop "stopped, nothing was changed: to install them, apt would remove these packages:
  $removed
If you can do without those, run this, then start again:
  ${root:+sudo }apt-get install --no-install-recommends ${missing[*]}"

say "installing $(grep -c '^Inst ' <<<"$plan") packages with apt-get"
install() { apt -y --no-remove --no-install-recommends install "${missing[@]}"; }
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if ! install >"$log" 2>&1; then
  # Old lists name versions that the archive no longer has.
  $fresh || update
  install >"$log" 2>&1 || stop "apt-get install failed:
$(tail -n 20 "$log")"
fi
say "done"
