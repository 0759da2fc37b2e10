#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""command as a site uses it: the shipped example against findmnt itself, a program of the site's own that is
judged and sealed, and what programs do wrong."""
import hashlib
import json
import os
import subprocess
import unittest

import site_under_test as s

PACK = s.SOURCE + "/packaging/examples/packs/command.yaml"
FINDMNT = ["/usr/bin/findmnt", "--real", "--noheadings", "--raw", "--output", "TARGET"]
SECRET = "planted-secret-of-a-site"


class CommandCollector(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.file = self.site.dir + "/command.yaml"
        self.host = self.site.host(collectors=f"  command: {{ options: {{ file: {self.file} }} }}\n")
        with open(self.host.config, encoding="utf-8") as file:
            config = file.read()
        start = config.index("packs: [")
        s.write(self.host.config, config[:start] + f"packs: [{PACK}]" + config[config.index("]", start) + 1:])

    def declare(self, body, keys="format: jsonl", columns="[{ name: array, key: true }, { name: disks, type: integer }]",
                mode=0o755):
        """The table raid_arrays, filled by a script with this body."""
        script = self.site.script("raid_state", "#!/bin/sh\n" + body)
        os.chmod(script, mode)
        s.write(self.file, f"commands:\n  - table: raid_arrays\n    argv: [{script}, --password, {SECRET}]\n"
                           f"    {keys}\n    columns: {columns}\n", 0o644)
        return script

    def collect(self, *more):
        done = self.host.vouch("collect", "command", "--format", "json", *more)
        self.assertNotIn(SECRET, done.out + done.err)
        value = json.loads(done.out)
        return done, {name: table["rows"] for name, table in value["tables"].items()}, value["errors"]

    def error_of(self, *arguments, **keys):
        self.declare(*arguments, **keys)
        done, tables, errors = self.collect()
        self.assertEqual(done.code, 2, done)
        self.assertNotIn("raid_arrays", tables)
        return errors["raid_arrays"]["code"] + ": " + errors["raid_arrays"]["message"]

    def test_the_shipped_example_says_what_findmnt_says(self):
        said = subprocess.run(FINDMNT, capture_output=True, text=True)
        if said.returncode != 0:
            self.skipTest("findmnt finds no file system on a disk here")
        with open(s.SOURCE + "/packaging/examples/command.yaml", encoding="utf-8") as file:
            s.write(self.file, file.read(), 0o644)
        done, tables, errors = self.collect()
        self.assertEqual((done.code, errors, tables["gaps"]), (0, {}, []), done)
        self.assertEqual(sorted(row["target"] for row in tables["local_filesystems"]),
                         sorted(set(said.stdout.split("\n")) - {""}))
        row, = tables["site_commands"]
        with open(FINDMNT[0], "rb") as file:
            self.assertEqual(row["sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_a_program_of_the_site_is_judged_and_sealed(self):
        script = self.declare("echo '{\"array\":\"md0\",\"disks\":2}'; echo '{\"array\":\"md1\",\"disks\":3}'\n")
        done, tables, errors = self.collect()
        self.assertEqual((done.code, errors, tables["gaps"]), (0, {}, []), done)
        self.assertEqual(tables["raid_arrays"], [{"array": "md0", "disks": 2}, {"array": "md1", "disks": 3}])
        row, = tables["site_commands"]
        with open(script, "rb") as file:
            self.assertEqual(row["sha256"], hashlib.sha256(file.read()).hexdigest())
        self.assertEqual(row["arguments"], "--password [redacted]")
        check = self.host.vouch("check", "--format", "json")
        outcomes = {one["check"]: one["outcome"] for one in json.loads(check.out)["outcomes"]}
        # It lies in a directory that the pack does not know; the pack's other table is not declared.
        self.assertEqual(outcomes, {"site-programs-approved.digest": "fail"}, check)
        self.assertIn("site-filesystems-known.targets", check.out)
        self.assertEqual(self.host.once().code, 0)
        for at, _, names in os.walk(self.host.dir):
            for name in names:
                with open(os.path.join(at, name), "rb") as file:
                    self.assertNotIn(SECRET.encode(), file.read(), name)

    def test_a_line_that_is_no_row_is_a_gap_and_the_others_stand(self):
        self.declare("echo '{\"array\":\"md0\",\"disks\":2}'; echo oops; echo '{\"array\":\"md1\"}'\n")
        done, tables, _ = self.collect()
        self.assertEqual([row["array"] for row in tables["raid_arrays"]], ["md0"], done)
        self.assertEqual(sorted(row["object"] for row in tables["gaps"]), ["line 2", "line 3"])
        self.assertNotIn("oops", done.out)

    def test_a_program_that_does_not_end_well_voids_its_table(self):
        self.assertIn("tool-failed: ", self.error_of("echo '{\"array\":\"md0\",\"disks\":2}'; echo no disk >&2; exit 9\n"))
        self.assertIn("not-supported", self.error_of("exit 3\n", keys="exits: [{ code: 3, means: not-supported }]"))
        self.assertIn("timeout", self.error_of("sleep 60\n", keys="timeout: 1s"))
        self.assertIn("too-large", self.error_of("yes '{\"array\":\"md0\",\"disks\":2}'\n"))

    def test_what_others_could_change_is_not_run(self):
        mark = self.site.dir + "/ran"
        self.assertIn("permission-denied", self.error_of(f"touch {mark}\n", mode=0o777))
        self.assertFalse(os.path.exists(mark))
        self.declare(f"touch {mark}\n")
        os.mkdir(self.site.dir + "/image")
        done, tables, errors = self.collect("--root", self.site.dir + "/image")
        self.assertEqual((done.code, sorted(errors)), (2, ["raid_arrays", "site_commands"]), done)
        self.assertFalse(os.path.exists(mark))

    def test_what_is_wrong_in_the_file_is_said_before_anything_runs(self):
        s.write(self.file, "commands:\n  - table: raid_arrays\n    argv: [raid_state]\n    columns: []\n", 0o644)
        done = self.host.vouch("config", "check")
        self.assertEqual(done.code, 78, done)
        self.assertIn(self.file + ":", done.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
