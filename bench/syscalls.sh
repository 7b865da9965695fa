#!/usr/bin/env bash
# System calls per request of the tracker under load, counted by strace.
#
#     bench/syscalls.sh [--check] [TRACKER]        (default: target/release/tracker)
#
# With --check it fails where there are more than there should be: 2.2 for a keep-alive announce, 5 for a one-shot.
# One worker on core 0, the load on core 1. Needs gcc, strace and taskset.
set -euo pipefail

check=no
if [[ ${1:-} == --check ]]; then
  check=yes
  shift
fi
tracker=$(realpath "${1:-target/release/tracker}")
here=$(dirname "$(realpath "$0")")
requests=${REQUESTS:-100000}
folder=$(mktemp -d)
pids=()

end_all() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  # the tracker writes its last snapshot
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap end_all EXIT
trap 'exit 1' INT TERM HUP

# wait_for SECONDS WHAT COMMAND...: until COMMAND succeeds
wait_for() {
  local steps=$(($1 * 20)) what=$2
  shift 2
  until "$@"; do
    ((steps-- > 0)) || { echo "waited too long for $what" >&2; exit 1; }
    sleep 0.05
  done
}

load() {
  timeout 120 taskset -c 1 "$folder/httpload" --port "$port" --connections 64 --source-ips 16 --torrents 10000 "$@" || {
    echo "the load program failed, or took more than 120 s" >&2
    return 1
  }
}

# count NAME LIMIT LOAD-ARGUMENTS...: one table
count() {
  local name=$1 limit=$2
  shift 2
  load "$@" --requests 20000 >/dev/null # warm-up
  strace -c -f -p "$server" -o "$folder/calls" 2>"$folder/strace.log" &
  local strace=$!
  pids+=("$strace")
  wait_for 10 "strace to attach" grep -qs attached "$folder/strace.log"
  local answered
  answered=$(load "$@" --requests "$requests" | sed 's/^{"requests":\([0-9]*\),.*/\1/')
  kill -INT "$strace"
  wait "$strace" || true
  echo "$name: $answered requests"
  awk -v requests="$answered" -v limit="$limit" -v check="$check" '
    $4 !~ /^[0-9]+$/ || $NF == "total" { next }
    { all += $4 }
    $4 / requests >= 0.001 { printf "  %-16s %8.3f a request\n", $NF, $4 / requests }
    END {
      printf "  %-16s %8.3f a request\n", "all", all / requests
      if (check == "yes" && all / requests > limit) { print "  more than " limit; exit 1 }
    }
  ' "$folder/calls"
}

gcc -O2 -o "$folder/httpload" "$here/httpload.c" -lm
echo '(swarm: (interval: "30m"), log: (level: "warn"))' >"$folder/tracker.ron"
taskset -c 0 "$tracker" --config "$folder/tracker.ron" --data-dir "$folder/data" --workers 1 --listen 127.0.0.1:0 \
  </dev/null 2>"$folder/tracker.log" &
server=$!
pids+=("$server")
wait_for 10 "the tracker's ready line" grep -q '^listening on http://' "$folder/tracker.log"
port=$(sed -n 's|^listening on http://127.0.0.1:\([0-9]*\).*|\1|p' "$folder/tracker.log" | head -n 1)

load --enumerate --requests 100000 >/dev/null
count "keep-alive announce" 2.2 --mode keepalive
count "keep-alive announce, pipelined 8 deep" 2.2 --mode keepalive --pipeline 8
count "one-shot announce" 5 --mode close
