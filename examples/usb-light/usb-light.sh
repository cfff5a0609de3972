#!/bin/sh
# A USB busy light (Luxafor, blink(1), Kuando, Blynclight, MuteMe, ...) on any computer that can reach the broker.
#
#     pip install busylight-for-humans       # once; and the package mosquitto-clients
#     ./usb-light.sh alice                   # ends with Ctrl-C, and leaves the light off
#
# Where the broker is, and the user name and password, belongs into ~/.config/mosquitto_sub, which only you can read:
#
#     -h broker.example
#     -u dashboard
#     -P not-a-password
#
# `busylight` speaks to the light by itself. Some lights (Kuando) go out unless they are spoken to all the time, and for
# those it does not end; it is ended here when the next colour comes. If something else uses the light too, let the
# server keep it, and say where that is; 0.0.0.0 is its default, which would let the whole network in:
#
#     pip install 'busylight-for-humans[webapi]' && busyserve --host 127.0.0.1
#     BUSYSERVE=http://127.0.0.1:8000 ./usb-light.sh alice
#
# Tried with mosquitto 2.0.11 and busylight-for-humans 1.0.3, without a light: against a broker that was stopped and
# started again, with a stand-in for `busylight` that wrote down its arguments; with the real `busylight`, which takes
# these arguments and says nothing when no light is there; and with the real `busyserve`, which takes these requests and
# answers 503, "No USB lights are currently available".

set -eu

user=${1:-alice}
base=${BASE:-presence}
bridge=${BRIDGE:-bridge}

# One line for each message, and with -d one for each connection, as soon as there is one.
listen() {
    by_line mosquitto_sub -d -k 15 -q 1 -F '%t %p' -t "$base/$bridge/state" \
        -t "$base/$user/availability" -t "$base/$user/activity" -t "$base/$user/health"
}

by_line() {
    if command -v stdbuf >/dev/null; then stdbuf -oL "$@"; else "$@"; fi
}

# A value counts while the bridge is online and the person's health is ok. Otherwise nothing is shown: the last colour
# would look like the present one.
color() {
    case "$state/$health/$activity/$availability" in
        online/ok/OutOfOffice/*) echo purple ;;
        online/ok/OffWork/*) echo off ;;
        online/ok/*/Available | online/ok/*/AvailableIdle) echo green ;;
        online/ok/*/Busy | online/ok/*/BusyIdle | online/ok/*/DoNotDisturb) echo red ;;
        online/ok/*/Away | online/ok/*/BeRightBack) echo orange ;;
        *) echo off ;;
    esac
}

obey() {
    # Only end the loop below; mosquitto_sub gets the same signal.
    trap : INT TERM
    shown='' busylight=''
    forget
    while read -r topic payload; do
        case $topic in
            "$base/$bridge/state") state=$payload ;;
            "$base/$user/availability") availability=$payload ;;
            "$base/$user/activity") activity=$payload ;;
            "$base/$user/health") health=$payload ;;
            Client)
                case $payload in
                    # There was no broker, and what is known may be old. All of it is retained and comes again. While
                    # there is none, nothing comes, and the light stays as it is.
                    *' sending CONNECT') forget ;;
                    # Every quarter of a minute: a light that was plugged in meanwhile knows nothing yet.
                    *' received PINGRESP') show_again ;;
                    *) continue ;;
                esac
                ;;
            *) continue ;;
        esac
        show "$(color)"
    done
    show off
}

forget() {
    state='' health='' activity='' availability=''
}

# `busylight` ends in peace where no light is there, and also where one is. While it still runs it keeps its light itself.
show_again() {
    if [ -n "${BUSYSERVE:-}" ] || [ -z "$busylight" ] || ! kill -0 "$busylight" 2>/dev/null; then
        shown=''
    fi
}

show() {
    [ "$1" != "$shown" ] || return 0
    if [ -n "${BUSYSERVE:-}" ]; then
        ask "$1" || { echo "usb-light: $BUSYSERVE does not show $1" >&2; return 0; }
    else
        tell "$1"
    fi
    shown=$1
}

# The server answers when it is done.
ask() {
    case $1 in
        off) curl -fsS -o /dev/null -X POST "$BUSYSERVE/api/v1/lights/off" ;;
        *) curl -fsS -o /dev/null -H 'Content-Type: application/json' -d "{\"color\":\"$1\"}" \
            "$BUSYSERVE/api/v1/lights/on" ;;
    esac
}

# The command may not end by itself.
tell() {
    if [ -n "$busylight" ]; then
        kill "$busylight" 2>/dev/null || true
        wait "$busylight" 2>/dev/null || true
    fi
    case $1 in
        off) busylight off & ;;
        *) busylight on "$1" & ;;
    esac
    busylight=$!
}

# mosquitto_sub comes back by itself when the broker does, but ends if there is none at first.
trap 'exit 0' INT TERM
while :; do
    listen | obey
    sleep 5
done
