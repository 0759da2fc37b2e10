# SPDX-License-Identifier: Apache-2.0
"""Measuring whole processes against a peer, in turn (A B A B ...), and printing one row each."""
import os
import resource
import statistics
import subprocess
import threading
import time

SPREAD_MAX = 1.5  # A row counts only if the peer's own slowest and fastest run are this close.


class Run:
    def __init__(self, cpu_s, wall_s, code, output):
        self.cpu_s, self.wall_s, self.code, self.output = cpu_s, wall_s, code, output


def run(argv, env=None):
    """CPU of the process and all that it waited for, by the kernel's accounting."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, env=env)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return Run(cpu, wall, done.returncode, done.stdout)


def pairs(ours, peer, count=5, prepare=None):
    """Runs the two in turn after one warm-up each; returns the two lists of runs."""
    ours_runs, peer_runs = [], []
    for turn in range(count + 1):
        if prepare:
            prepare()
        mine = run(ours) if callable(ours) is False else ours()
        theirs = run(peer)
        if turn > 0:
            ours_runs.append(mine)
            peer_runs.append(theirs)
    return ours_runs, peer_runs


def median(runs, what="cpu_s"):
    return statistics.median(getattr(one, what) for one in runs)


def spread(runs, what="cpu_s"):
    values = [getattr(one, what) for one in runs]
    return max(values) / max(min(values), 1e-9)


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def row(number, name, ours, peer, target, ratio, note=""):
    print(f"| {number} | {name} | {ours} | {peer} | {ratio} | {target} | {note} |", flush=True)


def cpu_row(number, name, ours_argv, peer_argv, target, note="", count=5, ok=(0,)):
    """One row of the table: median CPU of both sides, and the ratio peer/ours."""
    ours, peer = pairs(ours_argv, peer_argv, count)
    bad = [one.code for one in ours if one.code not in ok]
    if bad:
        row(number, name, f"failed, exit {bad[0]}", "", target, "", ours[0].output[-200:].decode(errors="replace"))
        return False
    wide = spread(peer)
    verdict = f"{median(peer) / max(median(ours), 1e-9):.1f}x"
    if wide > SPREAD_MAX:
        verdict = f"does not count: the peer's own runs differ {wide:.1f}x"
    row(number, name, f"{milliseconds(median(ours))} CPU, {milliseconds(median(ours, 'wall_s'))} wall",
        f"{milliseconds(median(peer))} CPU, {milliseconds(median(peer, 'wall_s'))} wall", target, verdict, note)
    return True


def program_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


def tree_of(pid):
    """The process and its descendants, but for a child that is about to become another program: between
    vfork and exec it has its parent's memory, which would count twice."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            with open(f"/proc/{one}/task/{one}/children") as file:
                children = [int(child) for child in file.read().split()]
        except OSError:
            continue
        mine = program_of(one) if children else None
        todo += [child for child in children if program_of(child) != mine]
    return found


def rss_kib(pid, what="VmRSS:"):
    """(RSS, anonymous) of a process in KiB, or (0, 0) if it has gone. `what` may be VmHWM:, its peak."""
    rss = anonymous = 0
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith(what):
                    rss = int(line.split()[1])
                elif line.startswith("RssAnon:"):
                    anonymous = int(line.split()[1])
    except OSError:
        pass
    return rss, anonymous


def peak_tree_mib(argv):
    """Largest sum of the resident sizes of the command and its children at one moment, sampled.

    Shared pages count once for each process, so this is an upper bound of the memory in use. What the
    kernel calls the peak of one process is a lower bound; the larger one counts. (Not ru_maxrss: that
    begins with what this interpreter had when it started the command.)
    """
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()

    def reap():
        process.wait()
        done.set()

    thread = threading.Thread(target=reap)
    thread.start()
    while not done.is_set():
        tree = tree_of(process.pid)
        peak = max(peak, sum(rss_kib(pid)[0] for pid in tree), *(rss_kib(pid, "VmHWM:")[0] for pid in tree))
        time.sleep(0.0005)
    thread.join()
    return peak / 1024, process.returncode
