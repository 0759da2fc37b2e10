# SPDX-License-Identifier: Apache-2.0
"""What a collector opens in a root, by strace, and what becomes of its answer when something else lies there."""
import os
import re
import shutil
import stat

import prepared as p

OPENED = re.compile(rb'openat2\((\d+), "((?:[^"\\]|\\.)*)", \{flags=([^,]*), resolve=([^}]*)\}, \d+\) = (-?\d+)')
PLAIN = re.compile(rb'(?:openat|open)\((?:AT_FDCWD, )?"((?:[^"\\]|\\.)*)", ([A-Z_|]+).*\) = (\d+)')
RELATIVE = re.compile(rb'openat\((\d+), "((?:[^"\\]|\\.)*)", ([A-Z_|]+).*\) = \d')
# What each program opens to run at all: libraries, and what it asks of itself.
OWN = re.compile(rb"(/lib|/usr/lib|/usr/local/lib)(64)?/|/etc/ld\.so|/proc/self/|/proc/\d+/(task|maps)|/dev/null$|/$")


def traced(collector, root, log):
    """The lines of strace(1) of one run of the collector, all tables."""
    p.run_limited(["strace", "-f", "-qq", "-s", "4096", "-e", "trace=execve,open,openat,openat2,connect,socket", "-o", log,
                   p.program(collector), "--root", root])
    with open(log, "rb") as file:
        return file.read().splitlines()


def breaches(lines, root):
    """What a run did that no run on an image may do."""
    execs = [line for line in lines if b"execve(" in line]
    yield from execs[1:]
    opened_as = {}  # What a descriptor stands for: of this host only the mounts are read.
    for line in lines:
        if re.search(rb"O_WRONLY|O_RDWR|O_CREAT", line) and not re.search(rb'"/dev/null"|= -1 ', line):
            yield line
        if b"connect(" in line or b"socket(" in line:
            yield line
        inside, plain, relative = OPENED.search(line), PLAIN.search(line), RELATIVE.search(line)
        if inside and (b"RESOLVE_IN_ROOT" not in inside[4] or
                       (opened_as.get(inside[1]) != root.encode() and unescape(inside[2]) != b"/proc/self/mounts")):
            yield line
        if plain:
            opened_as[plain[3]] = plain[1]
        if plain and not OWN.match(plain[1]) and not plain[1].startswith(root.encode()):
            yield line
        if relative and (b"O_NOFOLLOW" not in relative[3] or b"/" in relative[2]):
            yield line


def unescape(text):
    return re.sub(rb"\\([0-7]{1,3}|.)", lambda found: bytes([int(found[1], 8)]) if found[1].isdigit() else
                  {b"n": b"\n", b"t": b"\t"}.get(found[1], found[1]), text)


def files_read(lines, image):
    """Paths of the regular files that were opened in the root, by their own name."""
    found = set()
    for line in lines:
        opened = OPENED.search(line)
        if opened and int(opened[5]) >= 0 and b"O_DIRECTORY" not in opened[3]:
            path = unescape(opened[2])
            if os.path.lexists(image.at(path)) and stat.S_ISREG(os.lstat(image.at(path)).st_mode):
                found.add(path)
    return sorted(found)


def big_file(path):
    with open(path, "wb") as file:
        file.truncate(50 << 20)


def text_file(content):
    def make(path):
        with open(path, "wb") as file:
            file.write(content)
    return make


def make_node(kind, major=0, minor=0):
    return lambda path: os.mknod(path, kind | 0o666, os.makedev(major, minor))


def traps(outside):
    """What may lie where a file is expected, by name. The device 240:7 has no driver: opened, it is an error."""
    return {
        "fifo": make_node(stat.S_IFIFO), "zero": make_node(stat.S_IFCHR, 1, 5), "terminal": make_node(stat.S_IFCHR, 5, 0),
        "device": make_node(stat.S_IFCHR, 240, 7), "disk": make_node(stat.S_IFBLK, 240, 7), "socket": make_node(stat.S_IFSOCK),
        "loop": lambda path: os.symlink(os.path.basename(path), path), "way out": lambda path: os.symlink(outside, path),
        "directory": os.mkdir, "50 MB": big_file, "zeros": text_file(bytes(70000)), "line": text_file(b"\xff=(" * 200000),
        "words": text_file(b"% \\\n[@#\"'$(\x00:{ \xc3\x28 ALL=(ALL)\n" * 500),
    }


class Planted:
    """A file of the image, replaced by a trap for a while."""

    def __init__(self, image, path, make):
        self.path, self.make = image.at(path), make

    def __enter__(self):
        os.rename(self.path, self.path + b".kept")
        self.make(self.path)

    def __exit__(self, *_):
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            shutil.rmtree(self.path)
        else:
            os.unlink(self.path)
        os.rename(self.path + b".kept", self.path)
