#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server with the store's own certificate answers nonsense, slowly, hugely, or lies. Unsigned words never
stop sealing, never count as delivered, and never delete anything."""
import http.server
import json
import os
import shutil
import ssl
import threading
import time
import unittest

import kill_test
import site_under_test as s

PROBLEM = "application/problem+json"


def problem(name, status, **members):
    return status, PROBLEM, json.dumps({"type": f"urn:vouch:problem:{name}", "title": name, "status": status, **members}).encode()


def lies(real_receipt):
    """Answers to POST /v1/parcels: name, (status, content type, body), headers."""
    text = "text/plain; charset=utf-8"
    flipped = bytearray(real_receipt)
    flipped[-20] ^= 1
    yield "no receipt at all", (201, text, b""), {}
    yield "a receipt that is no receipt", (201, text, b"thanks\n"), {}
    yield "the receipt of another bundle", (201, text, bytes(real_receipt)), {}
    yield "a receipt with one bit flipped", (201, text, bytes(flipped)), {}
    yield "a huge receipt", (201, text, b"x" * (8 << 20)), {}
    yield "a page of a proxy", (200, "text/html", b"<html>Sign in to the network</html>"), {}
    yield "a bare fork", problem("chain", 409, expected_seq=0, expected_prev="0" * 64, fork=True), {}
    yield "a fork with a wrong proof", problem("chain", 409, expected_seq=0, expected_prev="0" * 64, fork=True,
                                              proof=bytes(flipped).decode(errors="replace")), {}
    yield "an older expected seq", problem("chain", 409, expected_seq=0, expected_prev="0" * 64, fork=False), {}
    yield "bad statement", problem("bad-statement", 422, reason="x", pointer="/"), {}
    yield "unknown key", problem("unknown-key", 401), {"WWW-Authenticate": "Vouch"}
    yield "revoked", problem("revoked", 403), {}
    yield "an error", (500, "text/plain", b"oops"), {}
    yield "busy", problem("busy", 503), {"Retry-After": "1"}
    yield "a problem that is no JSON", (422, PROBLEM, b"{" * 1000), {}
    yield "a redirect", (302, "text/plain", b""), {"Location": "https://127.0.0.1:1/v1/parcels"}


class Liar(http.server.ThreadingHTTPServer):
    daemon_threads = True
    answer, headers, posts = (500, "text/plain", b""), {}, 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, content_type, body, headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def do_GET(self):
        self.say(404, PROBLEM, b"{}", {})

    def do_POST(self):
        left = int(self.headers.get("Content-Length", "0"))
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                return
            left -= len(piece)
        self.server.posts += 1
        self.say(*self.server.answer, self.server.headers)

    def log_message(self, *_):
        pass


class LyingStore(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = s.Site().__enter__()
        store = cls.site.store.start()
        program = cls.site.script("tiny", kill_test.changing_collector())
        cls.host = cls.site.host(collectors=f"  tiny: {{ program: {program}, interval: 1s }}\n")
        cls.host.enrol(store.join_string())
        for _ in range(2):
            assert cls.host.once().code == 0
            assert cls.host.ship().code == 0
        receipts = os.path.join(cls.host.dir, "run", "receipts")
        name = next(one for one in sorted(os.listdir(receipts)) if one.endswith(".tlog-proof"))
        with open(os.path.join(receipts, name), "rb") as file:
            cls.receipt = file.read()
        assert cls.host.once().code == 0
        cls.host.ship()
        assert cls.host.once().code == 0  # Takes the last true receipt home.
        store.stop()
        cls.liar = Liar(("127.0.0.1", store.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(store.dir + "/tls/server.crt", store.dir + "/private/server.pem")
        cls.liar.socket = context.wrap_socket(cls.liar.socket, server_side=True)
        threading.Thread(target=cls.liar.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.liar.shutdown()
        cls.liar.server_close()
        cls.site.__exit__()

    def test_no_lie_is_believed(self):
        kept = self.host.kept()
        waiting = set()
        for name, answer, headers in lies(self.receipt):
            with self.subTest(lie=name):
                self.liar.answer, self.liar.headers, before = answer, headers, self.liar.posts
                sealed = self.host.once()
                self.assertEqual(sealed.code, 0, sealed)
                now = set(self.host.parcels())
                self.assertGreater(len(now - waiting), 0, "sealing has stopped")
                self.assertTrue(waiting <= now, "a parcel has gone")
                waiting = now
                start = time.monotonic()
                shipped = self.host.ship()
                self.assertLess(time.monotonic() - start, 60)
                self.assertNotIn("AddressSanitizer", shipped.err)
                self.assertGreaterEqual(self.liar.posts, before)
                self.assertEqual(self.host.once().code, 0)
                self.assertTrue(set(self.host.kept()) <= set(kept), "a lie counted as delivered")
                # A store that says it lost what it acknowledged is refilled; nothing is deleted for it.
                self.assertTrue(set(kept) <= set(self.host.kept()) | set(self.host.parcels()), "a kept parcel has gone")
                self.assertTrue(waiting <= set(self.host.parcels()), "a parcel has gone")
                kinds = [one["kind"] for one in s.records_of(self.host)]
                self.assertNotIn("log-alarm", kinds)
                shutil.rmtree(os.path.join(self.host.dir, "run", "receipts"), ignore_errors=True)
        self.assertGreater(self.liar.posts, 3, "the liar was hardly asked")
        told = [one["expected_seq"] for one in s.records_of(self.host) if one["kind"] == "store-rollback"]
        self.assertEqual(told, [0], "once for each expected seq, and never for a fork")

    def test_what_was_told_is_on_record_once_for_each_answer(self):
        refused = [(one["seq"], one["status"]) for one in s.records_of(self.host) if one["kind"] == "refused"]
        self.assertEqual(len(refused), len(set(refused)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
