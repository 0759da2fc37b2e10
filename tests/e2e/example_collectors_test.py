#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The collectors of docs/examples work as its README says: described, run, judged by SQL."""
import json
import os
import unittest

import site_under_test as s

EXAMPLES = s.SOURCE + "/docs/examples/collectors"


class ExampleCollectors(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        lines = "".join(f"  {name}: {{ program: {EXAMPLES}/{name} }}\n" for name in ("kernel_cmdline", "swap_devices"))
        self.host = self.site.host(collectors=lines)

    def collect(self, name, table, *more):
        done = self.host.vouch("collect", name, "--table", table, "--format", "json", *more)
        return done, json.loads(done.out)

    def test_the_one_in_python_says_what_the_kernel_was_told(self):
        done, value = self.collect("kernel_cmdline", "kernel_parameters")
        self.assertEqual(done.code, 0, done)
        with open("/proc/cmdline", encoding="utf-8") as file:
            words = file.read().split()
        rows = sorted(value["tables"]["kernel_parameters"]["rows"], key=lambda row: row["position"])
        self.assertEqual([row["name"] + ("" if row["value"] is None else "=" + row["value"]) for row in rows], words)

    def test_what_it_cannot_read_is_an_error_and_no_empty_table(self):
        os.mkdir(self.site.dir + "/image")
        for name, table in (("kernel_cmdline", "kernel_parameters"), ("swap_devices", "swaps")):
            done, value = self.collect(name, table, "--root", self.site.dir + "/image")
            self.assertEqual(done.code, 2, done)
            self.assertIn(table, value["errors"])

    def test_the_one_in_shell_says_where_it_swaps_to(self):
        done, value = self.collect("swap_devices", "swaps")
        self.assertEqual(done.code, 0, done)
        with open("/proc/swaps", encoding="utf-8") as file:
            devices = sorted(line.split()[0] for line in file.readlines()[1:])
        self.assertEqual(sorted(row["device"] for row in value["tables"]["swaps"]["rows"]), devices)

    def test_their_tables_can_be_asked_in_sql(self):
        done = self.host.vouch("query", "SELECT count(*) AS n FROM kernel_parameters", "--format", "json")
        self.assertEqual(done.code, 0, done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
