#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# auditor_check.sh STORE_DIRECTORY [VKEY_FILE]: the checks of docs/auditors-guide.md with openssl, jq,
# zstd, sha256sum, base64, xxd and awk alone. Exit 0: all hold. 1: the first that does not is named.
# VKEY_FILE is a log.vkey that came from elsewhere; without it the directory's own is believed.
set -euo pipefail
store=$(cd "$1" && pwd)
vkey=$(cat "${2:-$store/log.vkey}")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$store"

fail() { echo "auditor_check: FAILED $*" >&2; exit 1; }
spki_head=302a300506032b6570032100
entries_per_tile=256

# Signature file over a message file, by a public key in DER: Ed25519 (44 bytes), else ECDSA P-256.
verify() {  # KEY.der MESSAGE SIGNATURE
  openssl pkey -pubin -inform DER -in "$1" -out "$work/key.pem" 2>/dev/null || return 1
  if [ "$(stat -c %s "$1")" = 44 ]; then
    openssl pkeyutl -verify -rawin -pubin -inkey "$work/key.pem" -in "$2" -sigfile "$3" >/dev/null 2>&1
  else
    openssl dgst -sha256 -verify "$work/key.pem" -signature "$3" "$2" >/dev/null 2>&1
  fi
}

# The bytes of a file that is there raw or compressed.
raw() { if [ -f "$1.zst" ]; then zstd -dcq "$1.zst"; else cat "$1"; fi; }

# 1. The log's key.
origin=${vkey%%+*}
{ printf %s "$spki_head" | xxd -r -p; printf %s "${vkey#*+*+}" | base64 -d | tail -c 32; } > "$work/log.der"

# 2. The checkpoint.
sed '/^$/,$d' checkpoint > "$work/text"
grep -F "— $origin " checkpoint | awk '{print $3}' | base64 -d | tail -c +5 > "$work/sig" ||
  fail "checkpoint: not signed by $origin"
verify "$work/log.der" "$work/text" "$work/sig" || fail "checkpoint: bad signature"
{ read -r name; read -r size; read -r root; } < "$work/text"
[ "$name" = "$origin" ] || fail "checkpoint: origin $name is not $origin"
[ "$size" -le 256000 ] || fail "this script stops at 256,000 entries: use vouch verify"

# 3. Entries, level 0 of the tiles, root.
: > "$work/entries.jsonl"; : > "$work/leaves"
for ((first = 0; first < size; first += entries_per_tile)); do
  width=$((size - first)); suffix=""
  if [ "$width" -ge "$entries_per_tile" ]; then width=$entries_per_tile; else suffix=.p/$width; fi
  tile=$(printf %03d $((first / entries_per_tile)))$suffix
  offset=0; total=$(stat -c %s "tile/entries/$tile"); : > "$work/tile"
  while [ "$offset" -lt "$total" ]; do
    length=$((0x$(xxd -s "$offset" -l 2 -p "tile/entries/$tile")))
    tail -c +$((offset + 3)) "tile/entries/$tile" | head -c "$length" > "$work/entry"
    { printf '\0'; cat "$work/entry"; } | openssl dgst -sha256 -binary >> "$work/tile"
    { cat "$work/entry"; echo; } >> "$work/entries.jsonl"
    offset=$((offset + 2 + length))
  done
  cmp -s "$work/tile" "tile/0/$tile" || fail "tile/0/$tile is not that of its entries"
  cat "$work/tile" >> "$work/leaves"
done
mapfile -t leaf < <(xxd -p -c 32 "$work/leaves")
[ "${#leaf[@]}" = "$size" ] || fail "${#leaf[@]} entries, the checkpoint says $size"

tree() {  # FIRST COUNT: the root of that many leaves, in hex
  if [ "$2" = 1 ]; then echo "${leaf[$1]}"; return; fi
  local half=1; while [ $((half * 2)) -lt "$2" ]; do half=$((half * 2)); done
  printf '01%s%s' "$(tree "$1" "$half")" "$(tree $(($1 + half)) $(($2 - half)))" |
    xxd -r -p | openssl dgst -sha256 -r | cut -c 1-64
}
[ "$(tree 0 "$size" | xxd -r -p | base64)" = "$root" ] || fail "the entries do not hash to the root"

# 4. Each bundle, in the order of the log; 5. its blobs.
declare -A key=() prev=() next_seq=() checked=()
bundles=0
while IFS=$'\t' read -r type agent seq id leaf_prev new_key; do
  case $type in
    enrol) key[$agent]=$new_key; next_seq[$agent]=0; prev[$agent]=$(printf '%064d' 0); continue ;;
    rotate) key[$agent]=$new_key; continue ;;
  esac
  where=$agent/$seq
  [ "$seq" = "${next_seq[$agent]}" ] || fail "$where: seq ${next_seq[$agent]} was expected"
  [ "$leaf_prev" = "${prev[$agent]}" ] || fail "$where: prev is not the bundle before"
  raw "bundles/$where.json" > "$work/env.json" 2>/dev/null || fail "$where: the bundle is missing"
  jq -e '.signatures | length == 1' "$work/env.json" >/dev/null || fail "$where: not one signature"
  jq -r .payload "$work/env.json" | base64 -d > "$work/body"
  payload_type=$(jq -r .payloadType "$work/env.json")
  { printf 'DSSEv1 %d %s %d ' "${#payload_type}" "$payload_type" "$(stat -c %s "$work/body")"
    cat "$work/body"; } > "$work/pae"
  jq -r '.signatures[0].sig' "$work/env.json" | base64 -d > "$work/sig"
  printf %s "${key[$agent]}" | base64 -d > "$work/agent.der"
  verify "$work/agent.der" "$work/pae" "$work/sig" || fail "$where: bad signature"
  [ "$(sha256sum < "$work/pae" | cut -c 1-64)" = "$id" ] || fail "$where: not the bundle in the log"
  [ "$(jq -r .predicate.chain.prev "$work/body")" = "$leaf_prev" ] || fail "$where: another prev"
  while IFS=$'\t' read -r hex subject; do
    [ -z "${checked[$hex]:-}" ] || continue
    case $hex in e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855) continue ;; esac
    file=blobs/sha256/${hex:0:2}/$hex
    [ "$(raw "$file" 2>/dev/null | sha256sum | cut -c 1-64)" = "$hex" ] ||
      fail "$where: blob $hex ($subject) is missing or changed"
    case $subject in
      table/* | findings/* | outcomes/*)
        raw "$file" | LC_ALL=C sort -uc 2>/dev/null || fail "$where: $subject is not sorted" ;;
    esac
    checked[$hex]=1
  done < <(jq -r '.subject[] | [.digest.sha256, .name] | @tsv' "$work/body")
  prev[$agent]=$id; next_seq[$agent]=$((seq + 1)); bundles=$((bundles + 1))
done < <(jq -r 'select(.type == "bundle" or .type == "enrol" or .type == "rotate")
                | [.type, .agent, .seq // 0, .id // "-", .prev // "-", .key // "-"] | @tsv' "$work/entries.jsonl")

echo "auditor_check: $size entries, ${#key[@]} agents, $bundles bundles, ${#checked[@]} blobs: all hold"
