#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traps in the place of every file that a collector reads in an image: none hangs it, crashes it, or has it read
outside or run a program; and where rows are lost the table says so. Skipped without strace, or without root."""
import contextlib
import os
import shutil
import sys
import unittest

import plants
import prepared as p
import sweep

SECRET = "outside-of-every-root"
# Tables whose row of an object says that it is something else now.
NAMED_BY = {"file_hashes": "path", "user_dot_files": "path", "backup_jobs": "name"}
# sudo itself passes over what is no regular file in an included directory.
AS_THE_TOOL_DOES = {("sudo_files", "/etc/sudoers.d/ops"), ("sudo_rules", "/etc/sudoers.d/ops")}
# Collectors that read every file of the system: a trap in some stands for all.
FILES_MAX = 400


def lost(before, after):
    """Tables of which a row is gone, or has another value, without an error or a new gap of that table."""
    gaps = {str(one) for one in before.gaps}
    told = {one["table_name"] for one in after.gaps if str(one) not in gaps} | set(after.errors)
    for name, rows in before.tables.items():
        if name != "gaps" and name not in told:
            key = NAMED_BY.get(name)
            left = {row[key] if key else str(row) for row in after.tables.get(name, [])}
            gone = [row for row in rows if (row[key] if key else str(row)) not in left]
            if gone:
                yield name, gone[0]


class Traps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = plants.whole_host()
        cls.addClassCleanup(cls.image.remove)
        cls.outside = os.path.join(cls.image.dir, "secret")
        with open(cls.outside, "w", encoding="ascii") as file:
            file.write(f"{SECRET}:x:0:0::/:/bin/sh\n{SECRET} ALL=(ALL) ALL\nPermitRootLogin {SECRET}\n{SECRET}={SECRET}\n")
        cls.lines = {name: sweep.traced(name, cls.image.path, os.path.join(cls.image.dir, "trace")) for name in p.COLLECTORS}
        cls.files = {name: sweep.files_read(lines, cls.image)[:FILES_MAX] for name, lines in cls.lines.items()}

    def test_no_program_is_run_and_nothing_outside_is_opened(self):
        for name, lines in self.lines.items():
            self.assertEqual(list(sweep.breaches(lines, self.image.path)), [], name)
            self.assertGreater(len(lines), 10, name)
            self.assertTrue(self.files[name] or name == "rpm_packages", name)

    def test_nothing_in_the_place_of_all_files_holds_or_fools_a_collector(self):
        for kind, make in sweep.traps(self.outside).items():
            for name in p.COLLECTORS:
                with self.subTest(trap=kind, collector=name), contextlib.ExitStack() as planted:
                    for path in self.files[name]:
                        planted.enter_context(sweep.Planted(self.image, path, make))
                    answer = p.collect(name, self.image.path)
                    self.assertNotIn(SECRET, str(answer.tables), (kind, name))

    def test_what_a_trap_takes_away_is_told(self):
        silent = set()
        for name in ("access_review", "patch_level", "backup_jobs", "config_drift", "rpm_packages"):
            before = p.collect(name, self.image.path)
            for path in self.files[name]:
                with sweep.Planted(self.image, path, sweep.traps(self.outside)["fifo"]):
                    after = p.collect(name, self.image.path)
                silent |= {(table, os.fsdecode(path), str(row)) for table, row in lost(before, after)}
        self.assertEqual(sorted(one for one in silent if one[:2] not in AS_THE_TOOL_DOES), [])


if __name__ == "__main__":
    try:
        p.require_root()
        if not shutil.which("strace"):
            raise p.Skip("strace is not installed")
    except p.Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main(verbosity=2)
