#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules that a tool can check (docs/architecture.md, CONTRIBUTING.md).

Usage: house_rules.py SOURCE_TREE      exit 0: all kept; 1: each breach as file:line: rule
       house_rules.py --self-test      shows that each rule can fail
"""
import os
import re
import subprocess
import sys

# A room includes only what its line names; itself is always allowed.
ROOMS = {
    "core": set(),
    "proto": {"core"},
    "collectors": {"core"},
    "policies": {"core", "proto"},
    "alerts": {"core", "proto"},
    "agent": {"core", "proto", "policies", "alerts"},
    "store": {"core", "proto", "policies", "alerts"},
}
# Within a room: who may not know whom.
FORBIDDEN_PARTS = [
    ("proto/", "proto/verify/", "formats do not know the verifier"),
    ("agent/vouchd/", "agent/cli/", "the daemon does not know the command line"),
    ("agent/vouchd/", "agent/ship/", "the daemon does not know the network"),
    ("collectors/sdk/", "collectors/(?!sdk/)", "the SDK does not know a collector"),
]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100
BANNED = [
    (r"(?<![\w.>])(?:std::|::)?system\s*\(", "no shell: core/process.h starts programs"),
    (r"\bpopen\s*\(", "no shell: core/process.h starts programs"),
    (r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(", "unbounded C string function"),
    (r"\bstd::regex\b", "std::regex throws on classes we need and is slow: RE2"),
    (r"\bs?rand\s*\(", "core/random.h is the source of chance"),
    (r"\bstd::(?:async|thread\([^)]*\)\.detach)\b", "no detached work"),
    (r"\busing namespace\b", "no using-directives"),
    (r"\bnew\s+[A-Z]\w+[({]", "no naked new: values or std::make_unique"),
]
THIRD_PARTY = re.compile(r'#include <(boost|sqlite3|curl|openssl|yaml-cpp|spdlog|re2|zstd|fmt)\b')
MACHINE_PATH = re.compile(r"(^|[^a-z])/(wo[r]k|fa[r]m)/")
MARKS = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")


def function_breaches(path, lines):
    """Counts the lines of each function body that opens at the left margin and closes there.

    Namespaces, types, enums and tables open there too and are no functions.
    """
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line.endswith("{") and not line.startswith((" ", "}", "#", "//")):
            if not re.match(r"(?:inline |static )?(namespace|struct|class|enum|union|extern|const|constexpr|TEST_CASE)\b", line):
                start = number
        elif start is not None and line.startswith("}"):
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield f"{path}:{start}: function of {number - start + 1} lines, over {FUNCTION_LINES_MAX}"
            start = None


def include_breaches(path, number, line):
    match = re.match(r'#include "([^"]+)"', line)
    if not match:
        return
    target = match.group(1)
    room, target_room = path.split("/")[0], target.split("/")[0]
    if room in ROOMS and target_room in ROOMS and target_room != room and target_room not in ROOMS[room]:
        yield f"{path}:{number}: {room} must not include {target}"
    for here, there, why in FORBIDDEN_PARTS:
        inside = path.startswith(here) and not (here == "proto/" and path.startswith("proto/verify/"))
        if inside and re.match(there, target) and not path.endswith("_test.cc"):
            yield f"{path}:{number}: {why}: {target}"


def source_breaches(path, text):
    lines = text.split("\n")
    if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(lines[:3]):
        yield f"{path}:1: no SPDX line"
    if path.endswith((".cc", ".h")):
        if len(lines) - 1 > FILE_LINES_MAX:
            yield f"{path}:1: {len(lines) - 1} lines, over {FILE_LINES_MAX}: look for a second idea"
        if not path.endswith("_test.cc"):
            yield from function_breaches(path, lines)
        for number, line in enumerate(lines, 1):
            yield from include_breaches(path, number, line)
            code = line.split("//")[0]
            if len(line) > LINE_COLUMNS_MAX and 'R"' not in line and not path.endswith("_test.cc"):
                yield f"{path}:{number}: {len(line)} columns, over {LINE_COLUMNS_MAX}"
            for pattern, why in BANNED:
                if not path.endswith("_test.cc") and re.search(pattern, code):
                    yield f"{path}:{number}: {why}"
            if path.endswith(".h") and THIRD_PARTY.match(line):
                yield f"{path}:{number}: a third-party header in ours"


def text_breaches(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: a path of one machine"
        if MARKS.search(line):
            yield f"{path}:{number}: a mark of unfinished work"


def breaches(root):
    listing = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True, check=True)
    for path in listing.stdout.split("\n"):
        full = os.path.join(root, path)
        if not path or not os.path.isfile(full):
            continue
        try:
            with open(full, encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            continue
        yield from text_breaches(path, text)
        if path.endswith((".cc", ".h", ".py", ".sh")) or path == "dev":
            if path != "dev":
                yield from source_breaches(path, text)


def self_test():
    spdx = "// SPDX-License-Identifier: Apache-2.0\n"
    bad = {
        "core/a.cc": spdx + '#include "proto/x.h"\n',
        "proto/a.cc": spdx + '#include "proto/verify/x.h"\n',
        "collectors/a.cc": spdx + '#include "agent/x.h"\n',
        "core/b.cc": "int x;\n",
        "core/c.cc": spdx + "int x;\n" * 500,
        "core/d.cc": spdx + "void f() {\n" + "  x();\n" * 90 + "}\n",
        "core/e.cc": spdx + 'int y = system("x");\n',
        "core/f.h": spdx + "#include <sqlite3.h>\n",
        "core/g.cc": spdx + "//" + "x" * 120 + "\n",
    }
    for path, text in bad.items():
        if not list(source_breaches(path, text)):
            print(f"house_rules: the rule that {path} breaks cannot fail")
            return 1
    if not list(text_breaches("a.md", "see /wo" + "rk/x")) or not list(text_breaches("a.md", "TO" + "DO")):
        return 1
    good = spdx + '#include "core/result.h"\nint f() {\n  return 1;\n}\n'
    found = list(source_breaches("proto/ok.cc", good))
    print("\n".join(found))
    return 1 if found else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 64
    found = list(breaches(sys.argv[1]))
    for breach in found:
        print(breach)
    print(f"house_rules: {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
