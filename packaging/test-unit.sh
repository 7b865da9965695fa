#!/usr/bin/env bash
# Looks at the systemd unit: whether systemd understands it, how much it leaves open, and whether the program gets along
# with its filter of system calls.
#
#     packaging/test-unit.sh target/release/tracker
#
# Needs systemd-analyze, and strace for the system calls. Exit code 77: there is nothing to look at it with.
set -euo pipefail

tracker=$(realpath "${1:?usage: packaging/test-unit.sh TRACKER}")
unit=$(dirname "$(realpath "$0")")/tracker.service
threshold=20 # tenths: the best that a service with a network of the host's can be is 1.5
work=$(mktemp -d)
pid=''
trap '[[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null; rm -rf "$work"' EXIT

command -v systemd-analyze >/dev/null || { echo "skipped: systemd-analyze is not installed"; exit 77; }

# It is looked for where it is, and man pages are not looked for.
sed "s#/usr/bin/tracker#$tracker#" "$unit" >"$work/tracker.service"
systemd-analyze verify --man=no "$work/tracker.service" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
if grep -F tracker.service "$work/said"; then exit 1; fi

systemd-analyze security --offline=true --threshold="$threshold" "$unit" >"$work/said" || { cat "$work/said"; exit 1; }
grep 'Overall exposure' "$work/said"

# expand SET: the system calls of @SET
expand() {
  local word
  for word in $(systemd-analyze syscall-filter "$1" | sed '1d; s/#.*//'); do
    if [[ $word == @* ]]; then expand "$word"; else echo "$word"; fi
  done
}

# The calls that the unit allows: its lines one after the other, as systemd reads them.
allowed() {
  local line word
  expand @default >"$work/allowed"
  while IFS= read -r line; do
    for word in ${line#\~}; do
      if [[ $word == @* ]]; then expand "$word"; else echo "$word"; fi
    done | sort -u >"$work/line"
    if [[ $line == \~* ]]; then
      comm -23 <(sort -u "$work/allowed") "$work/line" >"$work/next"
    else
      sort -u "$work/allowed" "$work/line" >"$work/next"
    fi
    mv "$work/next" "$work/allowed"
  done < <(sed -n 's/^SystemCallFilter=//p' "$unit")
  expand @default | sort -u - "$work/allowed"
}

if ! strace -o "$work/trace" true 2>/dev/null; then
  echo "strace cannot be had: the filter of system calls was not tried"
  exit 0
fi
# a whole life: start, a request, a reload, a snapshot, a stop
cat >"$work/tracker.ron" <<EOF
(http: (listen: ["127.0.0.1:0"], workers: 2), store: (dir: "$work/data", sample_every: "1s", snapshot_every: "1s"),
 log: (level: "debug", file: "$work/data/log"))
EOF
mkdir "$work/data"
strace -f -qq -o "$work/trace" "$tracker" --config "$work/tracker.ron" 2>"$work/log" &
pid=$!
wait_for() {
  local steps=300
  until grep -q "$1" "$work/log"; do
    ((steps-- > 0)) || { cat "$work/log"; echo "it never said: $1"; exit 1; }
    sleep 0.1
  done
}
wait_for 'listening on'
port=$(grep -om1 '127\.0\.0\.1:[0-9]*' "$work/log")
exec 3<>"/dev/tcp/127.0.0.1/${port##*:}"
printf 'GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n' >&3
grep -q '"status"' <&3
exec 3<&-
child=$(pgrep -P "$pid")
wait_for 'snapshot: '
kill -HUP "$child"
wait_for 'reloaded'
kill -TERM "$child"
wait "$pid"
pid=''
# from what it does after it was executed by strace
grep -oE '^[0-9]+ +[a-z0-9_]+\(' "$work/trace" | sed 's/^[0-9]* *//; s/($//' | sort -u >"$work/used"
[[ $(wc -l <"$work/used") -gt 20 ]] || { echo "too few system calls were seen: $(xargs <"$work/used")"; exit 1; }
refused=$(comm -23 "$work/used" <(allowed))
[[ -z $refused ]] || { echo "the unit refuses what the program does: ${refused//$'\n'/ }"; exit 1; }
echo "passed: all $(wc -l <"$work/used") system calls that it makes are allowed"
