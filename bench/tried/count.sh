#!/usr/bin/env bash
# Instructions of user space for each of 30,000 pipelined announces: the difference of two runs under callgrind.
#
#     bench/tried/count.sh TRACKER
#
# Needs gcc and valgrind; does not care what else the machine does.
set -euo pipefail

tracker=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
folder=$(mktemp -d)
server=
end_all() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap end_all EXIT

# instructions REQUESTS: of a tracker from start to stop, with that many requests in it
instructions() {
  local steps=1200 port
  : >"$folder/log"
  rm -rf "$folder/data" "$folder"/counts*
  valgrind --tool=callgrind --callgrind-out-file="$folder/counts" "$tracker" --config "$folder/tracker.ron" \
    --data-dir "$folder/data" --workers 1 --listen 127.0.0.1:0 </dev/null >/dev/null 2>"$folder/log" &
  server=$!
  until port=$(sed -n 's|^listening on http://127.0.0.1:\([0-9]*\).*|\1|p' "$folder/log" | head -n 1) && [[ -n $port ]]; do
    ((steps-- > 0)) && kill -0 "$server" || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
  done
  local load=(timeout 200 "$folder/httpload" --port "$port" --torrents 1000 --peers 10000 --source-ips 16 --timeout 60 --no-spin)
  "${load[@]}" --enumerate --requests 10000 >/dev/null
  "${load[@]}" --requests "$1" --pipeline 8 >/dev/null
  kill "$server"
  wait "$server"
  server=
  count=$(cat "$folder"/counts* | awk '/^totals:/ { all += $2 } END { print all }')
}

gcc -O2 -o "$folder/httpload" "$here/../httpload.c" -lm
echo '(swarm: (interval: "30m"), log: (level: "warn"))' >"$folder/tracker.ron"
instructions 10000
few=$count
instructions 40000
echo "$(((count - few) / 30000)) instructions a request"
