#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts in the host's own log: a real rsyslogd reads the structured data, a real journald the fields."""
import json
import os
import subprocess
import unittest

import alert_site as a
import site_under_test as s

RSYSLOGD = a.need("rsyslogd", "rsyslog")
JOURNALD = "/lib/systemd/systemd-journald"
NAMESPACE = f"vouchtest{os.getpid()}"


class HostLog(unittest.TestCase):
    def setUp(self):
        self.shipper = a.Shipper()
        self.addCleanup(self.shipper.close)

    def test_rsyslog_reads_name_host_and_structured_data(self):
        base = self.shipper.dir
        s.write(base + "/rsyslog.conf",
                'module(load="imuxsock" SysSock.Use="off")\n'
                f'input(type="imuxsock" Socket="{base}/log" UseSpecialParser="off" ParseHostname="on")\n'
                'template(name="t" type="string" string="%app-name%|%hostname%|%syslogseverity-text%|'
                '%syslogfacility-text%|%msgid%|%structured-data%|%msg%\\n")\n'
                f'action(type="omfile" file="{base}/out" template="t")\n')
        self.shipper.start([RSYSLOGD, "-n", "-f", base + "/rsyslog.conf", "-i", base + "/pid"], base + "/log")
        self.shipper.rules(f"  sys: {{ kind: syslog, socket: {base}/log }}\n")
        self.shipper.put(1, "sys", [a.condition(value='a "quote" ] and \\'), a.condition("resolved", key="check/x")])
        done = self.shipper.ship()
        self.assertEqual(done.code, 0, done)

        def lines():
            if not os.path.exists(base + "/out"):
                return None
            with open(base + "/out", encoding="utf-8") as file:
                found = [one for one in file.read().split("\n") if one.startswith("vouch|")]
            return found if len(found) == 2 else None
        first, second = a.wait_for(lines)
        self.assertIn("vouch|web-01|err|daemon|control-drift|[vouch@32473 alert=\"1\"", first)
        self.assertIn('value="a \\"quote\\" \\] and \\\\"', first)
        self.assertIn('label_control="dormant-accounts"', first)
        self.assertIn("vouch|web-01|info|", second)

    @unittest.skipUnless(os.geteuid() == 0 and os.path.exists(JOURNALD), "a journald of our own needs root")
    def test_journald_keeps_each_field(self):
        folder = f"/run/systemd/journal.{NAMESPACE}"
        self.shipper.start([JOURNALD, NAMESPACE], folder + "/socket", env={**os.environ, "SYSTEMD_LOG_TARGET": "console"})
        self.addCleanup(lambda: subprocess.run(
            ["sh", "-c", f"rm -rf {folder} /run/log/journal/*.{NAMESPACE} /var/log/journal/*.{NAMESPACE}"], check=False))
        self.shipper.rules(f"  local: {{ kind: journal, socket: {folder}/socket }}\n")
        self.shipper.put(1, "local")
        done = self.shipper.ship()
        self.assertEqual(done.code, 0, done)

        def entries():
            shown = s.run(["journalctl", f"--namespace={NAMESPACE}", "-o", "json", "VOUCH_ALERT=1"])
            return [json.loads(line) for line in shown.out.split("\n") if line.startswith("{")]
        entry, = a.wait_for(entries)
        self.assertEqual(entry["SYSLOG_IDENTIFIER"], "vouch")
        self.assertEqual(entry["PRIORITY"], "3")
        self.assertEqual(entry["VOUCH_LABEL_CONTROL"],
                         "dormant-accounts")
        self.assertEqual(entry["VOUCH_CRITERION"], "soc2-2017 CC6.1")
        self.assertIn("To mend it: Disable it", entry["MESSAGE"])
        self.assertEqual(entry["MESSAGE"].split("\n")[0], "firing: [high] No login account unused for 90 days")


if __name__ == "__main__":
    unittest.main(verbosity=2)
