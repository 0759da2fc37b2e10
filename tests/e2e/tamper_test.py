#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each part of each artefact of a real store is tampered with, one at a time, in a copy. The verifier must
fail, and say where."""
import base64
import json
import os
import shutil
import subprocess
import unittest

import site_under_test as s


def flip(path, position=None):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    at = len(data) // 2 if position is None else position
    data[at] ^= 1
    with open(path, "wb") as file:
        file.write(data)


def find(root, predicate):
    for folder, _, files in sorted(os.walk(root)):
        for name in sorted(files):
            path = os.path.join(folder, name)
            if predicate(path):
                return path
    raise AssertionError("no such file in " + root)


def envelope(path):
    """Reads an envelope, compressed or not; returns it and a function that writes it back."""
    if path.endswith(".zst"):
        data = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout

        def put(value):
            subprocess.run(["zstd", "-qf", "-o", path], input=json.dumps(value).encode(), check=True)
    else:
        data = open(path, "rb").read()

        def put(value):
            with open(path, "w") as file:
                json.dump(value, file)
    return json.loads(data), put


class Tamper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = s.Site().__enter__()
        cls.site.store.start()
        for name in ("host-a", "host-b"):
            program = cls.site.script(name + "-tiny", s.tiny_collector(3).replace('"name":"0"', f'"name":"{name}"'))
            host = cls.site.host(name, collectors=f"  tiny: {{ program: {program}, interval: 1s }}\n  patch_level:\n")
            host.enrol(cls.site.store.join_string())
            for _ in range(3):
                done = host.once()
                assert done.code == 0, done
                done = host.ship()
                assert done.code == 0, done
        cls.site.store.stop()
        cls.agents = sorted(os.listdir(os.path.join(cls.site.store.dir, "bundles")))

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__()

    def setUp(self):
        self.copy = os.path.join(self.site.dir, "copy")
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.site.store.dir, self.copy, symlinks=True)

    def bundle(self, seq, agent=0):
        folder = os.path.join(self.copy, "bundles", self.agents[agent])
        return find(folder, lambda path: os.path.basename(path).split(".")[0] == str(seq))

    def refused(self, *words):
        done = self.site.verify(directory=self.copy)
        self.assertNotEqual(done.code, 0, done)
        self.assertIn("FAILED", done.out, done)
        for word in words:
            self.assertIn(word, done.out, done)

    def test_untouched_it_verifies(self):
        done = self.site.verify("--replay", directory=self.copy)
        self.assertEqual(done.code, 0, done)

    def test_payload(self):
        value, put = envelope(self.bundle(1))
        payload = bytearray(base64.b64decode(value["payload"]))
        payload[payload.index(b'"host":"') + 8] ^= 1
        value["payload"] = base64.b64encode(payload).decode()
        put(value)
        self.refused(self.agents[0])

    def test_signature(self):
        value, put = envelope(self.bundle(1))
        sig = bytearray(base64.b64decode(value["signatures"][0]["sig"]))
        sig[10] ^= 1
        value["signatures"][0]["sig"] = base64.b64encode(sig).decode()
        put(value)
        self.refused(self.agents[0])

    def test_no_signature_and_two(self):
        path = self.bundle(1)
        value, put = envelope(path)
        one = value["signatures"]
        put({**value, "signatures": []})
        self.refused(self.agents[0])
        put({**value, "signatures": one + one})
        self.refused(self.agents[0])

    def test_payload_type(self):
        value, put = envelope(self.bundle(1))
        put({**value, "payloadType": "application/json"})
        self.refused(self.agents[0])

    def test_order_of_two_bundles(self):
        first, second = self.bundle(1), self.bundle(2)
        os.rename(first, first + ".x")
        os.rename(second, first)
        os.rename(first + ".x", second)
        self.refused(self.agents[0])

    def test_a_missing_bundle(self):
        os.unlink(self.bundle(1))
        self.refused(self.agents[0])

    def test_the_last_bundle_missing(self):
        folder = os.path.join(self.copy, "bundles", self.agents[0])
        last = max(os.listdir(folder), key=lambda name: int(name.split(".")[0]))
        os.unlink(os.path.join(folder, last))
        self.refused(self.agents[0])

    def test_a_bundle_replayed_under_another_number(self):
        shutil.copy(self.bundle(1), self.bundle(2))
        self.refused(self.agents[0])

    def test_a_bundle_of_another_host(self):
        shutil.copy(self.bundle(1, agent=1), self.bundle(1, agent=0))
        self.refused(self.agents[0])

    def test_a_blob_changed_and_missing(self):
        path = find(os.path.join(self.copy, "blobs"), lambda path: os.path.getsize(path) > 0)
        kept = open(path, "rb").read()
        flip(path)
        self.refused()
        os.unlink(path)
        self.refused(os.path.basename(path).split(".")[0][:12])
        with open(path, "wb") as file:
            file.write(kept)
        self.assertEqual(self.site.verify(directory=self.copy).code, 0)

    def test_checkpoint(self):
        path = os.path.join(self.copy, "checkpoint")
        lines = open(path, encoding="utf-8").read().split("\n")
        for change, word in ((lambda l: [l[0], str(int(l[1]) - 1), *l[2:]], "checkpoint"),
                             (lambda l: [l[0] + "x", *l[1:]], "it is the key of another log"),
                             (lambda l: [l[0], l[1], base64.b64encode(b"x" * 32).decode(), *l[3:]], "checkpoint"),
                             (lambda l: l[:4] + [""], "checkpoint")):
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(change(list(lines))))
            self.refused(word)

    def test_an_older_checkpoint_does_not_cover_what_is_there(self):
        folder = os.path.join(self.copy, "checkpoints")
        oldest = min((name for name in os.listdir(folder) if name.isdigit()), key=int)
        shutil.copy(os.path.join(folder, oldest), os.path.join(self.copy, "checkpoint"))
        self.refused()

    def test_tiles_and_entries(self):
        for part in ("tile/0", "tile/entries"):
            path = find(os.path.join(self.copy, part), lambda path: os.path.getsize(path) > 0)
            kept = open(path, "rb").read()
            # Of several partial tiles of one index only the widest counts; break them all.
            for folder, _, files in os.walk(os.path.join(self.copy, part)):
                for name in files:
                    flip(os.path.join(folder, name), 5)
            self.refused()
            shutil.rmtree(os.path.join(self.copy, part))
            self.refused()
            shutil.copytree(os.path.join(self.site.store.dir, part), os.path.join(self.copy, part))
            self.assertTrue(kept)

    def test_an_enrolment_statement_missing(self):
        folder = os.path.join(self.copy, "statements")
        os.unlink(os.path.join(folder, sorted(os.listdir(folder))[0]))
        self.refused()

    def test_another_logs_key_as_anchor(self):
        other = s.Store(os.path.join(self.site.dir, "other"))
        self.addCleanup(shutil.rmtree, other.dir)
        done = s.run([s.program("vouch"), "verify", self.copy, "--policy", other.policy()])
        self.assertNotEqual(done.code, 0, done)
        self.assertIn("FAILED", done.out)

    def test_without_an_anchor_from_outside_the_verdict_says_so(self):
        done = s.run([s.program("vouch"), "verify", self.copy])
        self.assertIn("ANCHORS FROM EXPORT", done.out + done.err, done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
