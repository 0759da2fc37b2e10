#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the manual pages: what the programs say of themselves, and docs/configuration.md, in the
frame of the *.in beside this file. So no page can tell of an option that is not there.

Usage: make_man.py BIN_DIR SOURCE_TREE OUT_DIR

A frame is man(7) with lines of its own:
  @synopsis PROGRAM   the usage line of PROGRAM --help
  @options PROGRAM    the rest of it
  @commands PROGRAM   each command of PROGRAM help, and its help
  @markdown FILE      a page of docs/
"""
import os
import re
import subprocess
import sys

OPTION = re.compile(r"^  (-\S.*?)\s{2,}(\S.*)$")
COMMAND = re.compile(r"^  ([a-z]+(?: [a-z]+)?)\s{2,}\S")
SECONDS_MAX = 60


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith((".", "'")) else text


def said_by(bin_dir, program, *words):
    ran = subprocess.run([os.path.join(bin_dir, program), *words], capture_output=True, text=True, check=True,
                         timeout=SECONDS_MAX)
    return ran.stdout.rstrip("\n").split("\n")


def tagged(tag, text):
    return [".TP", ".B " + tag, text]


def options(lines):
    """Lines of a help text: options become tagged paragraphs; indented lines stay as they are."""
    out, verbatim = [], False

    def end_verbatim():
        nonlocal verbatim
        if verbatim:
            out.append(".EE")
        verbatim = False

    in_option = False
    for line in lines:
        option = OPTION.match(line)
        if option:
            end_verbatim()
            out += tagged(escape(option.group(1)), escape(option.group(2)))
        elif in_option and line.startswith("      "):
            out.append(escape(line.strip()))
            continue
        elif line.startswith(" "):
            if not verbatim:
                out += [".PP", ".EX"]
            verbatim = True
            out.append(escape(line))
        else:
            end_verbatim()
            if not line:
                out.append(".PP")
            elif line not in ("Options:", "Example:"):
                out.append(escape(line))
        in_option = option is not None
    end_verbatim()
    return out


def synopsis(lines):
    usage = []
    for line in lines:
        if not line:
            break
        usage.append(escape(re.sub(r"^(usage: |\s+)", "", line)))
    return [".nf", *usage, ".fi"]


def after_usage(lines):
    return lines[lines.index("") + 1:] if "" in lines else []


def commands(bin_dir, program):
    overview = said_by(bin_dir, program, "help")
    end = overview.index("", overview.index("Commands:"))
    out = []
    for line in overview[overview.index("Commands:") + 1:end]:
        match = COMMAND.match(line)
        if not match or match.group(1).startswith("help"):
            continue
        text = said_by(bin_dir, program, "help", *match.group(1).split())
        out += [".SS " + escape(text[0]), *options(after_usage(text))]
    return out + [".SS Everywhere", *options(overview[end + 1:])]


def plain(text):
    """A line of Markdown, without its marks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(\*\*|`|(?<!\w)\*|\*(?!\w))", "", text).replace("\\|", "|").strip()


def row(line):
    return [plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def markdown(lines):
    out, header, fenced = [], None, False
    for line in lines:
        if line.startswith("```"):
            fenced = not fenced
            out += [".PP", ".EX"] if fenced else [".EE"]
        elif fenced:
            out.append(escape(line))
        elif line.startswith("|"):
            cells = row(line)
            if header is None:
                header = cells
            elif not set("".join(cells)) <= set(":- "):
                notes = dict(zip(header[1:], cells[1:]))
                default = notes.pop("default", "")
                text = "; ".join(note for note in notes.values() if note)
                out += tagged(escape(cells[0]), escape(text + (f" (default: {default})" if default else "")))
        else:
            header = None
            if line.startswith("# "):
                continue
            if line.startswith("#"):
                out.append(".SH " + escape(plain(line.lstrip("#")).upper()))
            elif line.startswith("- "):
                out += [".IP \\(bu 2", escape(plain(line[2:]))]
            else:
                out.append(escape(plain(line)) if line else ".PP")
    return out


def page(frame, bin_dir, source):
    out = []
    for line in frame:
        if not line.startswith("@"):
            out.append(line)
            continue
        what, name = line[1:].split()
        if what == "synopsis":
            out += synopsis(said_by(bin_dir, name, "--help"))
        elif what == "options":
            out += options(after_usage(said_by(bin_dir, name, "--help")))
        elif what == "commands":
            out += commands(bin_dir, name)
        elif what == "markdown":
            with open(os.path.join(source, name), encoding="utf-8") as file:
                out += markdown(file.read().rstrip("\n").split("\n"))
        else:
            raise SystemExit(f"make_man.py: @{what} is not known")
    # Two breaks in a row are one; a break before a heading, or what begins a paragraph, is none.
    text = "\n".join(out) + "\n"
    text = re.sub(r"(?:\.PP\n)+(?=\.(?:PP|SH|SS|TP|IP)\b)", "", text)
    return re.sub(r"(\.S[HS] .*\n)\.PP\n", r"\1", text)


def main():
    bin_dir, source, out_dir = sys.argv[1:]
    version = said_by(bin_dir, "vouchd", "--version")[0].split()[-1]
    here = os.path.dirname(os.path.abspath(__file__))
    os.makedirs(out_dir, exist_ok=True)
    for name in sorted(os.listdir(here)):
        if not name.endswith(".in"):
            continue
        with open(os.path.join(here, name), encoding="utf-8") as file:
            frame = file.read().replace("@VERSION@", version).rstrip("\n").split("\n")
        with open(os.path.join(out_dir, name[:-3]), "w", encoding="utf-8") as file:
            file.write(page(frame, bin_dir, source))


main()
