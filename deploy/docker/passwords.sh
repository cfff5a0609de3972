#!/bin/sh
# Makes passwords in two volumes: hashes for the broker, and the passwords of the bridge. Without names: new ones for the bridge,
# `dashboard` and the status page. With names: only for these users of the broker. Called by compose.yaml.
set -eu
umask 077
broker=${BROKER_DIR:-/broker}
bridge=${BRIDGE_DIR:-/bridge}

new() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

# A user of the broker, with a new password that is printed on standard output.
user() {
  [ -f "$broker/passwords" ] || : >"$broker/passwords"
  password=$(new)
  mosquitto_passwd -b "$broker/passwords" "$1" "$password" >/dev/null
  echo "$password"
}

if [ "$#" -eq 0 ]; then
  : >"$broker/passwords"
  user bridge >"$bridge/mqtt-password"
  new >"$bridge/http-password"
  echo "status page at http://127.0.0.1:9642, any user name:  $(cat "$bridge/http-password")"
  set -- dashboard
fi
for name in "$@"; do
  echo "broker, user $name:  $(user "$name")"
done

# The numbers of Mosquitto's and the bridge's images.
chown -R 1883:1883 "$broker"
chown -R 65532:65532 "$bridge"
echo "If they run already: docker compose restart"
