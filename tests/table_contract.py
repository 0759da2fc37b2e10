#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manifests of the collectors against the two pages that repeat them.

Usage: table_contract.py SOURCE_TREE BIN_DIR

docs/collectors/tables.md must name every table, column, key, type and nullability, in the manifest's
order of columns; so must policies/tables.yaml, by which packs are tested. The manifests are the truth.
Exit 0: they agree; 1: each difference is printed; 77: a collector is not built.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

COLLECTORS = ["access_review", "backup_jobs", "command", "config_drift", "deleted_libraries", "http_json", "kernel_rules",
              "openscap",              "package_files", "patch_level", "rpm_packages", "special_files"]
TYPES = ("text", "bytes", "integer", "boolean", "time")


def manifest_tables(bin_dir, name):
    out = subprocess.run([bin_dir / name, "--describe"], check=True, capture_output=True,
                         stdin=subprocess.DEVNULL).stdout
    manifest = json.loads(out)
    tables = {}
    for table in manifest["tables"]:
        columns = [(c["name"], c["type"], c.get("nullable", False), c["name"] in table["key"])
                   for c in table["columns"]]
        tables[table["name"]] = (name, table["volatile"], columns)
        for column in table["columns"]:
            if column.get("nullable") and not column.get("null"):
                raise SystemExit(f"{table['name']}.{column['name']}: null has no meaning")
    return tables


def outside_brackets(text):
    """The text without what stands in brackets or back quotes."""
    out, depth = [], 0
    for char in re.sub(r"`[^`]*`", "", text):
        depth += char == "("
        if depth == 0:
            out.append(char)
        depth -= char == ")"
    return "".join(out)


def page_tables(text):
    tables, collector = {}, None
    for line in text.splitlines():
        if line.startswith("## "):
            collector = line[3:].strip()
        cells = [c.strip() for c in line.strip("|").split("|", 1)]
        if not line.startswith("|") or len(cells) < 2 or cells[0] in ("table", "---"):
            continue
        columns = []
        for part in outside_brackets(cells[1]).split(","):
            words = part.split()
            kind = next((w for w in words[1:] if w.rstrip("?") in TYPES), "?")
            name = words[0]
            if kind == "?" and words[0] == "occurrence":
                kind = "integer"
            columns.append((name, kind.rstrip("?"), kind.endswith("?"), "k" in words[1:]))
        name = cells[0].split()[0]
        tables[name] = (collector, "(volatile)" in cells[0], columns)
    return tables


def yaml_tables(path):
    import yaml
    tables = {}
    for table in yaml.safe_load(path.read_text())["tables"]:
        if table["collector"] == "site":  # A register: no collector yields it.
            continue
        columns = [(name, kind.rstrip("?"), kind.endswith("?"), name in table["key"])
                   for name, kind in table["columns"].items()]
        tables[table["table"]] = (table["collector"], table.get("volatile", False), columns)
    return tables


def compare(title, found, truth, ordered):
    problems = []
    for name in sorted(found.keys() ^ truth.keys()):
        problems.append(f"{title}: {name}: only in the {'page' if name in found else 'manifest'}")
    for name in sorted(found.keys() & truth.keys()):
        for what, a, b in zip(("collector", "volatile"), found[name], truth[name]):
            if a != b:
                problems.append(f"{title}: {name}: {what} is {a}, in the manifest {b}")
        a, b = found[name][2], truth[name][2]
        if not ordered:
            a, b = sorted(a), sorted(b)
        for column in [c for c in a if c not in b]:
            problems.append(f"{title}: {name}: {column} is not in the manifest")
        for column in [c for c in b if c not in a]:
            problems.append(f"{title}: {name}: the manifest's {column} is missing")
    return problems


def main():
    source, bin_dir = Path(sys.argv[1]), Path(sys.argv[2])
    missing = [name for name in COLLECTORS if not (bin_dir / name).exists()]
    if missing:
        print("skipped: not built:", ", ".join(missing))
        return 77
    truth = {}
    for name in COLLECTORS:
        truth.update(manifest_tables(bin_dir, name))
    page = page_tables((source / "docs/collectors/tables.md").read_text())
    problems = compare("docs/collectors/tables.md", page, truth, True)
    try:
        problems += compare("policies/tables.yaml", yaml_tables(source / "policies/tables.yaml"),
                            truth, False)
    except ImportError:
        print("skipped: policies/tables.yaml: python3-yaml is not installed")
    print("\n".join(problems) or f"{len(truth)} tables agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
