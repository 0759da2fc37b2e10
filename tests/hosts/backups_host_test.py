#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real repositories of restic and borg, good ones, stale, empty, locked and corrupt ones, on a host that is asked about
them: the tools themselves made and damaged them. Skipped where they are not installed."""
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import prepared as p

DAYS = 40


def biggest(directory):
    paths = [os.path.join(where, name) for where, _, names in os.walk(directory) for name in names]
    return max(paths, key=os.path.getsize)


class Backups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="vouch-host-")
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        for name in ("data", "cache", "restic", "borg"):
            os.mkdir(os.path.join(cls.dir, name))
        for name in ("file1", "file2"):
            with open(os.path.join(cls.dir, "data", name), "wb") as file:
                file.write(os.urandom(300000))
        for name, word in (("password", "testbed"), ("wrong", "guess")):
            with open(os.path.join(cls.dir, name), "w", encoding="ascii") as file:
                file.write(word + "\n")
            os.chmod(os.path.join(cls.dir, name), 0o600)
        cls.old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=DAYS)
        cls.make_restic()
        cls.make_borg()

    @classmethod
    def run_tool(cls, *argv):
        subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL,
                       env={**p.ENVIRONMENT, "RESTIC_PASSWORD": "testbed", "RESTIC_CACHE_DIR": cls.dir + "/.restic", "BORG_PASSPHRASE": "testbed",
                            "BORG_BASE_DIR": cls.dir + "/.borg", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes", "TZ": "UTC"}, timeout=120)

    @classmethod
    def make_restic(cls):
        for name in ("good", "stale", "empty", "corrupt"):
            at = f"{cls.dir}/restic/{name}"
            cls.run_tool("restic", "-q", "-r", at, "init")
            if name != "empty":
                when = ["--time", cls.old.strftime("%Y-%m-%d %H:%M:%S")] if name == "stale" else []
                cls.run_tool("restic", "-q", "-r", at, "backup", "--host", "db1", *when, cls.dir + "/data")
        shutil.copytree(cls.dir + "/restic/good", cls.dir + "/restic/wrong")
        damaged = biggest(cls.dir + "/restic/corrupt/data")
        os.chmod(damaged, 0o600)
        os.truncate(damaged, os.path.getsize(damaged) - 1000)

    @classmethod
    def make_borg(cls):
        for name in ("good", "stale", "empty", "corrupt"):
            at = f"{cls.dir}/borg/{name}"
            cls.run_tool("borg", "init", "-e", "repokey", at)
            if name != "empty":
                when = ["--timestamp", cls.old.strftime("%Y-%m-%dT%H:%M:%S")] if name == "stale" else []
                cls.run_tool("borg", "create", *when, at + "::day1", cls.dir + "/data")
        with open(biggest(cls.dir + "/borg/corrupt/data"), "r+b") as file:
            file.seek(200000)
            file.write(b"XXXXXXXX")

    def collect(self):
        jobs = []
        for tool, names in (("restic", ("good", "stale", "empty", "corrupt", "wrong", "gone")), ("borg", ("good", "stale", "empty", "corrupt"))):
            for name in names:
                jobs.append({"name": f"{tool}-{name}", "tool": tool, "repository": f"{self.dir}/{tool}/{name}", "verify_days": "1",
                             "password_file": f"{self.dir}/{'wrong' if name == 'wrong' else 'password'}"})
        answer = p.ask("backup_jobs", ["backup_jobs", "backup_snapshots", "backup_checks"], cache_dir=self.dir + "/cache", options={"jobs": jobs})
        self.assertEqual(answer["errors"], {})
        return answer

    def test_each_repository_is_told_for_what_it_is(self):
        tables = self.collect()
        snapshots = {}
        for row in tables["backup_snapshots"]:
            snapshots.setdefault(row["job"], []).append(row["time"])
        today, old = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"), self.old.strftime("%Y-%m-%d")
        for tool in ("restic", "borg"):
            self.assertEqual([time[:10] for time in snapshots[f"{tool}-good"]], [today])
            self.assertEqual([time[:10] for time in snapshots[f"{tool}-stale"]], [old])
            self.assertNotIn(f"{tool}-empty", snapshots)
            # Its list of backups is as good as ever: only the check knows.
            self.assertEqual(len(snapshots[f"{tool}-corrupt"]), 1)
        checks = {row["job"]: row["result"] for row in tables["backup_checks"] if row["kind"] == "check"}
        self.assertEqual({name: checks.get(name) for name in ("restic-good", "restic-corrupt", "borg-good", "borg-corrupt", "restic-stale")},
                         {"restic-good": "ok", "restic-corrupt": "failed", "borg-good": "ok", "borg-corrupt": "failed", "restic-stale": "ok"})
        for name in ("restic-wrong", "restic-gone"):
            self.assertNotIn(name, snapshots)
            self.assertTrue([gap for gap in tables["gaps"] if gap["table_name"] == "backup_snapshots" and name in gap["object"]], tables["gaps"])
        self.assertNotIn("testbed", str(tables))


if __name__ == "__main__":
    missing = [tool for tool in ("restic", "borg") if not shutil.which(tool)]
    if missing:
        print(f"skipped: not installed: {', '.join(missing)}")
        sys.exit(77)
    unittest.main(verbosity=2)
