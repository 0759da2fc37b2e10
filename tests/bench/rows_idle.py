# SPDX-License-Identifier: Apache-2.0
"""Rows 4 and 5: what a daemon costs that has nothing to do, and one that has a cycle every five minutes."""
import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

import measure as m

SETTLE_S = 6
IDLE_S = 30
CYCLES_PER_HOUR = 12
NODE_EXPORTER_PORT = 19100
ZABBIX_PORT = 19150
ZABBIX_KEYS = ("system.cpu.load[all,avg1]", "vm.memory.size[available]", "vfs.fs.size[/,pused]", "proc.num[]",
               "system.uptime", "net.if.in[lo]", "system.users.num", "vfs.dev.read[,ops]")
SCRAPE_S = 15  # As often as Prometheus asks by default.


@contextlib.contextmanager
def daemon(argv):
    """The running process after it has settled; None if it has ended."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(SETTLE_S)
        yield process if process.poll() is None else None
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def used(pid):
    """Seconds of CPU of the process and of its children that have ended, and how often it slept."""
    cpu, switches = 0.0, 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as file:
            cpu += int(file.read().split()[0]) / 1e9
        with open(f"/proc/{pid}/task/{task}/status") as file:
            switches += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return cpu + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK"), switches


def over(pid, seconds, every=None, action=None):
    """(CPU per second, wake-ups per second) of an idle process; `action` is done at each `every`."""
    before = used(pid)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(min(every or seconds, max(until - time.monotonic(), 0)))
        if action:
            action()
    after = used(pid)
    return (after[0] - before[0]) / seconds, (after[1] - before[1]) / seconds


def ask(agent, **request):
    """One request to the control socket of the agent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(60)
        connection.connect(f"{agent.dir}/run/control.sock")
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    if not answer.get("ok"):
        raise RuntimeError(f"control socket: {answer}")


@contextlib.contextmanager
def peers():
    """Name, command line, and what is asked of it each SCRAPE_S (or None), of each peer that there is."""
    scratch = tempfile.mkdtemp(prefix="vouch-bench-peer-")
    conf = os.path.join(scratch, "collectd.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(f'BaseDir "{scratch}"\nPIDFile "{scratch}/pid"\nLoadPlugin cpu\nLoadPlugin memory\nLoadPlugin df\n'
                   f'LoadPlugin interface\nLoadPlugin csv\n<Plugin csv>\nDataDir "{scratch}"\n</Plugin>\n')

    zabbix = os.path.join(scratch, "zabbix_agent2.conf")
    with open(zabbix, "w", encoding="utf-8") as file:
        file.write(f"Server=127.0.0.1\nListenIP=127.0.0.1\nListenPort={ZABBIX_PORT}\nHostname=bench\nLogType=console\n"
                   f"ControlSocket={scratch}/agent.sock\nPluginSocket={scratch}/plugin.sock\n")

    def ask_zabbix():
        """The passive check of its protocol, for each key."""
        for key in ZABBIX_KEYS:
            with socket.create_connection(("127.0.0.1", ZABBIX_PORT), 10) as connection:
                connection.sendall(b"ZBXD\x01" + struct.pack("<II", len(key), 0) + key.encode())
                answer = connection.makefile("rb").read()
                if not answer.startswith(b"ZBXD\x01") or b"ZBX_NOTSUPPORTED" in answer:
                    raise RuntimeError(f"zabbix-agent2, {key}: {answer!r}")

    def scrape():
        urllib.request.urlopen(f"http://127.0.0.1:{NODE_EXPORTER_PORT}/metrics", timeout=10).read()

    try:
        yield (("collectd", [shutil.which("collectd") or "/usr/sbin/collectd", "-f", "-C", conf], None),
               ("node_exporter", ["/usr/bin/prometheus-node-exporter",
                                  f"--web.listen-address=127.0.0.1:{NODE_EXPORTER_PORT}"], scrape),
               ("zabbix-agent2", ["/usr/sbin/zabbix_agent2", "-c", zabbix], ask_zabbix))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def row_4(vouchd, agent):
    target = "<= 8 / 2 MiB"
    with daemon([vouchd, "--config", agent.config]) as process:
        ours = m.rss_kib(process.pid) if process else None
    shown = f"{ours[0] / 1024:.1f} / {ours[1] / 1024:.1f} MiB" if ours else "failed"
    with peers() as known:
        for name, argv, _ in known:
            what = f"idle memory, RSS / anonymous, against {name}"
            if not os.path.exists(argv[0]):
                m.row("4", what, shown, "missing", target, "")
                continue
            with daemon(argv) as process:
                peer = m.rss_kib(process.pid) if process else None
            if ours and peer:
                m.row("4", what, shown, f"{peer[0] / 1024:.1f} / {peer[1] / 1024:.1f} MiB", target,
                      f"{peer[0] / ours[0]:.1f}x")
            else:
                m.row("4", what, shown, "failed", target, "")


def our_hour(agent, process, collectors):
    """(CPU share, wake-ups per second) of an hour: idle as measured, and its cycles and seal, done at once;
    and a word on the parts."""
    idle_cpu, idle_wakes = over(process.pid, IDLE_S)
    before = used(process.pid)
    for _ in range(CYCLES_PER_HOUR):
        for name in collectors:
            ask(agent, command="collect", collector=name)
    ask(agent, command="seal")
    after = used(process.pid)
    cycle_cpu, cycle_wakes = ((after[i] - before[i]) / CYCLES_PER_HOUR for i in range(2))
    parts = f"ours: idle {idle_cpu * 100:.4f} % and {idle_wakes:.2f}/s, measured for {IDLE_S} s; a cycle with its share of a " \
            f"seal {cycle_cpu * 1000:.1f} ms and {cycle_wakes:.0f} wake-ups, mean of an hour's, done at once"
    return (idle_cpu + cycle_cpu * CYCLES_PER_HOUR / 3600, idle_wakes + cycle_wakes * CYCLES_PER_HOUR / 3600, parts)


def row_5(vouchd, agent, collectors):
    target = "<= 0.03 %, <= 0.5/s"
    with daemon([vouchd, "--config", agent.config]) as process:
        ours = our_hour(agent, process, collectors) if process else None
    shown = f"{ours[0] * 100:.4f} %, {ours[1]:.2f}/s" if ours else "failed"
    note = ours[2] if ours else ""
    with peers() as known:
        for name, argv, scrape in known:
            what = f"idle CPU and wake-ups with a full cycle every 5 min, against {name}"
            if not os.path.exists(argv[0]):
                m.row("5", what, shown, "missing", target, "", note)
                continue
            with daemon(argv) as process:
                peer = over(process.pid, IDLE_S, SCRAPE_S if scrape else None, scrape) if process else None
            if ours and peer:
                m.row("5", what, shown, f"{peer[0] * 100:.4f} %, {peer[1]:.2f}/s", target,
                      f"{peer[0] / max(ours[0], 1e-9):.1f}x", note)
            else:
                m.row("5", what, shown, "failed", target, "", note)
