# SPDX-License-Identifier: Apache-2.0
"""A booted guest (systemd-host.sh beside this file), and what every test of one needs."""
import hashlib
import json
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = os.path.join(HERE, "systemd-host.sh")
BACKEND = os.environ.get("SYSTEMD_HOST_BACKEND", "uml")
# What the packages depend on, and what the tests use; the guest has no mirror.
PACKAGES = "sudo openssh-server libcurl4 libssl3 restic jq strace zstd python3 rpm openscap-scanner"
COLLECTORS = ("access_review", "patch_level", "backup_jobs", "config_drift")
SLOW = 4 if BACKEND == "uml" else 1  # A process start there costs 35 times as much.

results = []


def check(name, good, detail=""):
    results.append((name, bool(good)))
    print(("ok      " if good else "FAILED  ") + name + ("" if good else f": {detail}"), flush=True)
    return good


class Guest:
    def __init__(self):
        self.env = {**os.environ, "SYSTEMD_HOST_NAME": f"vouch-{BACKEND}", "SYSTEMD_HOST_PACKAGES": PACKAGES,
                    "SYSTEMD_HOST_BACKEND": BACKEND}

    def host(self, *words, timeout=900):
        return subprocess.run([HOST, *words], env=self.env, capture_output=True, text=True,
                              errors="replace", timeout=timeout)

    def run(self, command):
        """(status, standard output) of a bash command in the guest."""
        done = self.host("run", command)
        return done.returncode, (done.stdout + done.stderr).strip()

    def out(self, command):
        """The standard output of a command that must succeed."""
        done = self.host("run", command)
        if done.returncode != 0:
            raise AssertionError(f"{command}: exit {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
        return done.stdout.strip()

    def until(self, command, seconds):
        """Whether `command` succeeds within so long; the guest polls, which costs less than we do."""
        status, _ = self.run(f"for i in $(seq {seconds * 4}); do if {command}; then exit 0; fi; "
                             "sleep 0.25; done; exit 1")
        return status == 0


def status_of(guest):
    return json.loads(guest.out("vouch status --format json || true"))  # Its exit status is for monitoring.


def unit(guest, name, key):
    return guest.out(f"systemctl show -P {key} '{name}'")


def status_is(condition):
    return f"vouch status --format json 2>/dev/null | jq -e '{condition}' >/dev/null"


# What cannot be known in a minimal guest; anything else that is not read is a fault. There is no feed of advisories,
# and neither dnf nor zypper; and a container shares the kernel of its host, which shows its audit rules to nobody else.
UNREAD = ["patch_level/vulnerabilities: not-found"]
UNREAD += [f"rpm_packages/{table}: not-found" for table in
           ("applied_rpm_updates", "dnf_settings", "rpm_metadata", "rpm_repositories", "rpm_update_ages", "rpm_updates",
            "withheld_rpm_updates")]
if BACKEND == "uml":
    UNREAD += ["patch_level/cpu_vulnerabilities: not-supported"]  # That kernel is a program, and has none.
if BACKEND == "nspawn":
    UNREAD += ["kernel_rules/audit_loaded_rules:", "kernel_rules/audit_status:",
               "rpm_packages/rpm_reboot_reasons: not-supported"]


def tables_not_read(guest):
    """{"collector/table: code"} of what the newest observation of each collector could not read, and should."""
    text = guest.out(
        "cd /var/lib/vouch-store/bundles/*/ && for f in $(ls -t); do "
        "case $f in *.zst) zstd -dcq $f;; *) cat $f;; esac | jq -r .payload | base64 -d | "
        "jq -c '.predicate.records[] | select(.kind == \"observation\" and .collector) | "
        "[.collector.name, [.tables[] | select(.error) | .name + \": \" + .error.code + \" \" + .error.message]]'; done")
    newest = {}
    for line in text.splitlines():
        name, errors = json.loads(line)
        newest.setdefault(name, errors)
    found = {f"{name}/{error}" for name, errors in newest.items() for error in errors}
    return {one for one in found if not one.startswith(tuple(UNREAD))}


EMPTY = hashlib.sha256(b"").hexdigest()


def table_of_latest(guest, name):
    """The rows of the newest sealed table of this name, from the store's directory; what was observed is sealed and
    delivered a few seconds later."""
    for _ in range(10):
        digest = digest_of_latest(guest, name)
        if digest:
            break
        time.sleep(2 * SLOW)
    check(f"the table {name} is in the store", len(digest) == 64, digest)
    if digest == EMPTY:  # No blob is kept of nothing.
        return []
    text = guest.out(f"cd /var/lib/vouch-store/blobs/sha256/{digest[:2]} && "
                     f"if [ -e {digest} ]; then cat {digest}; else zstd -dcq {digest}.zst; fi")
    return [json.loads(line) for line in text.splitlines()]


def digest_of_latest(guest, name):
    return guest.out("cd /var/lib/vouch-store && for f in $(ls -t bundles/*/*.json* | head -40); do "
                     "case $f in *.zst) zstd -dcq $f;; *) cat $f;; esac | jq -r .payload | base64 -d | "
                     "jq -r '.predicate.records[] | select(.tables) | .tables[] | "
                     f"select(.name == \"{name}\" and .sha256) | .sha256' | tail -1; done | head -1")


def exposure(guest, name):
    text = guest.run(f"systemd-analyze security {name}.service --no-pager | tail -1")[1]
    figure = float(text.split(":")[1].split()[0]) if ":" in text else 10.0
    check(f"{name}: exposure {figure} is at most 1.5", figure <= 1.5, text)
