#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench [ROW ...]: one table row for each figure of docs/performance.md, ours against a peer in the
same run, in turn. A peer that is not installed is reported as missing, never assumed.

usage: run.py BIN_DIR [ROW ...]      rows: 1 2 3 4 5 6 7 8 9 10 11 12 13 (default: all; lynis in row 1 takes minutes: 1-lynis)
"""
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import measure as m
import rows_drift
import rows_idle
import rows_store
import rows_walk
import rows_watch

BIN = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
COLLECTORS = ("access_review", "patch_level", "backup_jobs", "config_drift")
OSCAP_CONTENT = "/usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml"
POSTGRES = "/usr/lib/postgresql/15/bin"


def program(name):
    return os.path.join(BIN, name)


class Agent:
    """A configured agent without a store, in a private directory."""

    def __init__(self, interval="5m", walk=False):
        self.dir = tempfile.mkdtemp(prefix="vouch-bench-")
        self.config = os.path.join(self.dir, "vouchd.yaml")
        options = "" if walk else ", options: { paths: [/etc/passwd, /etc/shadow, /etc/ssh/sshd_config] }"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"state_dir: {self.dir}/state\nruntime_dir: {self.dir}/run\ncollector_dir: {BIN}\nsplay: 0s\n"
                       f"packs: [{SOURCE}/policies/packs/linux-server]\ndestination: file://{self.dir}/out\ncollectors:\n")
            for name in COLLECTORS:
                file.write(f"  {name}: {{ interval: {interval}{options if name == 'config_drift' else ''} }}\n")
        os.makedirs(os.path.join(self.dir, "out"), exist_ok=True)

    def once(self):
        return [program("vouchd"), "--config", self.config, "--once"]

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def checks_judged():
    """How many checks the packs hold: the coverage of our side."""
    count = 0
    packs = os.path.join(SOURCE, "policies", "packs", "linux-server")
    for name in os.listdir(packs):
        with open(os.path.join(packs, name), encoding="utf-8") as file:
            count += sum(1 for line in file if line.strip().startswith("ref: "))
    return count


def row_1():
    agent = Agent()
    coverage = f"ours: {len(COLLECTORS)} collectors, {checks_judged()} checks, sealed and synced"
    try:
        if shutil.which("oscap") and os.path.exists(OSCAP_CONTENT):
            m.cpu_row("1", "full cycle without a walk, against oscap (Debian 11 profile, 44 rules)", agent.once(),
                      ["oscap", "xccdf", "eval", "--profile", "xccdf_org.ssgproject.content_profile_standard",
                       OSCAP_CONTENT], "<= 60 ms, >= 30x", coverage)
        else:
            m.row("1", "full cycle, against oscap", "", "missing", "", "")
    finally:
        agent.remove()


def row_1_lynis():
    agent = Agent()
    try:
        if shutil.which("lynis"):
            m.cpu_row("1", "full cycle without a walk, against lynis --quick", agent.once(),
                      ["lynis", "audit", "system", "--quick", "--no-log", "--report-file", "/dev/null"],
                      ">= 1000x", "", count=5)
        else:
            m.row("1", "full cycle, against lynis", "", "missing", "", "")
    finally:
        agent.remove()


def row_3():
    agent = Agent()
    try:
        m.run(agent.once())
        ours = statistics.median(m.peak_tree_mib(agent.once())[0] for _ in range(5))
        for name, argv in (("oscap", ["oscap", "xccdf", "eval", "--profile",
                                      "xccdf_org.ssgproject.content_profile_standard", OSCAP_CONTENT]),
                           ("apt list", ["apt", "list", "--upgradable"])):
            if not shutil.which(argv[0]):
                m.row("3", f"peak memory of a full cycle, against {name}", f"{ours:.1f} MiB", "missing", "<= 16 MiB", "")
                continue
            peer = statistics.median(m.peak_tree_mib(argv)[0] for _ in range(3))
            m.row("3", f"peak memory of a full cycle, all processes, against {name}", f"{ours:.1f} MiB",
                  f"{peer:.1f} MiB", "<= 16 MiB", f"{peer / ours:.1f}x")
    finally:
        agent.remove()


def with_agent(row, *arguments):
    agent = Agent()
    try:
        row(program("vouchd"), agent, *arguments)
    finally:
        agent.remove()


def row_4():
    with_agent(rows_idle.row_4)


def row_5():
    with_agent(rows_idle.row_5, COLLECTORS)


def row_8():
    with_agent(rows_watch.row_8, SOURCE, checks_judged())


def row_9():
    patch = program("patch_level")
    m.cpu_row("9", "installed packages, against dpkg-query", [patch, "--tables", "deb_packages"], ["dpkg-query", "-W"],
              "<= 5 ms")
    m.cpu_row("9", "pending updates, against apt list", [patch, "--tables", "package_updates"],
              ["apt", "list", "--upgradable"], "<= 100 ms")
    m.cpu_row("9", "pending updates, against apt-get -s", [patch, "--tables", "package_updates"],
              ["apt-get", "-s", "dist-upgrade"], "<= 100 ms")


def until(argv, done):
    """Seconds from the start of a daemon until done() says so; None after 20 s."""
    start = time.monotonic()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.monotonic() - start < 20:
            if done():
                return time.monotonic() - start
            time.sleep(0.0005)
        return None
    finally:
        process.terminate()
        process.wait(10)


def is_ready(agent):
    """The agent answers on its control socket: its state is open, its packs are loaded, it has begun."""
    try:
        rows_idle.ask(agent, command="status")
        return True
    except OSError:
        return False


def has_parcel(agent):
    outbox = os.path.join(agent.dir, "state", "outbox")
    return os.path.isdir(outbox) and any(name.endswith(".parcel") for name in os.listdir(outbox))


def row_10():
    agent = Agent()
    argv = [program("vouchd"), "--config", agent.config]
    try:
        ready = [until(argv, lambda: is_ready(agent)) for _ in range(6)][1:]
        sealed = []
        for _ in range(6):
            shutil.rmtree(os.path.join(agent.dir, "state"), ignore_errors=True)
            sealed.append(until(argv, lambda: has_parcel(agent)))
        facter = [m.run(["facter"]) for _ in range(5)] if shutil.which("facter") else []
        for name, times, target in (("start to ready (restart: state, packs and programs known)", ready, "<= 20 ms"),
                                    ("start to first signed bundle, new state", sealed[1:], "<= 150 ms")):
            if None in times:
                m.row("10", name, "failed", "", target, "")
                continue
            ours = statistics.median(times)
            peer = m.median(facter, "wall_s") if facter else None
            m.row("10", f"{name}, wall", m.milliseconds(ours), f"{m.milliseconds(peer)} (facter, wall)" if peer else
                  "facter: missing", target, f"{peer / ours:.1f}x" if peer else "")
    finally:
        agent.remove()


def as_postgres(argv):
    return (["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []) + argv


def postgres_inserts():
    """Transactions per second of plain 1 KB inserts by 32 clients, durable; or None."""
    if not os.path.exists(f"{POSTGRES}/initdb") or not os.path.exists(f"{POSTGRES}/pgbench"):
        return None
    scratch = tempfile.mkdtemp(prefix="vouch-bench-pg-")
    try:
        os.chmod(scratch, 0o755)
        if os.geteuid() == 0:
            shutil.chown(scratch, "postgres", "postgres")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", "check": True}
        subprocess.run(as_postgres([f"{POSTGRES}/initdb", "-D", f"{scratch}/data", "-A", "trust", "-U", "bench"]), **quiet)
        subprocess.run(as_postgres([f"{POSTGRES}/pg_ctl", "-D", f"{scratch}/data", "-w", "-l", f"{scratch}/log", "-o",
                                    f"-c listen_addresses= -c unix_socket_directories={scratch}", "start"]), **quiet)
        try:
            base = ["-h", scratch, "-U", "bench", "postgres"]
            subprocess.run(["psql", *base, "-c", "CREATE TABLE t(id bigserial PRIMARY KEY, body text)"], **quiet)
            script = os.path.join(scratch, "insert.sql")
            with open(script, "w", encoding="utf-8") as file:
                file.write("INSERT INTO t(body) VALUES (repeat('x', 1024));\n")
            done = subprocess.run([f"{POSTGRES}/pgbench", "-n", "-f", script, "-c", "32", "-j", "2", "-T", "5", *base],
                                  capture_output=True, text=True, check=True, cwd="/")
            for line in done.stdout.split("\n"):
                if line.startswith("tps = "):
                    return float(line.split()[2])
        finally:
            subprocess.run(as_postgres([f"{POSTGRES}/pg_ctl", "-D", f"{scratch}/data", "-m", "immediate", "stop"]),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", check=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return None


AGENTS, BUNDLES, CONNECTIONS = 64, 150, 64
VERIFIED = 313  # Bundles of each agent in the log that is verified: 20,032.


def ingest_load(store, agents, bundles, *options):
    """A new store on loopback in `store`, and one run of the load generator against it; what that printed last."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "check": True}
    subprocess.run([program("vouch-store"), "init", "--dir", store, "--origin", "bench.test/log1", "--host", "127.0.0.1",
                    "--listen", f"127.0.0.1:{port}"], **quiet)
    join = f"{store}.join"
    token = subprocess.run([program("vouch-store"), "token", "create", "--dir", store, "--uses", str(agents)], **quiet)
    with open(join, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(token.stdout)
    server = subprocess.Popen([program("vouch-store"), "serve", "--dir", store], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        done = subprocess.run([program("vouch-bench-ingest"), "--ca", f"{store}/tls/ca.crt", "--join", join, "--host",
                               "127.0.0.1", "--port", str(port), "--agents", str(agents), "--bundles", str(bundles),
                               "--connections", str(CONNECTIONS), *options], capture_output=True, text=True)
        return done.stdout.strip().split("\n")[-1] if done.returncode == 0 else f"failed: {done.stderr.strip()[-200:]}"
    finally:
        server.terminate()
        server.wait(30)


def row_12():
    if not os.path.exists(program("vouch-bench-ingest")):
        m.row("12", "ingest of signed bundles", "load generator not built", "", "", "")
        return
    scratch = tempfile.mkdtemp(prefix="vouch-bench-")
    try:
        for turn in range(3):
            store = os.path.join(scratch, f"store-{turn}")
            # Removed only at the end: for minutes ext4 looks at each inode that was freed before it takes a new one.
            ours, peer = ingest_load(store, AGENTS, BUNDLES), postgres_inserts()
            shown = "missing" if peer is None else f"{peer:.0f}/s (PostgreSQL 15, 32 clients, 1 KB, unsigned)"
            m.row("12", f"ingest: signed 2 KB bundles over TLS, durable before the receipt (run {turn + 1})", ours, shown,
                  ">= 3,000/s", "", f"{AGENTS} agents, {CONNECTIONS} connections, load generator on the same cores")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def row_11():
    rows_store.row_11(program("vouchd"), SOURCE, COLLECTORS)


def fill_store(scratch):
    """A store's directory with VERIFIED x AGENTS bundles, and the policy file to verify it by."""
    store = os.path.join(scratch, "store")
    said = ingest_load(store, AGENTS, VERIFIED)
    if said.startswith("failed"):
        raise RuntimeError(said)
    with open(f"{store}/log.vkey", encoding="utf-8") as vkey, open(f"{store}.policy", "w", encoding="utf-8") as policy:
        policy.write(f"log {vkey.read().strip()}\nquorum none\n")
    return store, f"{store}.policy"


def row_13():
    rows_store.row_13(program("vouch"), fill_store, AGENTS, VERIFIED)


ROWS = {"1": row_1, "1-lynis": row_1_lynis, "2": lambda: rows_walk.row_2(program("special_files")), "3": row_3, "4": row_4, "5": row_5,
        "6": lambda: rows_drift.rows_6_7(program("config_drift"), "6"), "7": lambda: rows_drift.rows_6_7(program("config_drift"), "7"),
        "8": row_8, "9": row_9, "10": row_10,
        "11": row_11, "12": row_12, "13": row_13}


def prepare_host():
    """As on a host where sshd runs: without this directory it refuses to say its settings, and is asked in vain
    at every cycle, instead of when they may have changed."""
    if os.geteuid() == 0 and os.path.exists("/usr/sbin/sshd"):
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)


def main():
    wanted = sys.argv[2:] or list(ROWS)
    unknown = [one for one in wanted if one not in ROWS]
    if unknown:
        print(f"bench: no row {unknown[0]}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 64
    print("| # | metric | ours | peer | ratio peer/ours | target | coverage |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    prepare_host()
    print(f"(load of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)", file=sys.stderr)
    for one in wanted:
        ROWS[one]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
