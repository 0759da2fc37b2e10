# SPDX-License-Identifier: Apache-2.0
"""Rows 6 and 7 of ./dev bench: every byte of the configuration and the programs hashed, against AIDE, and the
same when nothing has changed."""
import json
import os
import shutil
import tempfile

import measure as m

PATHS = ("/etc", "/usr/bin", "/usr/sbin")
RULE = "p+u+g+s+ftype+l+sha256"  # Mode, owner, size, kind, target of links, SHA-256: what file_hashes has.
TURNS = 3  # AIDE takes seconds for each.


def bytes_below(paths):
    total = 0
    for path in paths:
        for directory, _, names in os.walk(path):
            for name in names:
                full = os.path.join(directory, name)
                if os.path.isfile(full) and not os.path.islink(full):
                    total += os.path.getsize(full)
    return total


def aide(directory):
    """Its check against a database that it made itself just before: (argv, or None where it is missing)."""
    program = shutil.which("aide")
    if program is None:
        return None
    config = os.path.join(directory, "aide.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"database_in=file:{directory}/db\ndatabase_out=file:{directory}/new\ngzip_dbout=no\nreport_url=file:{directory}/report\n"
                   + "".join(f"{path} {RULE}\n" for path in PATHS))
    made = m.run([program, "--init", "--config", config])
    if made.code != 0:
        return None
    os.rename(f"{directory}/new", f"{directory}/db")
    return [program, "--check", "--config", config]


def rows_6_7(config_drift, wanted):
    directory = tempfile.mkdtemp(prefix="vouch-bench-")
    try:
        peer = aide(directory)
        request = {"protocol": 1, "tables": ["file_hashes", "gaps"], "options": {"paths": list(PATHS)}, "root": "/", "deadline_ms": 120000}
        asked = {}
        for number, more in (("6", {}), ("7", {"cache_dir": os.path.join(directory, "cache")})):
            asked[number] = os.path.join(directory, f"request-{number}")
            with open(asked[number], "w", encoding="ascii") as file:
                file.write(json.dumps({**request, **more}) + "\n")
        os.mkdir(os.path.join(directory, "cache"))
        ours = ["sh", "-c", f'exec "{config_drift}" < "{asked[wanted]}"']
        size = f"{bytes_below(PATHS) / 1e6:.0f} MB in {', '.join(PATHS)}"
        what, target = {"6": ("drift: every byte hashed with SHA-256", ">= 4x"), "7": ("drift: nothing changed, by the stat cache", "<= 25 ms")}[wanted]
        if peer is None:
            m.row(wanted, f"{what}, against AIDE", "", "missing", "", "")
            return
        m.cpu_row(wanted, f"{what}, against AIDE", ours, peer, target, size, count=TURNS)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
