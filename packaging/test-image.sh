#!/usr/bin/env bash
# Does what the Containerfile says without an engine for containers: builds the program for its static target, puts it into a
# folder as the image has it, and starts it there as the image would, as its user and with nothing else around it.
#
#     packaging/test-image.sh
#
# Needs root, Rust's target for musl (rustup target add x86_64-unknown-linux-musl) and Debian's musl-tools, and some minutes.
# Exit code 77: one of these is missing.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
. packaging/serve.sh

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "failed: $*"; exit 1; }
target=$(uname -m)-unknown-linux-musl
work=$(mktemp -d)
pid=''
trap '[[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null; rm -rf "$work"' EXIT

[[ $(id -u) == 0 ]] || skip "needs root"
[[ -d $(rustc --print target-libdir --target "$target") ]] || skip "the target $target is not installed"
command -v musl-gcc >/dev/null || skip "musl-gcc is not installed"

cargo build --locked --release --package tracker-bin --target "$target"
folder=$(cargo metadata --locked --no-deps --format-version 1 | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4)
install -D --strip "$folder/$target/release/tracker" "$work/image/tracker"
install -d -o 65534 -g 65534 "$work/image/data"
chmod 755 "$work" "$work/image"
if readelf --program-headers "$work/image/tracker" | grep INTERP; then fail "it is not static"; fi

user=$(sed -n 's/^USER //p' Containerfile)
entry=$(sed -n 's/^ENTRYPOINT //p' Containerfile | tr -d '[],"')
# shellcheck disable=SC2086
serve_once chroot --userspec="$user" --groups='' "$work/image" $entry
[[ -s $work/image/data/swarms.ron ]] || fail "it has kept nothing in /data"
echo "passed: $(stat --format %s "$work/image/tracker") bytes, static, serves as $user in an empty root"
