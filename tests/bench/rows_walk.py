# SPDX-License-Identifier: Apache-2.0
"""Row 2 of ./dev bench: one walk for all rules, against find(1), over a tree made for it."""
import os
import shutil
import tempfile

import measure as m

DIRECTORIES = 2000  # With a parent each, and 247 files in each: 498,000 entries.
FILES = 247


def make_tree(root):
    os.makedirs(f"{root}/etc")
    for name in ("passwd", "group"):
        with open(f"{root}/etc/{name}", "w", encoding="utf-8") as file:
            file.write("root:x:0:0::/:/bin/sh\n")
    for number in range(DIRECTORIES):
        directory = f"{root}/d{number % 50}/s{number // 50}/deep{number % 3}"
        os.makedirs(directory)
        for each in range(FILES):
            # One in eight can be executed: of these the capabilities are asked, too.
            os.close(os.open(f"{directory}/file-{each:04d}.dat", os.O_CREAT | os.O_WRONLY, 0o755 if each % 8 == 0 else 0o644))
    for number in range(30):
        os.chmod(f"{root}/d{number}/s0/deep{number % 3}/file-0003.dat", 0o4755)


def row_2(special_files):
    root = tempfile.mkdtemp(prefix="vouch-bench-")
    try:
        make_tree(root)
        ours = [special_files, "--root", root, "--tables", "suid_bin,unsafe_files"]
        one = ["find", root, "-xdev", "-type", "f", "-perm", "/6000"]
        three = ["find", root, "-xdev", "(", "-perm", "/6000", "-o", "-perm", "-0002", "-o", "-nouser", "-o", "-nogroup", ")"]
        m.cpu_row("2", "set-uid, world-writable, unowned, capabilities: 498,000 entries, against find with one rule", ours, one,
                  "<= 1.5 s", "warm cache")
        m.cpu_row("2", "the same, against find with three rules", ours, three, "<= 1.5 s", "find knows no capabilities")
    finally:
        shutil.rmtree(root, ignore_errors=True)
