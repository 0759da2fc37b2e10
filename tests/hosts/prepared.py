# SPDX-License-Identifier: Apache-2.0
"""Root file systems with known facts and planted traps, and the programs run on them.

A root that takes long to make is made once and kept in VOUCH_HOSTS_CACHE (the build directory); each test
plants into a copy. What cannot be made on this machine is said, and its tests are skipped.
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

BIN = os.path.abspath(os.environ.get("VOUCH_BIN_DIR", "build/dev/bin"))
SOURCE = os.path.abspath(os.environ.get("VOUCH_SOURCE_DIR", "."))
CACHE = os.path.abspath(os.environ.get("VOUCH_HOSTS_CACHE", os.path.join(BIN, "..", "hosts")))
TIME_LIMIT_S = 60  # Nothing that lies in a root may hold a collector for longer.
COLLECTORS = ("access_review", "patch_level", "backup_jobs", "config_drift", "special_files", "package_files", "rpm_packages")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
               "ASAN_OPTIONS": "detect_leaks=0"}


class Skip(Exception):
    """This machine cannot make the root."""


def program(name):
    return os.path.join(BIN, name)


def start(argv, **more):
    done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise Skip(f"{argv[0]} failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout.decode(errors="replace")


class Image:
    """A root to plant into; paths are absolute inside it. "\\udcff" is the byte ff."""

    def __init__(self, base=None):
        self.dir = tempfile.mkdtemp(prefix="vouch-host-")
        self.path = os.path.join(self.dir, "root")
        if base:
            start(["cp", "-a", "--reflink=auto", base, self.path])
        else:
            os.makedirs(self.path)

    def at(self, path):
        inner = path.encode() if isinstance(path, str) else path
        return self.path.encode() + inner

    def parent(self, path):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)

    def file(self, path, content="", mode=0o644, uid=0, gid=0):
        self.parent(path)
        with open(self.at(path), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chown(self.at(path), uid, gid)
        os.chmod(self.at(path), mode)
        return self

    def append(self, path, content):
        with open(self.at(path), "ab") as file:
            file.write(content.encode("utf-8", "surrogateescape"))
        return self

    def link(self, path, target):
        self.parent(path)
        if os.path.lexists(self.at(path)):
            os.unlink(self.at(path))
        os.symlink(target, self.at(path))
        return self

    def node(self, path, kind, major=0, minor=0):
        self.parent(path)
        if os.path.lexists(self.at(path)):
            os.unlink(self.at(path))
        os.mknod(self.at(path), kind | 0o666, os.makedev(major, minor))
        return self

    def remove(self):
        shutil.rmtree(self.dir.encode(), ignore_errors=True)

    def run_inside(self, argv, check=True):
        """A tool of the root's own, in it: the judge of what the collectors say of it."""
        done = subprocess.run(["chroot", self.path, *argv], capture_output=True, stdin=subprocess.DEVNULL,
                              env=ENVIRONMENT, timeout=TIME_LIMIT_S)
        if check and done.returncode != 0:
            raise AssertionError(f"{argv}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="replace")


class Answer:
    def __init__(self, value, seconds):
        self.value, self.seconds = value, seconds
        self.tables = {name: table["rows"] for name, table in value["tables"].items()}
        self.errors = {name: f"{error['code']}: {error['message']}" for name, error in value["errors"].items()}
        self.gaps = self.tables.get("gaps", [])

    def rows(self, table, **wanted):
        if table not in self.tables:
            raise AssertionError(f"{table}: {self.errors.get(table, 'no such table')}")
        return [row for row in self.tables[table] if all(row.get(name) == value for name, value in wanted.items())]

    def row(self, table, **wanted):
        found = self.rows(table, **wanted)
        if len(found) != 1:
            raise AssertionError(f"{table} {wanted}: {len(found)} rows: {found or self.tables[table][:40]}; gaps {self.gaps}")
        return found[0]

    def gap(self, table, part):
        """The gaps of a table whose object has `part` in it."""
        return [one for one in self.gaps if one["table_name"] == table and part in one["object"]]


def run_limited(argv, seconds=TIME_LIMIT_S):
    """Ends all that was started when the time is over: a program that hangs is a failed test and no hung one."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=ENVIRONMENT, start_new_session=True)
    begin = time.monotonic()
    try:
        out, error = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(f"{argv} did not end within {seconds} s") from None
    return process.returncode, out, error.decode(errors="replace"), time.monotonic() - begin


def collect(collector, root=None, tables=(), config=None, prefix=()):
    """`vouch collect`, as an administrator calls it."""
    argv = [*prefix, program("vouch"), "collect", collector, "--format", "json"]
    for table in tables:
        argv += ["--table", table]
    if root:
        argv += ["--root", root]
    if config:
        argv += ["--config", config]
    code, out, error, seconds = run_limited(argv)
    if code not in (0, 2):
        raise AssertionError(f"{argv}: exit {code}: {error[-2000:]}")
    return Answer(json.loads(out), seconds)


def ask(collector, tables, root="/", cache_dir=None, options=None, seconds=300, prefix=()):
    """One request, as the daemon makes it: {table: rows}, with "errors"."""
    request = {"protocol": 1, "tables": [*tables, "gaps"], "options": options or {}, "root": root, "deadline_ms": seconds * 1000}
    if cache_dir:
        request["cache_dir"] = cache_dir
    done = subprocess.run([*prefix, program(collector)], input=json.dumps(request).encode() + b"\n", capture_output=True, timeout=seconds + 20,
                          env=ENVIRONMENT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{collector}: exit {done.returncode}: {done.stderr.decode(errors='replace')}")
    answer, table = {"errors": {}}, None
    for line in done.stdout.splitlines():
        value = json.loads(line)
        if "row" in value:
            answer[table].append(value["row"])
        elif "table" in value:
            table = value["table"]
            answer[table] = []
        elif "error" in value:
            answer["errors"][value["error"]["table"]] = value["error"]
    return answer


def query(sql, root):
    code, out, error, _ = run_limited([program("vouch"), "query", "--root", root, "--format", "json", sql])
    if code not in (0, 2):
        raise AssertionError(f"query {sql}: exit {code}: {error[-2000:]}")
    return json.loads(out)


def require_root():
    if os.geteuid() != 0:
        raise Skip("only root can make these file systems")


def mirror():
    """The address that this machine's own apt has Debian's main archive from."""
    listed = start(["apt-get", "indextargets", "--format", "$(CREATED_BY)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)"])
    for line in listed.splitlines():
        kind, address, codename, component = (line.split("|") + [""] * 4)[:4]
        if (kind, codename, component) == ("Packages", "bookworm", "main"):
            return address
    raise Skip("this machine's apt knows no archive of Debian 12")


def debian():
    """A minimal Debian 12 with sudo and sshd; made once."""
    require_root()
    path = os.path.join(CACHE, "debian12")
    if os.path.exists(os.path.join(path, "usr/sbin/sshd")) and os.path.exists(os.path.join(path, "var/lib/dpkg/status")):
        return path
    if not shutil.which("debootstrap"):
        raise Skip("debootstrap is not installed")
    os.makedirs(CACHE, exist_ok=True)
    half = path + ".part"
    shutil.rmtree(half, ignore_errors=True)
    try:
        start(["debootstrap", "--variant=minbase", "--include=sudo,openssh-server", "bookworm", half, mirror()],
              timeout=900)
    except (Skip, subprocess.TimeoutExpired):
        shutil.rmtree(half, ignore_errors=True)
        raise Skip("debootstrap could not fetch Debian 12") from None
    os.rename(half, path)
    return path
