#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A collector that breaks, hangs, floods or lies costs only its own run, which is on record."""
import os
import time
import unittest

import site_under_test as s

GOOD = s.tiny_collector()
DESCRIBE, ANSWER = GOOD.split("read -r request\n")


def answering(shell):
    return DESCRIBE + "read -r request\n" + shell


CASES = {
    "no-end": answering("""echo '{"table":"things"}'\n"""),
    "after-end": GOOD + "echo '{\"log\":{\"level\":\"info\",\"message\":\"x\"}}'\n",
    "count-mismatch": GOOD.replace('"things":1', '"things":2'),
    "missing-table": GOOD.replace('{"table":"gaps"}\n', "").replace('"things":1,"gaps":0', '"things":1'),
    "undeclared": GOOD.replace('{"row":{"name":"0"}}', '{"row":{"name":"0","extra":1}}'),
    "wrong-type": GOOD.replace('{"row":{"name":"0"}}', '{"row":{"name":0}}'),
    "duplicate-key": GOOD.replace('{"row":{"name":"0"}}', '{"row":{"name":"0"}}\n{"row":{"name":"0"}}'),
    "protocol": GOOD.replace('{"table":"things"}\n', "", 1),
    "bad-json": GOOD.replace('{"row":{"name":"0"}}', '{"row":{"name":"0"}'),
    "bad-utf8": answering(r"""printf '{"table":"things"}\n{"row":{"name":"\377"}}\n'""" + "\n"),
    "nul": answering(r"""printf '{"table":"things"}\n{"row":{"name":"\\u0000"}}\n'""" + "\n"),
    "line-too-long": answering("echo '{\"table\":\"things\"}'\nhead -c 2000000 /dev/zero | tr '\\0' x\n"),
    "exit": answering("exit 3\n"),
    "signal": answering("kill -SEGV $$\n"),
    "deadline": answering("sleep 1000 & wait\n"),
    "output-too-large": answering(
        "yes '{\"log\":{\"level\":\"debug\",\"message\":\"" + "x" * 100000 + "\"}}'\n"),
}


class BadCollectors(unittest.TestCase):
    def test_each_violation_is_a_failed_run_with_its_reason_and_the_rest_goes_on(self):
        with s.Site() as site:
            for reason, text in CASES.items():
                with self.subTest(reason=reason):
                    deadline = "2s" if reason == "deadline" else "30s"
                    bad = site.script("bad-" + reason, text)
                    good = site.script("good-" + reason, GOOD.replace("things", "others"))
                    host = site.host("h-" + reason, collectors=f"  bad: {{ program: {bad}, interval: 1m, deadline: {deadline} }}\n"
                                     f"  tiny: {{ program: {good}, interval: 1m }}\n")
                    bad_text = text.replace('"name": "tiny"', '"name": "bad"', 1)
                    s.write(bad, bad_text, 0o755)
                    start = time.monotonic()
                    done = host.once()
                    records = s.records_of(host)
                    failed = [one for one in records if one["kind"] == "run-failed"]
                    observed = [one for one in records if one["kind"] == "observation"]
                    self.assertLess(time.monotonic() - start, 60)
                    self.assertEqual([one["reason"] for one in failed], [reason], done)
                    self.assertEqual(len(observed), 1, done)

    def test_children_of_a_collector_that_ran_out_of_time_are_gone(self):
        with s.Site() as site:
            marker = f"{site.dir}/alive"
            bad = site.script("bad", answering(
                f"(trap '' TERM HUP INT; while :; do date > {marker}; sleep 0.1; done) &\nsleep 1000\n"
            ).replace('"name": "tiny"', '"name": "bad"'))
            host = site.host(collectors=f"  bad: {{ program: {bad}, interval: 1m, deadline: 1s }}\n")
            host.once()
            before = os.stat(marker).st_mtime_ns
            time.sleep(1.5)
            self.assertEqual(os.stat(marker).st_mtime_ns, before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
