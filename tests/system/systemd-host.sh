#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: systemd-host.sh up | run 'COMMAND' | copy FILE [GUEST_PATH] | fetch GUEST_PATH FILE | crash | reboot | status | console | down | purge
#
# A whole Debian host with real systemd as process 1, on a machine that has
# none: Debian's own User Mode Linux kernel (package user-mode-linux, 6.1)
# boots a root file system made by debootstrap.  It is a kernel of its own, so
# cgroup v2, namespaces, seccomp, BPF, netem, device mapper and the clock in it
# are real and are not those of this machine, and nothing done in it reaches
# this machine.  Needs no KVM and no module.
#
#   up      makes and caches the image on the first use, boots, and returns when
#           `systemctl is-system-running` in the guest says running or degraded
#   run     runs COMMAND in the guest with bash as root; its stdout, stderr and
#           exit status are this command's (SYSTEMD_HOST_TIMEOUT, default 600 s)
#   copy    puts FILE into the guest, at GUEST_PATH or /tmp/<its name> (apt reads no .deb in /root)
#   fetch   gets a file out
#   crash   ends the guest at once, as a power cut does; `up` boots the same disk
#   reboot  clean shutdown, then boot of the same disk
#   console prints what the guest's console said
#   down    ends the guest and deletes its disk (the cached image stays)
#   purge   deletes the cached images too
#
#   SYSTEMD_HOST_BACKEND   uml (default) or nspawn: systemd-nspawn --boot on this
#                          machine's kernel.  Boots in half a second and runs at
#                          full speed, but with no cgroup controllers
#                          (MemoryMax=, CPUQuota=, TasksMax= do nothing), no
#                          modules, read-only /proc/sys and no other clock.
#                          Needs systemd-container; loopback network only.
#   SYSTEMD_HOST_NAME      several guests at once, one name each (default: host)
#   SYSTEMD_HOST_DIR       state, default ${TMPDIR:-/tmp}/systemd-host-NAME
#   SYSTEMD_HOST_CACHE     images, default /var/cache/systemd-host
#   SYSTEMD_HOST_SUITE     bookworm (default), trixie, ...
#   SYSTEMD_HOST_PACKAGES  more Debian packages to have in the image: the guest
#                          has no package mirror, so the dependencies of a .deb
#                          to be installed there must be named here
#   SYSTEMD_HOST_MEM       guest memory, default 768M
#   SYSTEMD_HOST_DISK      guest disk, default 3G (sparse)
#   SYSTEMD_HOST_TAP       NETNS:TAP:ADDRESS/LEN gives the guest an interface
#                          vec0, joined to an existing tap device in a network
#                          namespace (netns-hosts.sh makes one)
set -euo pipefail

name=${SYSTEMD_HOST_NAME:-host}
dir=${SYSTEMD_HOST_DIR:-${TMPDIR:-/tmp}/systemd-host-$name}
cache=${SYSTEMD_HOST_CACHE:-/var/cache/systemd-host}
suite=${SYSTEMD_HOST_SUITE:-bookworm}
# The mirror is the one that this machine's own apt uses, unless told otherwise.
apt_uri() { apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null | awk -v c="$1" '$1==c {sub("/$","",$2); print $2; exit}'; }
mirror=${SYSTEMD_HOST_MIRROR:-$(apt_uri "$(. /etc/os-release; echo "${VERSION_CODENAME:-bookworm}")")}
mem=${SYSTEMD_HOST_MEM:-768M}; disk=${SYSTEMD_HOST_DISK:-3G}
tap=${SYSTEMD_HOST_TAP:-}; backend=${SYSTEMD_HOST_BACKEND:-uml}
packages="systemd systemd-sysv dbus udev kmod iproute2 iptables procps ca-certificates curl openssl netbase less apt-utils ${SYSTEMD_HOST_PACKAGES:-}"
version=3 # of the image's recipe below; a change makes a new image

usage() { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 2; }
say() { printf 'systemd-host: %s\n' "$*" >&2; }

need() {
  local missing=() p
  for p in debootstrap user-mode-linux e2fsprogs iproute2 systemd-container; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "installing ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}" >/dev/null
}

image() { # the path of the cached image for this suite, package list and kernel
  local key
  key=$(printf '%s\n' "$version" "$suite" "$mirror" "$disk" "$(tr ' ' '\n' <<<"$packages" | sort -u)" \
    "$(linux.uml --version)" | sha256sum)
  printf '%s/%s-%s.img\n' "$cache" "$suite" "${key:0:16}"
}

make_image() {
  local img=$1 root kernel
  mkdir -p "$cache"
  exec 9>"$cache/lock"; flock 9
  [ -e "$img" ] && { exec 9>&-; return 0; }
  say "making $img"
  root=$(mktemp -d "$cache/root.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf -- '$root' '$img.new'" EXIT
  debootstrap --variant=minbase --include="$(tr -s ' ' ',' <<<"${packages% }")" "$suite" "$root" "$mirror" >"$cache/debootstrap.log" 2>&1 ||
    { tail -n 20 "$cache/debootstrap.log" >&2; return 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb
  kernel=$(linux.uml --version)
  mkdir -p "$root/lib/modules" "$root/host"
  cp -a "/usr/lib/uml/modules/$kernel" "$root/lib/modules/"
  echo "$name" >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
  : >"$root/etc/fstab"; : >"$root/etc/machine-id"
  rm -f "$root/etc/resolv.conf"; : >"$root/etc/resolv.conf"
  # A user like those of a real host, for tests of permissions.
  chroot "$root" useradd -m -u 1000 alice
  # The agent: takes commands from the mailbox, a directory of the real host.
  cat >"$root/usr/local/sbin/testbed-agent" <<'AGENT'
#!/bin/bash
# Runs /host/in/ID.sh, each in the background, to /host/out/ID.{out,err,rc}.
mkdir -p /host; mountpoint -q /host || mount -t hostfs none /host
exec 9<> <(:)
while :; do
  for f in /host/in/*.sh; do
    [ -e "$f" ] || continue
    id=${f##*/}; id=${id%.sh}
    mv "$f" "/host/run/$id"
    ( cd /root; export HOME=/root TERM=dumb LC_ALL=C.UTF-8
      bash "/host/run/$id" >"/host/out/$id.out" 2>"/host/out/$id.err" </dev/null 9>&-
      echo $? >"/host/out/$id.tmp"; mv "/host/out/$id.tmp" "/host/out/$id.rc" ) &
  done
  read -r -t 0.03 -u 9 || :
done
AGENT
  chmod 755 "$root/usr/local/sbin/testbed-agent"
  cat >"$root/etc/systemd/system/testbed-agent.service" <<'UNIT'
[Unit]
Description=Command mailbox of the test bed
DefaultDependencies=no
After=systemd-remount-fs.service systemd-tmpfiles-setup.service dbus.socket
Conflicts=shutdown.target
Before=shutdown.target
[Service]
ExecStart=/usr/local/sbin/testbed-agent
KillMode=process
TimeoutStopSec=5
OOMScoreAdjust=-1000
[Install]
WantedBy=basic.target
UNIT
  chroot "$root" systemctl -q enable testbed-agent.service
  # Nobody logs in here, and timers that need a mirror would only fail.
  chroot "$root" systemctl -q mask getty@.service serial-getty@.service console-getty.service getty.target \
    e2scrub_reap.service apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online.service 2>/dev/null || true
  truncate -s "$disk" "$img.new"
  mke2fs -q -F -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -L root -d "$root" "$img.new"
  mv "$img.new" "$img"
  rm -rf -- "$root"; trap - EXIT; exec 9>&-
}

main_pid() { if [ "$backend" = nspawn ]; then cat "$dir/sid" 2>/dev/null || true; else cat "$dir/uml/$name/pid" 2>/dev/null || true; fi; }
alive() {
  if [ "$backend" = nspawn ]; then
    local n; n=$(main_pid); [ -n "$n" ] && kill -0 "$n" 2>/dev/null && grep -aq nspawn "/proc/$n/cmdline" 2>/dev/null; return
  fi
  local p; p=$(main_pid); [ -n "$p" ] && kill -0 "$p" 2>/dev/null && grep -aq linux.uml "/proc/$p/cmdline" 2>/dev/null; }

# The guest's processes are processes here, all in the session that `up` made.
# Ends those and no other.
reap() {
  local sid; sid=$(cat "$dir/sid" 2>/dev/null) || return 0
  local p
  if [ "$backend" = nspawn ]; then
    # `unshare --kill-child`: process 1 of the outer pid namespace dies with it,
    # and with that all processes of the guest.
    if alive; then kill -KILL "$sid" 2>/dev/null || true; fi
    for _ in $(seq 50); do alive || break; sleep 0.1; done
    local cg; cg=$(cat "$dir/cgroup" 2>/dev/null || true)
    if [ -n "$cg" ] && [ -d "$cg" ]; then sleep 0.3; find "$cg" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
    rm -f "$dir/sid"; return 0
  fi
  for p in $(ps -o pid= -s "$sid" 2>/dev/null); do
    if grep -aq linux.uml "/proc/$p/cmdline" 2>/dev/null; then kill -KILL "$p" 2>/dev/null || true; fi
  done
  for _ in $(seq 50); do alive || break; sleep 0.1; done
  rm -rf "$dir/uml"
}

guest_run() { # guest_run TIMEOUT COMMAND
  local limit=$1 id="$$.$RANDOM$RANDOM" at=0 start=$SECONDS
  printf '%s\n' "$2" >"$dir/box/tmp.$id"; mv "$dir/box/tmp.$id" "$dir/box/in/$id.sh"
  local o=$dir/box/out/$id
  while [ ! -e "$o.rc" ]; do
    if [ $((SECONDS - start)) -ge "$limit" ]; then say "no end within $limit s: $2"; rm -f "$dir/box/in/$id.sh"; return 124; fi
    if ! alive; then say "the guest is gone"; return 125; fi
    sleep 0.05
  done
  cat "$o.err" >&2; cat "$o.out"
  at=$(cat "$o.rc"); rm -f "$o".* "$dir/box/run/$id"
  return "$at"
}

boot_nspawn() {
  local img; img=$(image)
  mkdir -p "$dir"/box/{in,out,run} "$dir/root"
  rm -f "$dir"/box/in/* "$dir"/box/run/*
  # The disk: a loop-mounted copy of the image would do; a plain copy of its
  # files needs no loop device.
  if [ ! -e "$dir/root/etc/os-release" ]; then
    local m=$dir/mnt; mkdir -p "$m"
    # in a mount namespace of its own, so that no mount is left behind
    unshare --mount sh -ec 'mount -o loop,ro,noload "$1" "$2"; cp -a "$2"/. "$3"/' sh "$img" "$m" "$dir/root"
  fi
  # A cgroup2-only view in a mount and cgroup namespace: what systemd wants,
  # whatever this machine has mounted.  bpf() and CAP_BPF are for IPAddressDeny=.
  # It gets a cgroup of its own, which is then the root of what it sees.
  local cg; cg=$(findmnt -n -t cgroup2 -o TARGET | head -n1)/systemd-host-$name
  mkdir -p "$cg"; echo "$cg" >"$dir/cgroup"
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid sh -ec 'echo $$ >"$0/cgroup.procs"; exec unshare --mount --cgroup --pid --fork --kill-child --mount-proc sh -ec "umount -R /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup; exec \"\$@\"" sh "$@"' "$cg" \
    systemd-nspawn -q -D "$dir/root" --boot --register=no --keep-unit --machine="$name" --private-network \
    --system-call-filter=bpf --capability=CAP_BPF,CAP_NET_ADMIN,CAP_SYSLOG --bind="$dir/box:/host" \
    --console=pipe >"$dir/console.log" 2>&1 </dev/null &
  echo $! >"$dir/sid"
  for _ in $(seq 50); do alive && break; sleep 0.1; done
  local state; state=$(guest_run 60 'systemctl is-system-running --wait') || true
  case $state in running|degraded) ;; *) tail -n 30 "$dir/console.log" >&2; say "state: ${state:-none}"; return 1 ;; esac
  say "$name is $state (nspawn, pid $(main_pid))"
}

boot() {
  if [ "$backend" = nspawn ]; then boot_nspawn; return; fi
  local img; img=$(image)
  mkdir -p "$dir"/box/{in,out,run} "$dir/uml"
  rm -f "$dir"/box/in/* "$dir"/box/run/*
  local nsexec=() net=() ip=""
  if [ -n "$tap" ]; then
    nsexec=(ip netns exec "${tap%%:*}"); ip=${tap##*:}
    local t=${tap#*:}; net=("vec0:transport=tap,ifname=${t%%:*},depth=128,gro=1")
  fi
  # Its own session, so that `reap` can find every process of the guest.  The
  # memory file is unlinked at once; a tmpfs is the fast place for it.
  TMPDIR=/dev/shm setsid "${nsexec[@]}" linux.uml "umid=$name" "uml_dir=$dir/uml/" "mem=$mem" \
    "ubd0=$dir/disk.cow,$img" root=/dev/ubda rw "hostfs=$dir/box" con=null con0=null,fd:1 ssl=null \
    "${net[@]}" quiet systemd.log_target=journal-or-kmsg random.trust_cpu=on \
    "systemd.hostname=$name" ${SYSTEMD_HOST_CMDLINE:-} >"$dir/console.log" 2>&1 </dev/null &
  echo $! >"$dir/sid"
  for _ in $(seq 100); do alive && break; sleep 0.1; done
  alive || { tail -n 20 "$dir/console.log" >&2; say "the guest did not start"; return 1; }
  local state
  state=$(guest_run 180 'systemctl is-system-running --wait') || true
  case $state in running|degraded) ;; *) tail -n 30 "$dir/console.log" >&2; say "state: ${state:-none}"; return 1 ;; esac
  if [ -n "$ip" ]; then guest_run 30 "ip addr add $ip dev vec0 && ip link set vec0 up"; fi
  say "$name is $state (kernel $(linux.uml --version), pid $(main_pid))"
}

up() {
  need
  if alive; then say "already up"; return 0; fi
  reap
  make_image "$(image)"
  boot
}

stop_clean() {
  alive || return 0
  guest_run 10 'systemctl --no-block poweroff' >/dev/null || true
  for _ in $(seq 300); do alive || break; sleep 0.1; done
  reap
}

case ${1:-} in
  up) up ;;
  run) [ $# = 2 ] || usage; guest_run "${SYSTEMD_HOST_TIMEOUT:-600}" "$2" ;;
  copy)
    [ $# -ge 2 ] || usage
    to=${3:-/tmp/$(basename "$2")}; tmp=$(mktemp "$dir/box/copy.XXXXXX"); cat "$2" >"$tmp"
    rc=0; guest_run 300 "mkdir -p \"\$(dirname '$to')\" && cp '/host/${tmp##*/}' '$to' && chmod $(stat -c %a "$2") '$to'" || rc=$?
    rm -f "$tmp"; exit "$rc" ;;
  fetch)
    [ $# = 3 ] || usage
    tmp=$(mktemp "$dir/box/fetch.XXXXXX"); rc=0
    guest_run 300 "cat '$2' >'/host/${tmp##*/}'" || rc=$?
    if [ "$rc" = 0 ]; then cat "$tmp" >"$3"; fi
    rm -f "$tmp"; exit "$rc" ;;
  crash) reap ;;
  reboot) stop_clean; boot ;;
  status) if alive; then echo "up pid=$(main_pid) state=$(guest_run 30 'systemctl is-system-running' || true)"; else echo down; exit 1; fi ;;
  console) cat "$dir/console.log" ;;
  down) reap; if [ -e "$dir/box" ]; then rm -rf -- "$dir"; fi ;;
  purge) reap; if [ -e "$dir/box" ]; then rm -rf -- "$dir"; fi; rm -f -- "$cache"/*-*.img; say "images deleted" ;;
  *) usage ;;
esac
