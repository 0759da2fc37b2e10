# SPDX-License-Identifier: Apache-2.0
"""What every scenario does once the packages are there: a store, an agent of it, evidence in it."""
import os

from systemd_guest import COLLECTORS, HERE, SLOW, check, status_is, status_of, tables_not_read


def start_store(guest):
    guest.out("""cat >/etc/vouch/store-alerts.yaml <<'END'
channels:
  local: { kind: journal }
rules:
  - { name: all, channels: [local], group_by: [host, check] }
rate_limit: { alerts: 1000, per: 1h }
END""")
    guest.out("vouch-store init --dir /var/lib/vouch-store --origin store.test/log1 "
              "--host 127.0.0.1 --listen 127.0.0.1:8443 >/dev/null")
    guest.out("systemctl enable --now vouch-store.service")
    check("the store listens", guest.until("bash -c 'exec 9<>/dev/tcp/127.0.0.1/8443' 2>/dev/null", 20 * SLOW),
          guest.run("journalctl -u vouch-store --no-pager | tail -20")[1])


def enrol(guest):
    status, text = guest.run("vouch-store token create --dir /var/lib/vouch-store | vouch enroll")
    check("a join string on standard input enrols", status == 0, text)
    check("what enrolment leaves is the daemon's",
          guest.out("find /var/lib/vouch ! -user vouch | wc -l") == "0",
          guest.run("find /var/lib/vouch ! -user vouch")[1])


def configure(guest):
    """Short intervals, and the hostile collector, which the site trusts no further than any other."""
    seconds = 15 * SLOW
    lines = "".join(f"  {name}: {{ interval: {seconds}s }}\n" for name in COLLECTORS if name != "access_review")
    # Seldom by the clock, so that what is seen soon was seen by vouch-watch; the daemon may not look in there.
    lines += "  access_review: { interval: 1h, watch: [/etc/sudoers.d, /root/watched] }\n"
    guest.out("mkdir -m 700 -p /root/watched")
    text = ("collect_sockets: /run/vouch-collect\nheartbeat: 30s\nsplay: 0s\nwatch_debounce: 100ms\n"
            "collectors:\n" + lines +
            "  probe: { interval: 15s, program: /usr/local/libexec/vouch/collectors/probe }\n")
    guest.out(f"cat >/etc/vouch/vouchd.yaml <<'END'\n{text}END")
    guest.out("mkdir -p /usr/local/libexec/vouch/collectors")
    done = guest.host("copy", os.path.join(HERE, "probe"), "/usr/local/libexec/vouch/collectors/probe")
    assert done.returncode == 0, done.stderr
    guest.out("chmod 755 /usr/local/libexec/vouch/collectors/probe && "
              "systemctl enable --now vouch-collect@probe.socket")
    status, text = guest.run("vouch config check")
    check("the configuration is good", status == 0, text)


def start(guest):
    status, text = guest.run("systemctl enable --now vouchd.service && "
                             "systemctl start vouch-ship.path vouch-ship.timer")
    check("the daemon starts, and says that it is ready", status == 0,
          text + guest.run("journalctl -u vouchd --no-pager | tail -20")[1])


def everything_observed(guest):
    # Seldom by the clock: it is due now because a path changed.
    guest.out("touch /root/watched/first")
    good = guest.until(status_is("all(.collectors[]; .last_observed != null)"), 60 * SLOW)
    check("every collector has been observed, as vouch-collect", good, guest.run("vouch status")[1])
    failures = [one["name"] for one in status_of(guest)["collectors"] if one["failure"]]
    check("no collector has failed", not failures, str(failures))
    check("what was sealed is delivered without being told",
          guest.until(status_is(".acknowledged_seq >= 0 and .waiting_bundles == 0"), 60 * SLOW),
          guest.run("vouch status; systemctl status vouch-ship --no-pager; ls -la /var/lib/vouch/outbox "
                    "/run/vouch/receipts; journalctl -u vouch-ship -u vouchd --no-pager | tail -30")[1])
    unread = tables_not_read(guest)
    check("every table is read inside the sandbox", not unread, "\n".join(sorted(unread)))
    check("vouch-ship exits when it is idle",
          guest.until("[ $(systemctl show -P ActiveState vouch-ship) = inactive ]", 30 * SLOW))


def verify(guest, when):
    guest.out("echo \"log $(cat /var/lib/vouch-store/log.vkey)\" >/root/policy && echo 'quorum none' >>/root/policy")
    status, text = guest.run("vouch verify /var/lib/vouch-store --policy /root/policy --replay")
    check(f"the whole store verifies and replays {when}", status == 0 and "VERIFIED" in text, text[-1500:])
