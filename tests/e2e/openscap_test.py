#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""openscap against the real oscap and Debian's content: what the collector says is what oscap says.
Skipped where they are not installed (openscap-scanner, ssg-debian)."""
import collections
import glob
import hashlib
import html
import json
import os
import shutil
import subprocess
import sys
import unittest

import site_under_test as s

STREAMS = sorted(glob.glob("/usr/share/xml/scap/ssg/content/ssg-debian1*-ds.xml"))
PROFILE = "xccdf_org.ssgproject.content_profile_standard"
# Without a network oscap does not wait for names of the host's addresses.
ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] \
    if os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip") else []


class OpenScap(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)

    def collect(self, options, name="host-a"):
        host = self.site.host(name, collectors=f"  openscap: {{ options: {{ {options} }} }}\n")
        done = s.run([*ALONE, s.program("vouch"), "collect", "openscap", "--format", "json", "--config", host.config],
                     timeout=400)
        return done, json.loads(done.out)

    def evaluate(self, *arguments):
        """{rule: (result, title, identifiers)}, as oscap prints them."""
        done = subprocess.run([*ALONE, "oscap", "xccdf", "eval", *arguments], capture_output=True, timeout=400)
        self.assertIn(done.returncode, (0, 2), done.stderr)
        said, rule, title, identifiers = {}, None, None, []
        for line in done.stdout.decode().split("\n"):
            name, _, value = line.replace("\r", "").partition("\t")
            if name == "Title":
                title, identifiers = html.unescape(value), []
            elif name == "Rule":
                rule = value
            elif name == "Ident":
                identifiers.append(value)
            elif name == "Result":
                said[rule] = (value, title, ",".join(sorted(identifiers)))
        return said

    def rows_said(self, value):
        # What was not selected oscap does not print.
        return {row["rule_id"]: (row["result"], row["title"], row["identifiers"])
                for row in value["tables"]["openscap_results"]["rows"] if row["result"] != "notselected"}

    def test_what_passes_and_what_fails_is_what_oscap_says(self):
        for name in ("xccdf.xml", "oval.xml"):
            shutil.copy(os.path.join(s.SOURCE, "tests", "e2e", "scap", name), self.site.dir)
        results = self.site.dir + "/results.xml"
        said = self.evaluate("--results", results, self.site.dir + "/xccdf.xml")
        done, value = self.collect(f"results: {results}")
        self.assertEqual((done.code, value["errors"]), (0, {}), done)
        self.assertEqual(sorted(result for result, _, _ in said.values()), ["fail", "notchecked", "pass"])
        self.assertEqual(self.rows_said(value), said)
        run, = value["tables"]["openscap_runs"]["rows"]
        self.assertEqual((run["benchmark_version"], run["score"], run["profile"]), ("7", "50.000000", None))

    def test_a_file_of_results_says_what_oscap_said(self):
        arf = self.site.dir + "/arf.xml"
        said = self.evaluate("--profile", PROFILE, "--results-arf", arf, STREAMS[-1])
        done, value = self.collect(f"results: {arf}")
        self.assertEqual((done.code, value["errors"]), (0, {}), done)
        rows = value["tables"]["openscap_results"]["rows"]
        self.assertGreater(len(said), 10)
        self.assertEqual(self.rows_said(value), said)
        with open(arf, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        run, = value["tables"]["openscap_runs"]["rows"]
        self.assertEqual((run["results_sha256"], run["profile"], run["data_stream_sha256"]), (digest, PROFILE, None))
        print("results:", dict(collections.Counter(row["result"] for row in rows)), file=sys.stderr)
        cut = self.site.dir + "/cut.xml"
        with open(arf, "rb") as whole, open(cut, "wb") as part:
            part.write(whole.read()[:-1000])
        done, value = self.collect(f"results: {cut}", "host-b")
        self.assertEqual(done.code, 2, done)
        self.assertIn("ends too early", value["errors"]["openscap_results"]["message"])

    def test_a_new_user_needs_no_more_than_a_data_stream(self):
        done, value = self.collect(f"data_stream: {STREAMS[-1]}, profile: {PROFILE}")
        self.assertEqual((done.code, value["errors"]), (0, {}), done)
        self.assertEqual(glob.glob("/tmp/vouch-openscap-*"), [])

    def test_what_oscap_refuses_is_an_error_with_its_words(self):
        host = self.site.host(collectors="  openscap: { options: { data_stream: " + STREAMS[-1] +
                              ", profile: no_such_profile } }\n")
        done = s.run([*ALONE, s.program("openscap")], stdin=json.dumps(
            {"protocol": 1, "tables": ["openscap_results", "gaps"], "root": "/", "cache_dir": host.dir,
             "options": {"data_stream": STREAMS[-1], "profile": "no_such_profile"}}) + "\n", timeout=400)
        self.assertEqual(done.code, 0, done)
        self.assertIn('"code":"tool-failed"', done.out)
        self.assertIn("no_such_profile", done.out)

    def test_an_evaluation_leaves_the_arf_whose_digest_is_on_record(self):
        host = self.site.host(collectors="  openscap: {}\n")
        done = s.run([*ALONE, s.program("openscap")], stdin=json.dumps(
            {"protocol": 1, "tables": ["openscap_results", "openscap_runs", "gaps"], "root": "/", "cache_dir": host.dir,
             "options": {"data_stream": STREAMS[-1], "profile": PROFILE}}) + "\n", timeout=400)
        self.assertEqual(done.code, 0, done)
        rows = [json.loads(line)["row"] for line in done.out.splitlines() if line.startswith('{"row"')]
        run, = [row for row in rows if "results_sha256" in row]
        with open(host.dir + "/arf.xml", "rb") as file:
            self.assertEqual(run["results_sha256"], hashlib.sha256(file.read()).hexdigest())
        with open(STREAMS[-1], "rb") as file:
            self.assertEqual(run["data_stream_sha256"], hashlib.sha256(file.read()).hexdigest())
        self.assertFalse([name for name in os.listdir(host.dir) if name.startswith(("arf-new", "oscap"))])


if __name__ == "__main__":
    if not shutil.which("oscap") or not STREAMS:
        print("skipped: openscap-scanner and ssg-debian are not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
