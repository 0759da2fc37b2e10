#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A running vouchd whose configuration changes (SIGHUP): a bad one is refused; collectors are added, replaced,
removed, an interval changes; run ids are as docs/formats/records.md says. Then what keeps a run from its schedule,
or brings one beside it: a pause, a maintenance window, a watched path. The verifier agrees with every bundle."""
import os
import signal
import time
import unittest

import site_under_test as s
from running_agent import RunningAgent, check_equation, check_run_ids, wait_until

EXTRA = "heartbeat: 10s\nbusy: { delay_max: 0s }\nwatch_debounce: 50ms\nwatch_gap: 1s\n"


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Reload(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.site.store.start()
        self.first = self.site.script("tiny", s.tiny_collector())
        self.second = self.site.script("tiny2", s.tiny_collector(2).replace('"version": "1"', '"version": "2"'))
        self.host = self.site.host(collectors=f"  tiny: {{ program: {self.first}, interval: 2s }}\n", extra=EXTRA)
        with open(self.host.config, encoding="utf-8") as file:
            self.head = file.read().split("collectors:\n")[0]
        self.host.enrol(self.site.store.join_string())
        self.agent = RunningAgent(self.host).start()
        self.addCleanup(self.agent.stop, signal.SIGKILL)

    def reload(self, collectors, extra=""):
        """Gives it a new configuration and waits until it is in force."""
        changes = len(self.agent.records("config-change"))
        s.write(self.host.config, self.head + extra + "collectors:\n" + collectors)
        self.agent.send(signal.SIGHUP)
        wait_until("config-change", lambda: len(self.agent.records("config-change")) == changes + 1)
        to = self.agent.records("config-change")[-1]["to"]
        return to

    def runs(self, config, **members):
        return [one for bundle in self.agent.bundles() if bundle["config"] == config for one in bundle["records"]
                if one["kind"] == "observation" and all(one.get(name) == value for name, value in members.items())]

    def wait_for_run(self, config, collector, **members):
        found = wait_until(f"a run of {collector}", lambda: [one for one in self.runs(config, **members)
                                                             if one["run"].split("/")[0] == collector])
        return found[0]

    def finish(self):
        """Every bundle adds up, and a verifier that knows nothing of us says so."""
        self.agent.stop()
        bundles = self.agent.bundles()
        check_equation(bundles)
        check_run_ids(bundles)
        self.assertEqual(self.host.ship().code, 0)
        done = self.site.verify()
        self.assertEqual(done.code, 0, done)
        self.assertIn("VERIFIED", done.out)
        return bundles

    def test_a_configuration_that_changes_closes_its_bundle_and_its_runs(self):
        config = wait_until("a bundle", self.agent.bundles)[0]["config"]
        before = self.wait_for_run(config, "tiny", trigger="schedule")

        good = self.head + f"collectors:\n  tiny: {{ program: {self.first}, interval: 2s }}\n"
        s.write(self.host.config, good + "nonsense: 1\n")
        self.agent.send(signal.SIGHUP)
        wait_until("the refusal", lambda: "the old one stays" in self.agent.text())
        self.assertIn("unknown key", self.agent.text())
        runs = len(self.runs(config))
        wait_until("runs under the old one", lambda: len(self.runs(config)) > runs)
        self.assertEqual(self.agent.records("config-change"), [])

        added = self.reload(f"  tiny: {{ program: {self.first}, interval: 2s }}\n"
                            f"  tiny@two: {{ program: {self.first}, interval: 2s }}\n")
        kept = self.wait_for_run(added, "tiny", trigger="schedule")
        new = self.wait_for_run(added, "tiny@two", trigger="schedule")
        tick = int(before["run"].split("/")[1])
        self.assertGreater(int(kept["run"].split("/")[1]), tick)  # Goes on.
        self.assertGreater(int(new["run"].split("/")[1]), tick)   # By time, not from 0.

        replaced = self.reload(f"  tiny: {{ program: {self.second}, interval: 2s }}\n"
                               f"  tiny@two: {{ program: {self.first}, interval: 2s }}\n")
        other = self.wait_for_run(replaced, "tiny", trigger="schedule")
        self.assertEqual(other["collector"]["version"], "2")
        self.assertGreater(int(other["run"].split("/")[1]), int(kept["run"].split("/")[1]))

        removed = self.reload(f"  tiny: {{ program: {self.second}, interval: 1s }}\n")
        faster = self.wait_for_run(removed, "tiny", trigger="schedule")
        self.assertGreater(int(faster["run"].split("/")[1]), 2 * tick)  # By the new arithmetic.

        bundles = self.finish()
        for bundle in bundles:
            if bundle["records"][-1]["kind"] == "config-change":
                self.assertEqual(bundle["schedule"]["open"], [])
            if bundle["config"] == removed:
                self.assertFalse([one for one in bundle["records"] if one.get("run", "").startswith("tiny@two")])
        changes = [one for bundle in bundles for one in bundle["records"] if one["kind"] == "config-change"]
        self.assertEqual([one["to"] for one in changes], [added, replaced, removed])
        self.assertEqual([one["from"] for one in changes], [config, added, replaced])

    def test_what_is_not_wanted_is_on_record_and_what_changes_is_seen_at_once(self):
        config = wait_until("a bundle", self.agent.bundles)[0]["config"]
        self.wait_for_run(config, "tiny", trigger="schedule")
        self.assertEqual(self.host.vouch("pause", "tiny", "--for", "1m").code, 64)
        self.assertNotEqual(self.host.vouch("pause", "nobody", "--for", "1m", "--reason", "x").code, 0)
        paused = self.host.vouch("pause", "tiny", "--for", "10m", "--reason", "restore test")
        self.assertEqual(paused.code, 0, paused)
        self.assertIn("is paused until", paused.out)
        found = wait_until("a suppressed run", lambda: self.agent.records("run-suppressed"))[0]
        self.assertEqual(found["reason"], "restore test")
        self.assertIn(f"uid {os.geteuid()}", found["by"])
        self.assertIn("restore test", self.host.vouch("status", "--format", "json").out)
        self.assertEqual(self.host.vouch("resume", "--all").code, 0)
        runs = len(self.runs(config))
        wait_until("runs again", lambda: len(self.runs(config)) > runs)

        watched = os.path.join(self.site.dir, "watched")
        os.mkdir(watched)
        watching = self.reload(f"  tiny: {{ program: {self.first}, interval: 1h, watch: [{watched}] }}\n")
        os.mkdir(os.path.join(watched, "new"))
        run = self.wait_for_run(watching, "tiny", trigger="watch")
        self.assertEqual(run["cause"], os.path.join(watched, "new"))
        self.assertNotIn("scheduled", run)
        time.sleep(1.2)  # The gap: what follows is a run of its own.
        name = os.path.join(watched, "new", "a\nb")
        s.write(name, "x")
        escaped = os.path.join(watched, "new", "a\\x0ab")
        self.wait_for_run(watching, "tiny", trigger="watch", cause=escaped)

        now = int(time.time())
        window = self.reload(f"  tiny: {{ program: {self.first}, interval: 1s }}\n",
                             extra=f"maintenance:\n  - {{ by: ops, reason: upgrade, from: {utc(now - 60)}, until: {utc(now + 900)} }}\n")
        found = wait_until("a suppressed run", lambda: [one for one in self.agent.records("run-suppressed")
                                                        if one["by"] == "ops"])[0]
        self.assertEqual((found["reason"], found["until"]), ("upgrade", utc(now + 900)))
        self.assertEqual(self.runs(window), [])
        bundles = self.finish()
        self.assertGreater(sum(one["schedule"]["suppressed"] for one in bundles), 1)


if __name__ == "__main__":
    unittest.main()
