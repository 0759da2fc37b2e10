#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The first five minutes with Vouch, for real: a store on loopback, this machine enrolled, all four
# collectors, a scorecard, the proof, and what the verifier says of one flipped byte.
#
# usage: tour.sh BIN_DIR [--keep]
#
# Everything lives in one private directory below .run/ and goes with it; --keep leaves the store
# running and says where. Exit 0: each step did what is said of it.
set -euo pipefail
source_dir=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
bin=$(cd "$1" && pwd)
keep=${2:-}
[ -z "$keep" ] || [ "$keep" = --keep ] || { echo "usage: tour.sh BIN_DIR [--keep]" >&2; exit 64; }

umask 077
mkdir -p "$source_dir/.run"
dir=$(mktemp -d "$source_dir/.run/tour-XXXXXX")
store_pid=''
finish() {
  local status=$?
  if [ "$keep" != --keep ] || [ $status != 0 ]; then
    [ -z "$store_pid" ] || kill "$store_pid" 2>/dev/null || true
    wait 2>/dev/null || true
    if [ $status = 0 ]; then rm -rf "$dir"; else echo "tour: failed; its directory is left for you to look at: $dir" >&2; fi
  fi
}
trap finish EXIT

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'; else bold='' dim='' plain=''; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# Shows a command as a reader would type it, then runs it.
shown() { printf '%s$ %s%s\n' "$dim" "$(printf '%q ' "$@" | sed "s|$bin/||g; s|$dir|\$DIR|g")" "$plain"; "$@"; }

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

step "1. A store on loopback, in a private directory"
port=$(free_port)
echo "${dim}DIR=$dir$plain"
shown "$bin/vouch-store" init --dir "$dir/store" --origin "tour.localhost/log1" --host 127.0.0.1 --listen "127.0.0.1:$port"
serve() {
  "$bin/vouch-store" serve --dir "$dir/store" >>"$dir/store.log" 2>&1 &
  store_pid=$!
  for _ in $(seq 100); do
    curl -sk --max-time 2 "https://127.0.0.1:$port/healthz" >/dev/null && return
    kill -0 $store_pid 2>/dev/null || { cat "$dir/store.log" >&2; exit 1; }
    sleep 0.1
  done
}
serve
# The auditor's anchor: taken from the store once, and kept elsewhere.
printf 'log %s\nquorum none\n' "$(cat "$dir/store/log.vkey")" >"$dir/anchor.policy"

step "2. This machine is enrolled with one string, which pins the log's key and the store's CA"
"$bin/vouch-store" token create --dir "$dir/store" >"$dir/join"
cat >"$dir/vouchd.yaml" <<YAML
state_dir: $dir/agent
runtime_dir: $dir/run
collector_dir: $bin
packs: [$source_dir/policies/packs/linux-server]
splay: 0s
collectors:
  access_review: { interval: 1h }
  patch_level: { interval: 6h }
  backup_jobs: { interval: 1h }
  config_drift: { interval: 1h }
YAML
shown "$bin/vouch" enroll --config "$dir/vouchd.yaml" <"$dir/join"
rm "$dir/join"

step "3. All four collectors run; what they find is judged, sealed and shipped"
shown "$bin/vouchd" --config "$dir/vouchd.yaml" --once
shown "$bin/vouch-ship" --state "$dir/agent" --runtime "$dir/run" --once
"$bin/vouchd" --config "$dir/vouchd.yaml" --once >/dev/null 2>&1  # Takes the receipts home.
"$bin/vouch-ship" --state "$dir/agent" --runtime "$dir/run" --once >/dev/null 2>&1
shown "$bin/vouch-store" hosts --dir "$dir/store"

step "4. The scorecard of this host: the worst findings with their values, and what could not be judged"
# 1 says that something fails, 2 that something could not be judged: both are answers.
shown "$bin/vouch" check --config "$dir/vouchd.yaml" --framework soc2-2017 --framework iso27001-2022 || [ $? -le 2 ]
echo
echo "The same from the store's side, for every host that it knows:"
shown "$bin/vouch-store" status --dir "$dir/store" --content "$source_dir/policies" --framework soc2-2017

step "5. The proof"
agent=$(ls "$dir/store/bundles")
bundle=$(find "$dir/store/bundles/$agent" -name '0.json*' | sed -n 1p)
parcel=$(find "$dir/agent/kept" "$dir/agent/outbox" -name '0000000000.parcel' 2>/dev/null | sed -n 1p)
echo "A bundle is a signed statement over everything it refers to, by SHA-256:"
show_bundle() { case $bundle in *.zst) zstd -dcq "$bundle" ;; *) cat "$bundle" ;; esac; }
show_bundle | jq -r .payload | base64 -d | jq -c '.subject[:3][], .predicate.chain'
if [ -n "$parcel" ]; then
  echo "A parcel opens with tar:"
  shown tar --zstd -tf "$parcel" | sed -n 1,4p
fi
echo "The log's signed head, in which each bundle is a leaf:"
cat "$dir/store/checkpoint"
echo
echo "The store is stopped: its directory is all that a verifier needs."
echo "Every signature, hash, chain and verdict, computed again:"
kill $store_pid && wait $store_pid
store_pid=''
# Of the controls, one line each, those that did not operate come first.
shown "$bin/vouch" verify "$dir/store" --policy "$dir/anchor.policy" --replay |
  awk '/^operated /{head = NR} head && NR > head + 8 {rest++; next} {print}
       END {if (rest) print "… and " rest " lines more"}'

step "6. One byte flipped, in a copy"
cp -a "$dir/store" "$dir/copy"
blob=$(find "$dir/copy/blobs" -type f -size +0 | sort | sed -n 1p)
printf 'x' | dd of="$blob" bs=1 seek=$(($(stat -c %s "$blob") / 2)) conv=notrunc status=none
if shown "$bin/vouch" verify "$dir/copy" --policy "$dir/anchor.policy"; then
  echo "tour: the verifier accepted a changed blob" >&2
  exit 1
fi
rm -rf "$dir/copy"

step "What to try next"
cat <<'NEXT'
  vouch check --framework soc2-2017       collect and judge now, without a store
  vouch explain dormant-accounts.login    what a check reads, why it matters, how to mend it
  vouch query "SELECT username, shell FROM users WHERE can_login"
  docs/auditors-guide.md                  the same proof with openssl, sha256sum and jq alone
  ./dev run --keep                        leaves the store running
NEXT
if [ "$keep" = --keep ]; then
  serve
  step "The store goes on: https://127.0.0.1:$port, directory $dir, process $store_pid (kill it to end)"
  disown $store_pid
fi
