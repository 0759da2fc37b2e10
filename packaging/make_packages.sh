#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian packages of a build directory: make_packages.sh BUILD OUT. The date of
# packaging/debian/changelog is that of every file in them, so the same build gives the same bytes.
set -euo pipefail
source_dir=$(dirname "$(dirname "$(readlink -f "$0")")")
build=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")

# The tree of the package is debian/ alone: nothing is written into the source tree.
tree=$out/tree/vouch
rm -rf "$out/tree"
mkdir -p "$tree"
cp -r "$source_dir/packaging/debian" "$tree/debian"
(cd "$tree" && VOUCH_BUILD=$build TZ=UTC LC_ALL=C.UTF-8 dpkg-buildpackage --build=binary --no-sign >"$out/deb.log" 2>&1) ||
  { tail -n 30 "$out/deb.log" >&2; exit 1; }
rm -f "$out"/*.deb
mv "$out"/tree/*.deb "$out"/
