#!/usr/bin/env bash
# Builds the release twice, in two folders, from the commit that is checked out and its lock file, and compares the
# programs byte for byte.
#
#     packaging/reproducible.sh [FOLDER]
#
# Leaves the program in FOLDER if one is named. Takes twice a release build, and 1 GB in the temporary folder. The same
# commit, the same version of Rust and the same C compiler give the same bytes, wherever they are and whoever builds.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

commit=$(git rev-parse HEAD)
[[ -z $(git status --porcelain) ]] || echo "what is not committed is not built"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH
rust=$(rustc --print sysroot)
home=${CARGO_HOME:-$HOME/.cargo}

# build FOLDER: the program of this commit, built in FOLDER without a trace of where that is
build() {
  local folder=$1 map
  mkdir -p "$folder"
  git archive "$commit" | tar -x -C "$folder"
  # what rustc writes into the program of the places of sources, and what the C compiler does
  map="--remap-path-prefix=$folder=/source --remap-path-prefix=$home=/cargo --remap-path-prefix=$rust=/rust"
  (
    cd "$folder"
    RUSTFLAGS="$map" CFLAGS="-ffile-prefix-map=$folder=/source -ffile-prefix-map=$home=/cargo" \
      CARGO_TARGET_DIR="$folder/target" CARGO_INCREMENTAL=0 \
      nice -n 19 cargo build --locked --release --quiet --package tracker-bin
  )
  mv "$folder/target/release/tracker" "$work/$(basename "$folder")"
  rm -rf "$folder"
}

build "$work/one/one-folder"
build "$work/another/a-folder-with-a-longer-name"
sha256sum "$work/one-folder" "$work/a-folder-with-a-longer-name" | sed "s#$work/##"
if ! cmp "$work/one-folder" "$work/a-folder-with-a-longer-name"; then
  echo "failed: the programs differ"
  exit 1
fi
for trace in "$work" "$home"; do
  if grep -qF "$trace" "$work/one-folder"; then
    echo "failed: the program names $trace"
    exit 1
  fi
done
[[ -z ${1:-} ]] || install -D "$work/one-folder" "$1/tracker"
echo "passed: commit $commit, $(rustc --version), SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"
