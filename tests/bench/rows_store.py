# SPDX-License-Identifier: Apache-2.0
"""Rows 11 and 13: what a quiet host sends in a day, and how fast a whole log is verified."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import measure as m
import rows_idle

HOURS = 24
CYCLES_PER_HOUR = 12
SEGMENT_BYTES = 1448
HEADER_BYTES = 52              # IP, TCP and its timestamps.
CONNECTION_PACKETS = 7         # Three to open, four to close.


class CountingProxy:
    """Passes TCP on to a port of loopback, and counts."""

    def __init__(self, port):
        self.to, self.bytes, self.connections, self.packets = port, 0, 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            with self.lock:
                self.connections += 1
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    def copy(self, source, sink):
        try:
            while chunk := source.recv(65536):
                with self.lock:
                    self.bytes += len(chunk)
                    self.packets += 2 * (-(-len(chunk) // SEGMENT_BYTES))  # Each is acknowledged.
                sink.sendall(chunk)
        except OSError:
            pass
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def total(self):
        """With what TCP and IP add, by arithmetic."""
        return self.bytes + HEADER_BYTES * (self.packets + CONNECTION_PACKETS * self.connections)

    def close(self):
        self.listener.close()


def compressed_envelope(host):
    """Bytes of the envelope of the newest parcel, alone and compressed: a full statement of all runs."""
    name = (host.parcels() + host.kept())[-1]
    folder = "outbox" if name in host.parcels() else "kept"
    path = os.path.join(host.dir, "state", folder, name)
    envelope = subprocess.run(["tar", "--zstd", "-xOf", path, "envelope.json"], capture_output=True, check=True).stdout
    return len(subprocess.run(["zstd", "-c"], input=envelope, capture_output=True, check=True).stdout)


def row_11(vouchd, source, collectors):
    os.environ.update(VOUCH_BIN_DIR=os.path.dirname(vouchd), VOUCH_SOURCE_DIR=source)
    sys.path.insert(0, os.path.join(source, "tests", "e2e"))
    import site_under_test as site_module

    with site_module.Site() as site:
        site.store.start()
        # We are the clock: nothing is due by itself while the day is gone through.
        host = site.host(extra="heartbeat: 24h\n", collectors="".join(f"  {one}: {{ interval: 1d }}\n" for one in collectors))
        host.enrol(site.store.join_string())
        proxy = CountingProxy(site.store.port)
        known = os.path.join(host.dir, "state", "store.json")
        with open(known, encoding="utf-8") as file:
            text = file.read().replace(f":{site.store.port}", f":{proxy.port}")
        site_module.write(known, text)
        with rows_idle.daemon([vouchd, "--config", host.config]) as process:
            if process is None:
                m.row("11", "wire bytes of a quiet day", "failed", "", "<= 250 KB", "")
                return

            def hour(cycles):
                for _ in range(cycles):
                    for name in collectors:
                        rows_idle.ask(host, command="collect", collector=name)
                rows_idle.ask(host, command="seal")
                full = compressed_envelope(host)
                host.ship()
                return full

            full = hour(1)
            first = proxy.total()
            for _ in range(HOURS):
                hour(CYCLES_PER_HOUR)
            day, connections = proxy.total() - first, proxy.connections
        proxy.close()
        sealed = len(host.kept()) + len(host.parcels())
        m.row("11", f"wire bytes of a quiet day: {HOURS * CYCLES_PER_HOUR} cycles, {sealed} bundles, {connections} connections",
              f"{(day + full) / 1000:.0f} KB", "full snapshots 17 MB (arithmetic)", "<= 250 KB", "",
              f"both ways with TLS, TCP and IP; {full / 1000:.1f} KB of it: all runs said in full once a day; "
              f"first contact besides: {first / 1000:.0f} KB")


def openssl_verifications(threads):
    """Ed25519 verifications per second by `openssl speed`, all threads together; or None."""
    if not shutil.which("openssl"):
        return None
    done = subprocess.run(["openssl", "speed", "-seconds", "3", "-multi", str(threads), "ed25519"],
                          capture_output=True, text=True)
    found = re.search(r"Ed25519\)?\s+\S+\s+\S+\s+\S+\s+(\d+(?:\.\d+)?)\s*$", done.stdout, re.MULTILINE)
    return float(found.group(1)) if found else None


def row_13(vouch, fill_store, agents, bundles):
    """`fill_store(scratch)` makes a store's directory with agents x bundles in it, and returns it."""
    scratch = tempfile.mkdtemp(prefix="vouch-bench-")
    try:
        directory, policy = fill_store(scratch)
        count = agents * bundles
        ours, peers = [], []
        for _ in range(3):
            start = time.monotonic()
            run = m.run([vouch, "verify", directory, "--policy", policy])
            ours.append((count / (time.monotonic() - start), run))
            peers.append(openssl_verifications(2))
        rate, run = sorted(ours, key=lambda one: one[0])[1]
        if run.code != 0:
            m.row("13", "verification of a whole log", f"failed, exit {run.code}", "", ">= 12,000/s", "")
            return
        peer = None if None in peers else sorted(peers)[1]
        m.row("13", f"verification of a whole log, {count:,} bundles of 2 KB", f"{rate:,.0f}/s, {run.cpu_s / count * 1e6:.0f} us CPU each",
              "missing" if peer is None else f"{peer:,.0f}/s (openssl speed -multi 2 ed25519)", ">= 12,000/s",
              "" if peer is None else f"{rate / peer:.2f}x of it", "signatures, chains, coverage and tree; every file read")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
