#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A file system that nobody answers for lies where homes, configuration, logs and backups are, below a root and
on the running host: each collector ends in time, keeps what does not lie there, and says what it could not see."""
import json
import os
import shutil
import subprocess
import sys
import unittest

import prepared as p

HUNG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hung_mount.py")
IN_TIME_S = 25  # Two seconds are the price of a silent mount; the rest is the sanitizers'.
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFHfY5BsrY/SIsRlZNMphCPUUtxRwAH/GCirUQED76DD x"


def make_image():
    image = p.Image()
    image.file("/etc/passwd", "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\nbob:x:1001:1001::/srv/bob:/bin/bash\n")
    image.file("/etc/group", "root:x:0:\n").file("/etc/shadow", "ann:*:1::::::\n", 0o640)
    image.file("/etc/os-release", "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\nNAME=Debian\n")
    image.file("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\n")
    image.file("/root/.ssh/authorized_keys", KEY + "\n", 0o600).file("/etc/ssh/sshd_config", "PermitRootLogin no\n")
    image.file("/etc/crontab", "0 3 * * * root restic -r /home/backup backup /etc\n")
    image.file("/usr/bin/tool", "x", 0o4755)
    for directory in ("/home", "/srv", "/var/log", "/etc/cron.d", "/etc/sysctl.d", "/etc/ssl/certs"):
        os.makedirs(image.at(directory), exist_ok=True)
    image.link("/srv/bob", "../home/bob").link("/etc/sudoers", "/home/sudoers")
    return image


def collect_hung(collector, root, point, *tables):
    return p.collect(collector, root, tables, prefix=[sys.executable, HUNG, point])


class HungMount(unittest.TestCase):
    def setUp(self):
        self.image = make_image()
        self.addCleanup(self.image.remove)

    def test_the_mount_does_hang(self):
        with self.assertRaises(subprocess.TimeoutExpired):
            subprocess.run([sys.executable, HUNG, self.image.path + "/home", "timeout", "-s", "KILL", "60", "ls", self.image.path + "/home/ann"],
                           capture_output=True, timeout=2)

    def test_homes_that_do_not_answer_are_gaps(self):
        answer = collect_hung("access_review", self.image.path, self.image.path + "/home")
        self.assertLess(answer.seconds, IN_TIME_S)
        self.assertEqual(answer.row("authorized_keys")["username"], "root")
        for home in ("/home/ann", "/srv/bob"):  # The second by a link.
            self.assertTrue(answer.gap("authorized_keys", home), answer.gaps)
            self.assertTrue(answer.gap("user_homes", home) or answer.gap("user_dot_files", home), answer.gaps)
        self.assertEqual(len(answer.tables["users"]), 3)
        # What a link leads there is not a host without sudo.
        self.assertTrue("sudo_rules" in answer.errors or answer.gap("sudo_rules", "/etc/sudoers"), answer.gaps)

    def test_each_collector_ends_wherever_the_mount_is(self):
        for point, collectors in (("/etc/ssh", ("access_review",)), ("/var/log", ("access_review", "config_drift", "patch_level")),
                                  ("/etc/cron.d", ("backup_jobs", "config_drift")), ("/etc/ssl/certs", ("config_drift",)),
                                  ("/var/lib/dpkg", ("package_files", "rpm_packages")), ("/usr/bin", ("special_files", "patch_level"))):
            for collector in collectors:
                with self.subTest(point=point, collector=collector):
                    answer = collect_hung(collector, self.image.path, self.image.path + point)
                    self.assertLess(answer.seconds, IN_TIME_S)
        answer = collect_hung("config_drift", self.image.path, self.image.path + "/etc/ssh", "sshd_effective_config", "scheduled_jobs")
        self.assertIn("does not answer", answer.errors.get("sshd_effective_config", "") + str(answer.gaps))
        self.assertEqual(len(answer.tables["scheduled_jobs"]), 1)
        answer = collect_hung("patch_level", self.image.path, self.image.path + "/var/lib/dpkg", "deb_packages", "os_version")
        self.assertIn("does not answer", answer.errors["deb_packages"])
        self.assertEqual(len(answer.tables["os_version"]), 1)

    def test_on_the_running_host(self):
        for collector in ("access_review", "patch_level", "backup_jobs", "config_drift"):
            with self.subTest(collector=collector):
                self.assertLess(collect_hung(collector, None, "/srv").seconds, IN_TIME_S)

    def test_a_backup_on_a_dead_server_does_not_keep_others_from_being_asked(self):
        if not shutil.which("restic"):
            self.skipTest("restic is not installed")
        good, password = os.path.join(self.image.dir, "good"), os.path.join(self.image.dir, "password")
        with open(password, "w", encoding="ascii") as file:
            file.write("testbed\n")
        os.chmod(password, 0o600)
        environment = {**p.ENVIRONMENT, "RESTIC_PASSWORD": "testbed", "RESTIC_CACHE_DIR": self.image.dir + "/cache"}
        for argv in (["init"], ["backup", password]):
            subprocess.run(["restic", "-q", "-r", good, *argv], check=True, capture_output=True, env=environment, timeout=60)
        jobs = [{"name": "dead", "tool": "restic", "repository": "/srv/restic", "password_file": password},
                {"name": "dead-borg", "tool": "borg", "repository": "/srv/borg"}, {"name": "dead-word", "tool": "restic", "repository": good, "password_file": "/srv/x"},
                {"name": "dead-dumps", "tool": "directory", "repository": "/srv/dumps", "pattern": "*.sql"},
                {"name": "good", "tool": "restic", "repository": good, "password_file": password}]
        answer = p.ask("backup_jobs", ["backup_jobs", "backup_snapshots"], options={"jobs": jobs}, seconds=45, prefix=[sys.executable, HUNG, "/srv"])
        self.assertEqual(answer["errors"], {})
        self.assertEqual([row["job"] for row in answer["backup_snapshots"]], ["good"])
        for name in ("dead", "dead-borg", "dead-word", "dead-dumps"):
            self.assertTrue([gap for gap in answer["gaps"] if gap["object"] == name and "does not answer" in gap["message"]], answer["gaps"])

    def test_how_full_the_others_are_is_told(self):
        # The host's mounts, as the units of the package hand them over.
        script = 'exec 3</proc/self/mounts && VOUCH_HOST_MOUNTS=3 exec "$0" --tables mount_usage'
        code, out, error, seconds = p.run_limited([sys.executable, HUNG, "/srv", "sh", "-c", script, p.program("config_drift")])
        self.assertEqual((code, seconds < IN_TIME_S), (0, True), error)
        gaps = [json.loads(line) for line in out.splitlines() if b"does not answer" in line]
        self.assertIn("/srv", str(gaps), out)
        self.assertIn(b'"/",', out)


if __name__ == "__main__":
    try:
        p.require_root()
    except p.Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
    probe = subprocess.run([sys.executable, HUNG, "/srv", "true"], capture_output=True, text=True)
    if probe.returncode == 77:
        print(f"skipped: {probe.stderr.strip()}")
        sys.exit(77)
    unittest.main(verbosity=2)
