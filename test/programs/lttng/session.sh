#!/bin/sh
# test/programs/lttng/session.sh OUTPUT COMMAND...: records by LTTng what the lines of OUTPUT/events say, an event's name
# and after a tab its filter, if any, while COMMAND runs. A session daemon of its own, below a private /run/lttng (the
# caller gives the mount namespace), ended by its pid, or with this shell if killed.
set -e
output=$1
shift
mkdir -p /run/lttng
mount -t tmpfs tmpfs /run/lttng
mount -t tmpfs -o size=256m tmpfs /dev/shm
export LTTNG_HOME="$output/home" LTTNG_UST_REGISTER_TIMEOUT=5000
mkdir -p "$LTTNG_HOME"
setpriv --pdeathsig TERM lttng-sessiond --no-kernel >"$output/sessiond.log" 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon || true' EXIT
tries=0
until lttng --no-sessiond list >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 100 ]
  sleep 0.1
done
{
  lttng --no-sessiond create blkin-test --output="$output/lttng"
  while IFS="$(printf '\t')" read -r event filter; do
    lttng --no-sessiond enable-event --userspace "$event" ${filter:+--filter "$filter"} </dev/null
  done <"$output/events"
  lttng --no-sessiond start
} >&2
"$@"
{
  lttng --no-sessiond stop
  lttng --no-sessiond destroy blkin-test
} >&2
