#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A running vouchd whose clock is set (faketime): the leap day passes, a year ahead and back again, stopped over
several ticks and killed, with a time zone that has daylight saving. The equation of docs/formats/bundle.md holds
in every bundle, and the verifier says so. Needs faketime (Debian package); exit 77 without it."""
import os
import signal
import sys
import time

from running_agent import RunningAgent, check_equation, check_run_ids, wait_until
from site_under_test import Site, tiny_collector

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
YEAR_S = 365 * 86400
LEAP_DAY = 1835481575  # 2028-02-29T23:59:35Z


def main():
    if not os.path.exists(FAKETIME):
        print("faketime is not installed: ./dev deps")
        return 77
    with Site() as site:
        offset = os.path.join(site.dir, "offset")

        def set_clock(seconds):
            with open(offset + ".new", "w", encoding="ascii") as file:
                file.write(f"{seconds:+d}\n")
            os.rename(offset + ".new", offset)

        base = LEAP_DAY - int(time.time())
        set_clock(base)
        site.store.start()
        host = site.host(collectors=f"  tiny: {{ program: {site.script('tiny', tiny_collector())}, interval: 2s }}\n",
                         extra="heartbeat: 10s\nbusy: { delay_max: 0s }\n")
        host.enrol(site.store.join_string())
        agent = RunningAgent(host, {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": offset, "FAKETIME_NO_CACHE": "1",
                                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "Europe/Berlin",
                                    "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"})
        try:
            steps(agent, set_clock, base)
        finally:
            agent.stop(signal.SIGKILL)
        bundles = agent.bundles()
        check_equation(bundles)
        check_run_ids(bundles)
        check_records(bundles)
        verify(site, host)
    print("the clock was set in every way, and each tick is accounted for")
    return 0


def count(agent, kind, **members):
    return sum(1 for one in agent.records(kind) if all(one.get(name) == value for name, value in members.items()))


def steps(agent, set_clock, base):
    agent.start()
    wait_until("a bundle of 1 March 2028", lambda: any(one["clock"]["sealed"] >= "2028-03-01" for one in agent.bundles()))

    set_clock(base + YEAR_S)
    wait_until("a bundle of 2029", lambda: agent.bundles()[-1]["clock"]["sealed"] >= "2029-02-28")
    wait_until("the year is missed", lambda: count(agent, "run-missed", reason="clock-step") == 1)

    set_clock(base)
    wait_until("runs by the boot clock", lambda: count(agent, "observation", trigger="start") >= 2)

    set_clock(base + YEAR_S)  # Back where the chain is.
    runs = count(agent, "observation", trigger="schedule")
    wait_until("ticks again", lambda: count(agent, "observation", trigger="schedule") > runs)

    agent.stop()
    time.sleep(5)  # Several ticks pass without anybody: that is what is tested.
    agent.start()
    wait_until("missed ticks", lambda: count(agent, "run-missed", reason="not-running") >= 1)

    agent.stop(signal.SIGKILL)
    set_clock(base + YEAR_S + 60)  # And the clock is set while nobody is there.
    agent.start()
    wait_until("an unclean end", lambda: count(agent, "agent-start", unclean=True) == 1)
    agent.stop()


def check_records(bundles):
    records = [record for bundle in bundles for record in bundle["records"]]
    steps_seen = [record for record in records if record["kind"] == "clock-step"]
    assert len(steps_seen) == 3, steps_seen
    scheduled = [record for record in records if record.get("trigger") == "schedule"]
    assert any(one["scheduled"].startswith("2028-02-29T23:59:") for one in scheduled), "the leap day has its last ticks"
    assert all(int(one["scheduled"][17:19]) % 2 == 0 for one in scheduled), "ticks are even seconds of UTC"


def verify(site, host):
    """The whole chain, by the verifier, through a store whose clock is right."""
    shipped = host.ship()
    assert shipped.code == 0, shipped
    done = site.verify()
    assert done.code == 0, done
    assert "VERIFIED" in done.out, done


if __name__ == "__main__":
    sys.exit(main())
