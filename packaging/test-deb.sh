#!/usr/bin/env bash
# Installs the Debian package in a clean root, starts the tracker there as the service would, stops it, purges the package,
# and sees that nothing is left.
#
#     packaging/test-deb.sh FILE.deb
#
# Needs root and mmdebstrap (or debootstrap), which fetch a small Debian. Exit code 77: it cannot be tried here, and the
# last line says why. Everything is made below a temporary folder, which is gone afterwards.
set -euo pipefail

# shellcheck source=packaging/serve.sh
. "$(dirname "$(realpath "$0")")/serve.sh"
package=$(realpath "${1:?usage: packaging/test-deb.sh FILE.deb}")
work=$(mktemp -d)
root=$work/root
pid=''
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

say() { printf '%s\n' "$*"; }
skip() { say "skipped: $*"; exit 77; }
fail() { say "failed: $*"; exit 1; }
stop() { if [[ -n $pid ]]; then kill -KILL "$pid" 2>/dev/null || true; fi; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

make_root() {
  local suite sources
  # shellcheck disable=SC1091
  suite=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
  if command -v mmdebstrap >/dev/null; then
    sources=$(find /etc/apt/sources.list /etc/apt/sources.list.d -type f \( -name '*.list' -o -name '*.sources' \) -size +0 2>/dev/null || true)
    # shellcheck disable=SC2086
    timeout 300 mmdebstrap --quiet --mode=root --variant=essential "$suite" "$root" $sources >"$work/log" 2>&1
  elif command -v debootstrap >/dev/null; then
    timeout 300 debootstrap --variant=minbase "$suite" "$root" >"$work/log" 2>&1
  else
    skip "neither mmdebstrap nor debootstrap is installed"
  fi || { tail -n 5 "$work/log"; skip "no clean Debian can be had"; }
}

# What there is but for dpkg's notes on itself, in an order of its own.
list() {
  (cd "$root" && find . -path ./var/log -prune -o -path ./tmp -prune -o -print) |
    grep -vE '^\./var/lib/dpkg/(status|status-old|available|available-old|lock|lock-frontend|diversions-old|statoverride-old)$' |
    LC_ALL=C sort
}

# The package asks for the C library, and for what that asks for itself.
depends() {
  local depends other
  depends=$(dpkg-deb --field "$package" Depends)
  say "Depends: $depends"
  other=$(tr ',' '\n' <<<"$depends" | sed 's/^ *//; s/ .*//' | grep -vxE 'libc6|libgcc-s1' || true)
  [[ -z $other ]] || fail "it depends on $other"
}

contents() {
  local file
  for file in usr/bin/tracker etc/tracker/tracker.ron usr/lib/systemd/system/tracker.service \
    usr/share/man/man1/tracker.1.gz usr/share/bash-completion/completions/tracker \
    usr/share/zsh/vendor-completions/_tracker usr/share/fish/vendor_completions.d/tracker.fish \
    usr/share/doc/bittorrent-tracker/copyright usr/share/doc/bittorrent-tracker/changelog.Debian.gz; do
    [[ -s $root/$file || -s $root/${file#usr/} ]] || fail "/$file is not there"
  done
  # shellcheck disable=SC2016
  inside dpkg-query --show --showformat '${Conffiles}\n' bittorrent-tracker | grep -q /etc/tracker/tracker.ron ||
    fail "the configuration is no conffile"
  [[ -L $root/etc/systemd/system/multi-user.target.wants/tracker.service ]] || fail "the service is not enabled"
}

# What is commented out in the configuration is what is in force without it.
settings() {
  inside tracker --config /etc/tracker/tracker.ron --check-config
  inside tracker --config /etc/tracker/tracker.ron --print-config >"$work/shipped"
  inside tracker --data-dir /var/lib/tracker --print-config >"$work/defaults"
  diff "$work/defaults" "$work/shipped" || fail "the configuration changes more than the data directory"
  # and every key is in it
  sed 's#^        // \([a-z_]*: \)#        \1#; /^\/\/ /d; /^\/\/$/d' "$root/etc/tracker/tracker.ron" >"$work/whole"
  diff "$work/defaults" "$work/whole" || fail "the configuration lacks something"
}

# As systemd does for DynamicUser= and StateDirectory=, but that it lets the user into private by a mount of its own.
serve() {
  local user=61184
  install -d -m 755 "$root/var/lib/private"
  install -d -m 700 -o "$user" -g "$user" "$root/var/lib/private/tracker"
  ln -sfn private/tracker "$root/var/lib/tracker"
  serve_once chroot --userspec="$user:$user" --groups='' "$root" /usr/bin/tracker --config /etc/tracker/tracker.ron
  [[ -s $root/var/lib/tracker/swarms.ron ]] || fail "it has kept nothing in /var/lib/tracker"
  say "served as user $user, and kept: $(ls -m "$root/var/lib/tracker/")"
}

[[ $(id -u) == 0 ]] || skip "needs root"
depends
make_root
list >"$work/before"
cp "$package" "$root/tmp/tracker.deb"
inside dpkg --install /tmp/tracker.deb >"$work/log" 2>&1 || { cat "$work/log"; fail "it cannot be installed"; }
contents
settings
serve
# installed once more over itself: the configuration that somebody has changed stays
echo '// mine' >>"$root/etc/tracker/tracker.ron"
inside dpkg --install --force-confold /tmp/tracker.deb >"$work/log" 2>&1 || { cat "$work/log"; fail "it cannot be upgraded"; }
tail -n 1 "$root/etc/tracker/tracker.ron" | grep -qx '// mine' || fail "an upgrade has changed the configuration"
inside dpkg --remove bittorrent-tracker >"$work/log" 2>&1 || { cat "$work/log"; fail "it cannot be removed"; }
[[ -s $root/etc/tracker/tracker.ron && -s $root/var/lib/tracker/swarms.ron ]] || fail "a removal takes more than the program"
inside dpkg --purge bittorrent-tracker >"$work/log" 2>&1 || { cat "$work/log"; fail "it cannot be purged"; }
rm -f "$root/tmp/tracker.deb"
rmdir "$root/var/lib/private" 2>/dev/null || true # which is systemd's, and stays where there is a systemd
list >"$work/after"
diff "$work/before" "$work/after" || fail "the purge has left something behind"
say "passed: $(basename "$package") installs, serves, upgrades and purges cleanly"
