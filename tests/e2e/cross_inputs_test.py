#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two collectors whose checks read each other's tables: where nothing changes, a run is as the one before, and a
bundle says so in a few bytes."""
import unittest

import site_under_test as s
from running_agent import RunningAgent, wait_until

PACK = """pack: site.cross
controls:
  - id: cross
    title: Both say the same
    frequency_s: 86400
    checks:
      - { id: cross.one, title: One, severity: low, rationale: R, remediation: M, tables: [things, others],
          sql: SELECT name FROM things EXCEPT SELECT name FROM others }
      - { id: cross.two, title: Two, severity: low, rationale: R, remediation: M, tables: [others, things],
          sql: SELECT name FROM others EXCEPT SELECT name FROM things }
"""


class CrossInputs(unittest.TestCase):
    def test_runs_that_change_nothing_are_the_same(self):
        with s.Site() as site:
            site.store.start()
            one = site.script("tiny", s.tiny_collector())
            two = site.script("other", s.tiny_collector().replace("tiny", "other").replace("things", "others"))
            host = site.host(collectors=f"  tiny: {{ program: {one}, interval: 1s }}\n  other: {{ program: {two}, interval: 1s }}\n",
                             extra="heartbeat: 10s\n")
            with open(host.config, encoding="utf-8") as file:
                config = file.read()
            begin = config.index("packs: [")
            pack = s.write(site.dir + "/cross.yaml", PACK)
            s.write(host.config, config[:begin] + f"packs: [{pack}]" + config[config.index("]", begin) + 1:])
            host.enrol(site.store.join_string())
            agent = RunningAgent(host).start()
            try:
                runs = wait_until("some runs are sealed", lambda: (
                    found := agent.records("observation")) and len(found) >= 12 and found)
            finally:
                agent.stop()
            self.assertEqual([run["run"] for run in runs[6:] if "same_as" not in run], [])
            inputs = {one["run"] for run in runs if "inputs" in run for one in run["inputs"] if "run" in one}
            self.assertTrue(any(one.startswith("tiny/") for one in inputs), inputs)
            self.assertTrue(any(one.startswith("other/") for one in inputs), inputs)
            host.ship()
            self.assertEqual(site.verify("--replay").code, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
