# SPDX-License-Identifier: Apache-2.0
"""A vouchd that runs, for tests of what it does over time: its log, its bundles, the equation."""
import os
import signal
import subprocess
import time

from site_under_test import WAIT_S, program, statement_of


def wait_until(what, condition, seconds=WAIT_S):
    """Looks at `condition` until it is true; never longer than needed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class RunningAgent:
    def __init__(self, host, env=None):
        self.host, self.env, self.process = host, {**os.environ, **(env or {})}, None
        self.log = os.path.join(host.dir, "vouchd.log")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program("vouchd"), "--config", self.host.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.env)
        marks = self.text().count(" started")
        wait_until("vouchd starts", lambda: self.text().count(" started") > marks or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise AssertionError("vouchd ended: " + self.text()[-2000:])
        return self

    def text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def send(self, which):
        self.process.send_signal(which)

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(WAIT_S)
        self.process = None

    def bundles(self):
        """Predicates of all bundles sealed so far, in order. A parcel may move while we look."""
        found = {}
        for _ in range(20):
            try:
                for folder in ("outbox", "kept"):
                    for name in self.host.listing("state", folder):
                        if name.endswith(".parcel") and name not in found:
                            path = os.path.join(self.host.dir, "state", folder, name)
                            found[name] = statement_of(path)["predicate"]
                break
            except AssertionError:
                time.sleep(0.05)
        return [found[name] for name in sorted(found)]

    def records(self, kind=None):
        return [record for bundle in self.bundles() for record in bundle["records"]
                if kind is None or record["kind"] == kind]


def check_equation(bundles):
    """carried + expected = observed + failed + missed + suppressed + |open|, in every bundle."""
    carried = 0
    for bundle in bundles:
        counts = bundle["schedule"]
        left = counts["carried"] + counts["expected"]
        right = counts["observed"] + counts["failed"] + counts["missed"] + counts["suppressed"] + len(counts["open"])
        assert left == right, f"seq {bundle['chain']['seq']}: {counts}"
        assert counts["carried"] == carried, f"seq {bundle['chain']['seq']}: {counts}"
        carried = len(counts["open"])


def check_run_ids(bundles):
    """One id, one run, while the configuration stays."""
    seen = set()
    for bundle in bundles:
        for record in bundle["records"]:
            if "run" in record:
                key = (bundle["config"], record["run"])
                assert key not in seen, f"{record['run']} is there twice"
                seen.add(key)
