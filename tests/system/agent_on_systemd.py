#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages on a booted Debian with systemd as process 1: installed, enrolled, attacked, killed.

usage: agent_on_systemd.py DIRECTORY_OF_DEBS        (root; `./dev test system` calls it)

The host is made by systemd-host.sh beside this file: SYSTEMD_HOST_BACKEND=uml (default) boots a
kernel of its own, nspawn uses this machine's. Exit 0 all passed, 1 otherwise, 77 no host can be
booted here.
"""
import glob
import os
import sys
import time

import other_collectors
import rpm_install
from steps import configure, enrol, everything_observed, start, start_store, verify
from systemd_guest import COLLECTORS, SLOW, Guest, check, exposure, results, status_is, status_of, table_of_latest, unit

def install(guest, debs):
    for deb in debs:
        done = guest.host("copy", deb)
        assert done.returncode == 0, done.stderr
    names = " ".join("/tmp/" + os.path.basename(deb) for deb in debs)
    status, text = guest.run(f"DEBIAN_FRONTEND=noninteractive apt-get install -y {names}")
    check("the packages install with what Debian has", status == 0, text[-2000:])
    for user in ("vouch", "vouch-collect", "vouch-watch", "vouch-net", "vouch-ship", "vouch-store"):
        check(f"there is a user {user}", guest.run(f"id {user}")[0] == 0)
    check("each collector has a socket that listens",
          all(unit(guest, f"vouch-collect@{name}.socket", "ActiveState") == "active"
              for name in COLLECTORS), guest.run("systemctl list-units 'vouch*' --all --no-pager")[1])


MAY = {"read-shadow", "write-own-cache", "see-host-mounts"}


def attempts(guest):
    """What came of the probe's attempts, from the sealed evidence itself."""
    for row in table_of_latest(guest, "attempts"):
        wanted = "done" if row["name"] in MAY else "denied"
        check(f"a collector's attempt to {row['name']} is {wanted}", row["outcome"] == wanted)


def exposures(guest):
    for name in ("vouchd", "vouch-ship", "vouch-store", "vouch-watch", "vouch-store-alerts",
                 *(f"vouch-collect@{one}" for one in COLLECTORS)):
        exposure(guest, name)


def sandbox_shows_the_host(guest):
    seen = sorted(row["path"] for row in table_of_latest(guest, "mounts") if row["source"] == "kernel")
    real = sorted(line.split()[1] for line in guest.out("cat /proc/1/mounts").splitlines())
    check("the mounts on record are the host's, not the sandbox's", seen == real, f"{seen} {real}")


def daemon_is_alone(guest):
    pid = unit(guest, "vouchd", "MainPID")
    check("the daemon has no capability",
          guest.out(f"grep CapEff /proc/{pid}/status").split()[1].strip("0") == "")
    check("the daemon is alone in its network namespace",
          guest.out(f"readlink /proc/{pid}/ns/net") != guest.out("readlink /proc/1/ns/net"))
    check("the daemon has no child", guest.run(f"pgrep -P {pid}")[0] == 1)
    status, text = guest.run(f"nsenter -t {pid} -m -- /usr/bin/true")
    check("nothing but the daemon can be executed in its namespace", status != 0, text)
    status, text = guest.run(f"nsenter -t {pid} -m -- /usr/sbin/vouchd --version")
    check("the daemon itself can", status == 0, text)
    status, text = guest.run("su -s /bin/bash vouch-ship -c 'cat /var/lib/vouch/keys/* || ls /var/lib/vouch/keys'")
    check("vouch-ship's user cannot see the keys", status != 0, text)
    status, text = guest.run("su -s /bin/bash alice -c 'vouch status'")
    check("another user may not ask the daemon", status != 0, text)


def log_has_fields(guest):
    for event, name, by in (("agent-start", "vouchd", ""), ("delivered", "vouch-ship", "VOUCH_SEQ=0")):
        found = guest.run(f"journalctl -u {name} SYSLOG_IDENTIFIER={name} VOUCH_EVENT={event} {by} -o json --no-pager")[1]
        check(f"the journal knows {name}'s {event} by its fields", '"MESSAGE"' in found,
              guest.run(f"journalctl -u {name} -n 5 -o verbose --no-pager")[1])


def watchdog(guest):
    guest.out("mkdir -p /run/systemd/system/vouchd.service.d && printf '[Service]\\nWatchdogSec=6s\\nRestartSec=1s\\n'"
              " >/run/systemd/system/vouchd.service.d/test.conf && systemctl daemon-reload && "
              "systemctl restart vouchd")
    before = unit(guest, "vouchd", "NRestarts")
    time.sleep(10)
    check("a daemon that works is left alone by the watchdog", unit(guest, "vouchd", "NRestarts") == before)
    guest.out("kill -STOP " + unit(guest, "vouchd", "MainPID"))
    check("a hung daemon is started again by the watchdog",
          guest.until(f"[ $(systemctl show -P NRestarts vouchd) -gt {before} ] && systemctl -q is-active vouchd",
                      60 * SLOW), guest.run("systemctl status vouchd --no-pager")[1])


def watched_path(guest):
    """A change where only root may look is a sealed run, and an alert, soon after."""
    check("vouch-watch runs, since paths are watched", unit(guest, "vouch-watch", "ActiveState") == "active",
          guest.run("systemctl status vouch-watch --no-pager; journalctl -u vouchd --no-pager | tail")[1])
    guest.out("""cat >/etc/vouch/alerts.yaml <<'END'
channels:
  ops: { kind: journal }
rules:
  - { name: all, channels: [ops], group_by: [check] }
rate_limit: { alerts: 1000, per: 1h }
END
systemctl reload vouchd""")
    guest.until("journalctl -u vouchd --no-pager | tail -5 | grep -q 'configuration read again'", 20 * SLOW)
    time.sleep(3 * SLOW)
    observed = "vouch status --format json | jq -r '.collectors[] | select(.name == \"access_review\") | .last_observed'"
    before = guest.out(observed)
    guest.out("touch /root/watched/file")
    good = guest.until(f"[ $({observed}) != {before} ]", 10 * SLOW)
    check("a change in a directory of root's is a run at once", good, guest.run("vouch status --format json")[1])
    time.sleep(11)  # watch_gap
    begin = int(guest.out("echo 'nobody ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/planted; date +%s%3N"))
    found = "journalctl VOUCH_LABEL_CHECK=sudo-grants.unlimited -o json --no-pager | grep nobody"
    arrived = guest.until(f"{found} >/dev/null", 20 * SLOW)
    check("a planted sudo rule is an alert in the journal, with fields", arrived, guest.run(
        "vouch alert list; journalctl -u vouchd -u vouch-ship --no-pager | tail -20")[1])
    if arrived:
        took = int(guest.out(f"{found} | head -1 | jq -r .__REALTIME_TIMESTAMP")) // 1000 - begin
        check(f"from the change to the alert's arrival at most 2 s ({took} ms)", took <= 2000 * SLOW, str(took))
    check("the store tells of it, too", guest.until(
        f"{found.replace('journalctl', 'journalctl _SYSTEMD_UNIT=vouch-store-alerts.service')} >/dev/null", 90 * SLOW),
        guest.run("vouch-store alert list --dir /var/lib/vouch-store; systemctl status vouch-store-alerts.path "
                  "vouch-store-alerts --no-pager; journalctl -u vouch-store -n 20 --no-pager")[1])
    guest.out("rm /etc/sudoers.d/planted")


def reload_and_stop(guest):
    guest.out("sed -i 's/^heartbeat: 30s/heartbeat: 40s/' /etc/vouch/vouchd.yaml && systemctl reload vouchd")
    check("a reload is on record", guest.until("journalctl -u vouchd --no-pager | grep -q 'configuration read again'", 20 * SLOW))
    guest.out("sed -i 's/^heartbeat: 40s/heartbeat: never/' /etc/vouch/vouchd.yaml; systemctl reload vouchd")
    check("a bad configuration is refused, and the old one stays",
          guest.until("journalctl -u vouchd --no-pager | grep -q 'the old one stays'", 20 * SLOW) and
          unit(guest, "vouchd", "ActiveState") == "active")
    guest.out("sed -i 's/^heartbeat: never/heartbeat: 40s/' /etc/vouch/vouchd.yaml")
    text = guest.out("s=$(date +%s%N); systemctl stop vouchd 2>/dev/null; e=$(date +%s%N); echo $(( (e - s) / 1000000 ))")
    check(f"the daemon stops within 5 s ({text} ms)", int(text) < 5000)
    guest.out("systemctl start vouchd")


def goes_down(guest, how):
    """`how`: "reboot", or "crash" as a power cut does."""
    before = status_of(guest)
    up = guest.host(how)
    if how == "crash":
        up = guest.host("up")
    check(f"the host boots after a {how}", up.returncode == 0, up.stderr[-500:])
    check("the daemon is there again by itself",
          guest.until(status_is(f".sealed_bundles > {before['sealed_bundles'] - 2}"), 60 * SLOW),
          guest.run("systemctl status vouchd --no-pager; journalctl -u vouchd --no-pager | tail")[1])
    after = status_of(guest)
    check("it is the same agent", after["agent"] == before["agent"])
    check("nothing acknowledged is lost", after["sealed_bundles"] > before["acknowledged_seq"],
          f"{before} {after}")
    check("what it sealed since is delivered", guest.until(
        status_is(f".acknowledged_seq > {before['acknowledged_seq']}"), 90 * SLOW), guest.run("vouch status")[1])


def upgrade(guest, debs):
    """The same packages under a higher version: what they do to a host that works."""
    before = status_of(guest)
    config = guest.out("sha256sum /etc/vouch/vouchd.yaml")
    guest.out("systemctl disable --now vouch-collect@probe.socket vouch-collect@backup_jobs.socket")
    for deb in debs:
        guest.host("copy", deb)  # The power cut has emptied /tmp.
    guest.out("cd /tmp && rm -rf next && mkdir next && for p in vouch-agent vouch-store vouch-cli; do "
              "dpkg-deb -R $(ls /tmp/${p}_*.deb) next/$p && "
              "sed -i 's/^Version: .*/Version: 9.0/; s/(= [^)]*)/(= 9.0)/' next/$p/DEBIAN/control && "
              "dpkg-deb -b next/$p next/$p.deb >/dev/null; done")
    status, text = guest.run("DEBIAN_FRONTEND=noninteractive apt-get install -y /tmp/next/*.deb </dev/null")
    check("an upgrade asks nothing", status == 0, text[-1500:])
    check("the upgraded version is there", guest.out("dpkg-query -W -f '${Version}' vouch-agent") == "9.0")
    check("an upgrade keeps the configuration", guest.out("sha256sum /etc/vouch/vouchd.yaml") == config)
    check("the upgraded daemon and store run",
          all(unit(guest, one, "ActiveState") == "active" for one in ("vouchd", "vouch-store", "vouch-watch.socket")),
          guest.run("systemctl status vouchd vouch-store --no-pager")[1])
    check("a socket that was disabled stays so",
          unit(guest, "vouch-collect@backup_jobs.socket", "ActiveState") != "active")
    guest.out("systemctl enable --now vouch-collect@probe.socket vouch-collect@backup_jobs.socket")
    check("it is the same agent, whose chain goes on",
          guest.until(status_is(f".agent == \"{before['agent']}\" and .acknowledged_seq > {before['acknowledged_seq']}"),
                      90 * SLOW), guest.run("vouch status")[1])


def remove(guest):
    guest.out("DEBIAN_FRONTEND=noninteractive apt-get remove -y vouch-agent")
    check("removal ends the daemon", guest.run("pgrep -x vouchd")[0] == 1)
    check("removal keeps the evidence", guest.run("ls /var/lib/vouch/agent.db")[0] == 0)
    status, text = guest.run("DEBIAN_FRONTEND=noninteractive apt-get purge -y vouch-agent </dev/null")
    check("purge asks nothing", status == 0, text[-500:])
    check("purge keeps the evidence, and says so",
          guest.run("ls /var/lib/vouch/agent.db")[0] == 0 and "/var/lib/vouch" in text, text[-500:])


def scenario(guest, debs, rpms):
    install(guest, debs)
    start_store(guest)
    configure(guest)
    enrol(guest)
    start(guest)
    everything_observed(guest)
    attempts(guest)
    sandbox_shows_the_host(guest)
    daemon_is_alone(guest)
    log_has_fields(guest)
    watched_path(guest)
    exposures(guest)
    other_collectors.other_collectors(guest, rpms)
    watchdog(guest)
    reload_and_stop(guest)
    verify(guest, "before the power cut")
    goes_down(guest, "crash")
    verify(guest, "after the power cut")
    goes_down(guest, "reboot")
    verify(guest, "after the reboot")
    upgrade(guest, debs)
    verify(guest, "after the upgrade")
    remove(guest)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 64
    debs = sorted(glob.glob(os.path.join(sys.argv[1], "*.deb")))
    assert debs, f"no packages in {sys.argv[1]}: ./dev package makes them"
    guest = Guest()
    up = guest.host("up")
    if up.returncode != 0:
        print("skipped: no host can be booted here: " + up.stderr.strip()[-500:])
        return 77
    rpms = sorted(glob.glob(os.path.join(sys.argv[1], "*.rpm")))
    try:
        scenario(guest, debs, [rpm for rpm in rpms if "vouch-cli" in rpm])
        guest.host("down")
        guest.host("up")
        rpm_install.scenario(guest, rpms)
    finally:
        if "KEEP" not in os.environ:
            guest.host("down")
    failed = [name for name, good in results if not good]
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
