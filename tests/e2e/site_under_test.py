# SPDX-License-Identifier: Apache-2.0
"""A whole site in one private directory, through the built programs alone: a store on loopback with
TLS, and hosts that are enrolled with it. Used by the end-to-end and fault tests.

Programs are found in $VOUCH_BIN_DIR, the source tree in $VOUCH_SOURCE_DIR (CTest sets both).
"""
import base64
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

BIN = os.environ["VOUCH_BIN_DIR"]
SOURCE = os.environ["VOUCH_SOURCE_DIR"]
ORIGIN = "store.test/log1"
WAIT_S = 60


class Finished:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[-2000:]}\nstderr: {self.err[-2000:]}"


def program(name):
    return os.path.join(BIN, name)


def run(argv, stdin="", env=None, timeout=120):
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout,
                          errors="replace", env=None if env is None else {**os.environ, **env})
    return Finished(done)


def must(argv, **options):
    done = run(argv, **options)
    if done.code != 0:
        raise AssertionError(f"{' '.join(argv)}: {done}")
    return done


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def write(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


class Store:
    def __init__(self, directory):
        self.dir, self.port, self.process = directory, free_port(), None
        must([program("vouch-store"), "init", "--dir", self.dir, "--origin", ORIGIN,
              "--host", "127.0.0.1", "--listen", f"127.0.0.1:{self.port}"])

    def start(self, env=None, prefix=(), options=()):
        """With a prefix (a tracer) it may end before it listens: that is then the test's wish."""
        with open(self.dir + ".log", "ab") as log:
            self.process = subprocess.Popen([*prefix, program("vouch-store"), "serve", "--dir", self.dir, *options],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})}, start_new_session=True)
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                if prefix:
                    return self
                raise AssertionError("vouch-store ended: " + open(self.dir + ".log").read()[-2000:])
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError("vouch-store does not listen")

    def stop(self, how=signal.SIGTERM):
        """Ends the store and what it was started with (a session of its own)."""
        if self.process and self.process.poll() is None:
            group = self.process.pid
            os.killpg(group, how)
            self.process.wait(WAIT_S)
            until = time.monotonic() + WAIT_S
            while time.monotonic() < until:  # What a tracer traced ends after it, and has the store open.
                try:
                    os.killpg(group, 0)
                    time.sleep(0.01)
                except ProcessLookupError:
                    break
        self.process = None

    def join_string(self, *options):
        return must([program("vouch-store"), "token", "create", "--dir", self.dir, *options]).out.strip()

    def policy(self):
        """The policy file, an auditor's anchor, kept outside the store's directory."""
        with open(self.dir + "/log.vkey", encoding="utf-8") as file:
            vkey = file.read().strip()
        return write(self.dir + ".policy", f"log {vkey}\nquorum none\n")


class Host:
    """An agent with its own state. `collectors` is the YAML text below `collectors:`."""

    def __init__(self, directory, name="host-a", collectors=None, extra=""):
        self.dir, self.name = directory, name
        os.makedirs(directory, mode=0o700)
        self.config = os.path.join(directory, "vouchd.yaml")
        packs = os.path.join(SOURCE, "policies", "packs", "linux-server")
        if collectors is None:
            collectors = "".join(f"  {one}: {{ interval: 5m }}\n" for one in
                                 ("access_review", "patch_level", "backup_jobs", "config_drift"))
        write(self.config, f"state_dir: {directory}/state\nruntime_dir: {directory}/run\nhost: {name}\n"
                           f"collector_dir: {BIN}\npacks: [{packs}]\nsplay: 0s\n{extra}collectors:\n{collectors}")

    def vouch(self, *arguments, **options):
        return run([program("vouch"), *arguments, "--config", self.config], **options)

    def enrol(self, join):
        done = self.vouch("enroll", stdin=join + "\n")
        if done.code != 0:
            raise AssertionError(f"vouch enroll: {done}")
        return done

    def once(self, env=None, prefix=()):
        return run([*prefix, program("vouchd"), "--config", self.config, "--once"], env=env)

    def ship(self, env=None, prefix=()):
        return run([*prefix, program("vouch-ship"), "--state", self.dir + "/state", "--runtime", self.dir + "/run",
                    "--once"], env=env)

    def listing(self, *parts):
        path = os.path.join(self.dir, *parts)
        return sorted(os.listdir(path)) if os.path.isdir(path) else []

    def parcels(self):
        return [one for one in self.listing("state", "outbox") if one.endswith(".parcel")]

    def kept(self):
        return [one for one in self.listing("state", "kept") if one.endswith(".parcel")]


class Site:
    """Use as a context manager: everything is stopped and removed at the end."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="vouch-e2e-")
        self.store = Store(os.path.join(self.dir, "store"))
        self.hosts = []
        return self

    def host(self, name="host-a", **options):
        host = Host(os.path.join(self.dir, name), name, **options)
        self.hosts.append(host)
        return host

    def script(self, name, text):
        """A collector of the test's own."""
        path = os.path.join(self.dir, name)
        write(path, text, 0o755)
        return path

    def verify(self, *options, directory=None):
        """Of the store's directory, with the store stopped: it is all that a verifier needs."""
        running = self.store.process is not None and directory is None
        if running:
            self.store.stop()
        done = run([program("vouch"), "verify", directory or self.store.dir, "--policy", self.store.policy(),
                    *options])
        if running:
            self.store.start()
        return done

    def __exit__(self, *_):
        self.store.stop(signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)


def tiny_collector(rows=1):
    """A collector in a few lines of shell: table `things`, the protocol's every line."""
    manifest = {
        "protocol": 1, "name": "tiny", "version": "1", "title": "A test's own", "interval_s": 60,
        "deadline_s": 10, "options": {"type": "object"}, "needs": {"network": False, "cache_dir": False},
        "tables": [{"name": "things", "title": "Things", "key": ["name"], "volatile": False,
                    "needs": {"capabilities": []},
                    "columns": [{"name": "name", "type": "text", "title": "Name"}]}]}
    lines = ['{"table":"things"}']
    lines += ['{"row":{"name":"%d"}}' % number for number in range(rows)]
    lines += ['{"table":"gaps"}', '{"end":{"rows":{"things":%d,"gaps":0},"unchanged":0,"errors":0}}' % rows]
    return ("#!/bin/sh\nif [ \"$1\" = --describe ]; then\ncat <<'END'\n" + json.dumps(manifest) +
            "\nEND\nexit 0\nfi\nread -r request\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")


def is_root():
    return os.geteuid() == 0


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def statement_of(parcel):
    """The decoded payload of a parcel, read as an auditor would: tar, base64, JSON."""
    envelope = json.loads(must(["tar", "--zstd", "-xOf", parcel, "envelope.json"]).out)
    return json.loads(base64.b64decode(envelope["payload"]))


def blobs_of(parcel):
    return [one for one in must(["tar", "--zstd", "-tf", parcel]).out.split("\n") if one.startswith("blobs/")]


def records_of(host):
    """All records that the host has sealed and still has, in order."""
    found = []
    for folder in ("kept", "outbox"):
        for name in host.listing("state", folder):
            if name.endswith(".parcel"):
                found.append((name, os.path.join(host.dir, "state", folder, name)))
    return [record for _, path in sorted(found) for record in statement_of(path)["predicate"]["records"]]
