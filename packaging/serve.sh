# shellcheck shell=bash
# For the scripts beside it: starts a tracker that listens on a free port of loopback, asks how it fares, and stops it.
# They have a `fail`, a folder `$work`, and end the process `$pid` if there is one.

# serve_once COMMAND...: the tracker, with its options
serve_once() {
  local url='' steps=200
  "$@" --listen 127.0.0.1:0 2>"$work/said" &
  pid=$!
  until url=$(grep -om1 '127\.0\.0\.1:[0-9]*' "$work/said"); do
    if ! kill -0 "$pid" 2>/dev/null || ((steps-- == 0)); then cat "$work/said"; fail "it does not start"; fi
    sleep 0.1
  done
  exec 3<>"/dev/tcp/127.0.0.1/${url##*:}"
  printf 'GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n' >&3
  grep -q '"status":"ok"' <&3 || fail "/health is not ok"
  exec 3<&-
  kill -TERM "$pid"
  wait "$pid" || fail "it stopped with code $?"
  pid=''
}
