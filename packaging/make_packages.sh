#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the packages of a build directory: make_packages.sh BUILD OUT. The date of the newest entry
# in packaging/debian/changelog is that of every file in them, so the same build gives the same bytes.
set -euo pipefail
source_dir=$(dirname "$(dirname "$(readlink -f "$0")")")
build=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")
export TZ=UTC LC_ALL=C.UTF-8
version=$(dpkg-parsechangelog -l "$source_dir/packaging/debian/changelog" -S Version)
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$source_dir/packaging/debian/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH
rm -rf "$out"/*.deb "$out"/*.rpm "$out/tree"

if named=$(grep -lF "$source_dir/" "$build"/bin/*); then
  printf 'make_packages.sh: these name the directory that they were built in: %s\n' "$named" >&2
  exit 1
fi

# run LOG COMMAND…: shows the end of what it said if it failed.
run() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }
}

# The tree of the Debian package is debian/ alone: nothing is written into the source tree.
mkdir -p "$out/tree/vouch"
cp -r "$source_dir/packaging/debian" "$out/tree/vouch/debian"
cd "$out/tree/vouch"
VOUCH_BUILD=$build run "$out/deb.log" dpkg-buildpackage --build=binary --no-sign
mv "$out"/tree/*.deb "$out"/

run "$out/rpm.log" rpmbuild -bb --define "_topdir $out/tree/rpm" --define "_rpmdir $out/tree/rpms" \
  --define "vouch_build $build" --define "vouch_source $source_dir" --define "vouch_version $version" \
  "$source_dir/packaging/vouch.spec"
mv "$out"/tree/rpms/*/*.rpm "$out"/
rm -rf "$out/tree"
