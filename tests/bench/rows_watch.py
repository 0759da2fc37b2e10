# SPDX-License-Identifier: Apache-2.0
"""Row 8: how soon a change of a watched file is signed and durable."""
import ctypes
import os
import select
import statistics
import subprocess
import time

import measure as m

WATCH_SAMPLES, DEBOUNCE_S = 50, 0.5


class Arrivals:
    """Tells when a file is renamed into a directory: inotify, so that waiting costs nothing."""

    def __init__(self, directory):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK)
        self.libc.inotify_add_watch(self.fd, directory.encode(), 0x80)  # IN_MOVED_TO

    def drain(self):
        try:
            while os.read(self.fd, 65536):
                pass
        except BlockingIOError:
            pass

    def next(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return None
        now = time.monotonic()
        self.drain()
        return now

    def close(self):
        os.close(self.fd)


def watch_latencies(vouchd, agent, watched):
    """Seconds from a written file to the parcel of the bundle that has the run, less the debounce."""
    process = subprocess.Popen([vouchd, "--config", agent.config], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    outbox = os.path.join(agent.dir, "state", "outbox")
    arrivals = None
    try:
        while not (os.path.isdir(outbox) and any(name.endswith(".parcel") for name in os.listdir(outbox))):
            time.sleep(0.05)
        arrivals = Arrivals(outbox)
        found = []
        for turn in range(WATCH_SAMPLES + 1):
            time.sleep(2.5)  # Two bundles are never closer than 2 s.
            arrivals.drain()
            with open(os.path.join(watched, "sshd_config"), "w", encoding="ascii") as file:
                file.write(f"# {turn}\n")
            written = time.monotonic()
            sealed = arrivals.next(10)
            if sealed is None:
                return None
            if turn > 0:  # The first one reads everything.
                found.append(sealed - written - DEBOUNCE_S)
        return found
    finally:
        if arrivals:
            arrivals.close()
        process.terminate()
        process.wait(10)


def row_8(vouchd, agent, source, checks):
    watched = os.path.join(agent.dir, "etc")
    os.mkdir(watched)
    for number in range(200):
        with open(os.path.join(watched, f"file{number}"), "w", encoding="ascii") as file:
            file.write("x" * 1000)
    bin_dir = os.path.dirname(vouchd)
    with open(agent.config, "w", encoding="utf-8") as file:
        file.write(f"state_dir: {agent.dir}/state\nruntime_dir: {agent.dir}/run\ncollector_dir: {bin_dir}\nwatch_gap: 1s\n"
                   f"packs: [{source}/policies/packs/linux-server]\nwatch_debounce: 500ms\ncollectors:\n"
                   f"  config_drift@watched: {{ interval: 1d, program: {bin_dir}/config_drift, tables: [file_hashes], "
                   f"watch: [{watched}], options: {{ paths: [{watched}] }} }}\n")
    found = watch_latencies(vouchd, agent, watched)
    if found is None:
        m.row("8", "a watched file is written to its signed, durable record", "failed", "", "<= 10 ms", "")
        return
    found.sort()
    p99 = found[min(len(found) - 1, int(len(found) * 0.99))]
    m.row("8", "a watched file is written to its signed, durable record, less the debounce",
          f"{m.milliseconds(p99)} p99, {m.milliseconds(statistics.median(found))} median", "none does it", "<= 10 ms p99", "",
          f"{len(found)} writes; an instance of config_drift for the table file_hashes, {checks} checks loaded; "
          "to the parcel's rename")
