#!/bin/sh
# Turns the app's options, and what the Supervisor knows of the broker, into the bridge's own variables; then becomes the bridge.
# Its arguments are the bridge's: `sh /run.sh login` signs in with the same configuration.
set -eu
config=${CONFIG_FILE:-/config/config.toml}
options=${OPTIONS_FILE:-/data/options.json}

option() { jq --raw-output --arg key "$1" '.[$key] // empty | tostring' "$options"; }

# set_to KEY value: unless there is none, for an empty variable would be a value too.
set_to() { [ -z "$2" ] || export "PRESENCE2MQTT__$1=$2"; }

# A whole configuration wins: none of the options is looked at. With neither it is a first start: the page asks, and writes it.
if [ -f "$config" ] || [ -z "$(option tenant_id)" ] || [ -z "$(option client_id)" ]; then
  export PRESENCE2MQTT_CONFIG="$config"
else
  set_to GRAPH__TENANT_ID "$(option tenant_id)"
  set_to GRAPH__CLIENT_ID "$(option client_id)"
  set_to GRAPH__CLOUD "$(option cloud)"
  set_to GRAPH__AUTH__ANNOUNCE_SIGN_IN "$(option announce_sign_in)"
  set_to COMMANDS__ENABLED "$(option commands)"
  set_to GRAPH__AUTH__METHOD "$(option method)"
  # A name, more accounts, and lights: tables, of which variables cannot name one. The first account stays "me", and keeps its sign-in;
  # without a name so do its topics.
  lists=$(jq --raw-output '
    def table($name): "[[\($name)]]", (to_entries[] | select(.value != null and .value != "") | "\(.key) = \(.value | tojson)");
    def listed($key): .[$key] // [];
    (.name // "") as $name | (if $name == "" then "me" else $name end) as $first | (listed("accounts") != []) as $several |
    (if $several then ([{name: "me"}] + listed("accounts"))[] | table("accounts") else empty end),
    (if $name == "" then empty else {name: $name, id: "me"} + (if $several then {account: "me"} else {} end) | table("users") end),
    (listed("lights")[] | .users = [if .person // "" | IN("", "me") then $first else .person end] | del(.person) | table("lights"))' "$options")
  if [ -n "$lists" ]; then
    export PRESENCE2MQTT_CONFIG="$STATE_DIRECTORY/options.toml"
    (umask 077 && mkdir -p "$STATE_DIRECTORY" && printf '%s\n' "$lists" >"$PRESENCE2MQTT_CONFIG")
  fi
  [ "$(option verbose)" != true ] || export RUST_LOG=info,presence2mqtt=debug
fi

# The broker of the configuration, else the one that the Supervisor has an app for.
if ! { [ -f "$config" ] && grep -Eq '^[[:space:]]*(mqtt\.)?url[[:space:]]*=' "$config"; }; then
  if broker=$(wget -q -O - --header "Authorization: Bearer ${SUPERVISOR_TOKEN:-}" \
    "${SUPERVISOR_URL:-http://supervisor}/services/mqtt"); then
    of_broker() { printf '%s' "$broker" | jq --raw-output ".data | $1"; }
    set_to MQTT__URL "$(of_broker '(if .ssl then "mqtts" else "mqtt" end) + "://\(.host):\(.port)"')"
    set_to MQTT__USERNAME "$(of_broker '.username // ""')"
    set_to MQTT__PASSWORD "$(of_broker '.password // ""')"
  elif [ -f "$config" ] || [ "${PRESENCE2MQTT_CONFIG:-}" != "$config" ]; then
    echo "presence2mqtt: there is no broker; install the app Mosquitto broker, or name another in config.toml" >&2
    exit 78
  fi
fi
# The bridge has no business with the Supervisor.
unset SUPERVISOR_TOKEN HASSIO_TOKEN

# The status page, on this container's loopback, where no password is needed. Home Assistant has asked who is there, and comes
# from 172.30.32.2 alone; nobody else on the apps' network gets through.
export PRESENCE2MQTT__HTTP__LISTEN=127.0.0.1:9642
# Visitors come under whatever name they know Home Assistant by, and it is the one that lets them in.
export PRESENCE2MQTT__HTTP__ANY_HOST=true
if [ "${1:-run}" = run ]; then
  socat TCP4-LISTEN:8099,fork,reuseaddr,range=172.30.32.2/32 TCP4:127.0.0.1:9642 &
fi
exec presence2mqtt "$@"
