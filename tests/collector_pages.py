#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/collectors/NAME.md is what `vouch collectors NAME` prints, for each collector that is built.

Usage: collector_pages.py SOURCE_TREE BIN_DIR [--write]

Exit 0: they are the same; 1: those that differ are named; --write makes them the same.
"""
import json
import subprocess
import sys
from pathlib import Path


def said(bin_dir, *words):
    # A build's own collectors: no configuration of this machine may change them.
    return subprocess.run([bin_dir / "vouch", "collectors", *words], check=True, capture_output=True, text=True,
                          timeout=60).stdout


def main():
    source, bin_dir, write = Path(sys.argv[1]), Path(sys.argv[2]), "--write" in sys.argv
    pages = source / "docs" / "collectors"
    different = []
    names = [one["name"] for one in json.loads(said(bin_dir, "--format", "json"))["collectors"]]
    for name in names:
        text, page = said(bin_dir, name), pages / f"{name}.md"
        if page.exists() and page.read_text() == text:
            continue
        different.append(name)
        if write:
            page.write_text(text)
    gone = [page.name for page in pages.glob("*.md") if page.stem not in [*names, "tables", "backups", "declared"]]
    if (different or gone) and not write:
        print(f"not what `vouch collectors NAME` says: {', '.join(different + gone)}; "
              "tests/collector_pages.py SOURCE BIN --write makes it so")
        return 1
    print(f"{len(names)} pages agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
