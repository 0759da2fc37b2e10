#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packs of packaging/examples/packs against the tables that the examples beside them declare.

Usage: example_packs.py SOURCE_TREE BIN_DIR

Each NAME.yaml beside `packs` that declares tables is read by its collector, whose manifest then says what
the pack of that name may ask; other packs ask tables that the collectors have without a declaration.
`vouch policy test` is the judge. Exit 0: all hold; 77: a collector is not built.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DECLARED = {"github": "http_json", "okta": "http_json", "command": "command"}
# Registers that are a site's own; the pack's comment has their form.
REGISTERS = {"github": [{"table": "register_github_owners", "collector": "site", "key": ["login"],
                         "columns": {"login": "text", "person": "text"}}]}


def declared_tables(bin_dir, collector, file):
    """The tables of the manifest, in the form of policies/tables.yaml. The file must be ours alone."""
    with tempfile.TemporaryDirectory() as private:
        copy = shutil.copy(file, private)
        os.chmod(copy, 0o600)
        out = subprocess.run([bin_dir / collector, "--describe"], check=True, capture_output=True, text=True,
                             input=json.dumps({"options": {"file": copy}, "protocol": 1}) + "\n").stdout
    return [{"table": t["name"], "collector": collector, "key": t["key"], "volatile": t["volatile"],
             "columns": {c["name"]: c["type"] + ("?" if c.get("nullable") else "") for c in t["columns"]}}
            for t in json.loads(out)["tables"]]


def main():
    source, bin_dir = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    examples = source / "packaging" / "examples"
    missing = [name for name in ("vouch", *DECLARED.values()) if not (bin_dir / name).exists()]
    if missing:
        print("skipped: not built:", ", ".join(missing))
        return 77
    failed = []
    shipped = (source / "policies" / "tables.yaml").read_text()
    for pack in sorted((examples / "packs").glob("*.yaml")):
        more = list(REGISTERS.get(pack.stem, []))
        if pack.stem in DECLARED:
            more += [table for table in declared_tables(bin_dir, DECLARED[pack.stem], examples / pack.name)
                     if f"- table: {table['table']}\n" not in shipped]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as tables:
            tables.write(shipped + "".join(f"  - {json.dumps(table)}\n" for table in more))
            tables.flush()
            done = subprocess.run([bin_dir / "vouch", "policy", "test", "--tables", tables.name, pack],
                                  capture_output=True, text=True)
        print(f"{pack.name}: {(done.stdout + done.stderr).strip()}")
        if done.returncode != 0:
            failed.append(pack.name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
