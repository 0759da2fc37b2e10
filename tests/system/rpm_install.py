# SPDX-License-Identifier: Apache-2.0
"""The RPM packages on a booted systemd, by rpm: their files and scriptlets do what the .debs' do.

The host is a Debian with rpm, so what they require of other packages is not looked at here.
"""
import steps
from systemd_guest import COLLECTORS, SLOW, check, status_is, status_of, unit


def install(guest, rpms):
    for rpm in rpms:
        guest.host("copy", rpm)
    status, text = guest.run("rpm --initdb && rpm -i --nodeps /tmp/vouch-*.rpm </dev/null")
    check("the RPM packages install", status == 0, text[-2000:])
    check("their scriptlets have nothing to complain of",
          all(line.startswith(("vouch-", "  ", "rpm:", "Creating ")) for line in text.splitlines()), text[-2000:])
    for user in ("vouch", "vouch-collect", "vouch-watch", "vouch-net", "vouch-ship", "vouch-store"):
        check(f"rpm: there is a user {user}", guest.run(f"id {user}")[0] == 0)
    check("rpm: each collector has a socket that listens",
          all(unit(guest, f"vouch-collect@{name}.socket", "ActiveState") == "active" for name in COLLECTORS),
          guest.run("systemctl list-units 'vouch*' --all --no-pager")[1])
    check("rpm: all files are as the package has them", guest.out("rpm -V --nodeps vouch-agent vouch-store vouch-cli") == "")


def upgrade(guest):
    """The same packages once more, as an upgrade runs their scriptlets."""
    before = status_of(guest)
    pid = unit(guest, "vouchd", "MainPID")
    config = guest.out("sha256sum /etc/vouch/vouchd.yaml")
    status, text = guest.run("rpm -U --force --nodeps /tmp/vouch-*.rpm </dev/null")
    check("rpm: an upgrade asks nothing", status == 0, text[-1500:])
    check("rpm: an upgrade keeps the configuration", guest.out("sha256sum /etc/vouch/vouchd.yaml") == config)
    check("rpm: the daemon was started again", guest.until(
        f"[ $(systemctl show -P MainPID vouchd) != {pid} ] && systemctl -q is-active vouchd vouch-store", 20 * SLOW),
        guest.run("systemctl status vouchd vouch-store --no-pager")[1])
    check("rpm: it is the same agent, whose chain goes on", guest.until(
        status_is(f".agent == \"{before['agent']}\" and .acknowledged_seq > {before['acknowledged_seq']}"), 90 * SLOW),
        guest.run("vouch status")[1])


def remove(guest):
    status, text = guest.run("rpm -e --nodeps vouch-agent </dev/null")
    check("rpm: removal asks nothing", status == 0, text[-500:])
    check("rpm: removal ends the daemon and its units", guest.run("pgrep -x vouchd")[0] == 1 and
          guest.out("systemctl list-units 'vouch-collect*' 'vouch-ship*' 'vouchd*' --no-legend --no-pager") == "",
          guest.run("systemctl list-units 'vouch*' --no-pager")[1])
    check("rpm: removal keeps the evidence, and says so",
          guest.run("ls /var/lib/vouch/agent.db")[0] == 0 and "/var/lib/vouch" in text, text[-500:])
    check("rpm: removal keeps a changed configuration",
          guest.run("ls /etc/vouch/vouchd.yaml.rpmsave /etc/vouch/vouchd.yaml")[1].count("No such") == 1)


def scenario(guest, rpms):
    assert rpms, "no RPM packages: ./dev package makes them"
    install(guest, rpms)
    steps.start_store(guest)
    steps.configure(guest)
    steps.enrol(guest)
    steps.start(guest)
    steps.everything_observed(guest)
    upgrade(guest)
    steps.verify(guest, "after the upgrade by rpm")
    remove(guest)
