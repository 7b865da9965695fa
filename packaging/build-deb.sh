#!/usr/bin/env bash
# Builds the Debian package, and prints its path as the last line.
#
#     packaging/build-deb.sh
#
# Needs cargo-deb (cargo install --locked cargo-deb) and dpkg-dev. The package is for this machine's architecture, and
# for the C library of this release of Debian or later.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

cargo build --locked --release --package tracker-bin
target=$(cargo metadata --locked --no-deps --format-version 1 | grep -o '"target_directory":"[^"]*"' | cut -d'"' -f4)
tracker=$target/release/tracker
made=$target/release/packaging # cargo-deb finds it by this name
rm -rf "$made"
mkdir -p "$made"
"$tracker" man | gzip -9n >"$made/tracker.1.gz"
"$tracker" completions bash >"$made/tracker.bash"
"$tracker" completions zsh >"$made/_tracker"
"$tracker" completions fish >"$made/tracker.fish"
"$tracker" --print-config --data-dir /var/lib/tracker | awk -f packaging/debian/config.awk >"$made/tracker.ron"
packaging/licences.py >"$made/third-party"

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
# What is for debuggers goes into a package of its own beside it.
cargo deb --locked --no-build --dbgsym --package tracker-bin | grep '\.deb$'
