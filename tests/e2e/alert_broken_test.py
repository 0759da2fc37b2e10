#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receivers that misbehave, over TLS: whatever they do, the alert stays, the reason is said, no
secret is, it takes no longer than the timeout, and no other channel waits."""
import socket
import ssl
import threading
import time
import unittest

import alert_site as a
import site_under_test as s

TOKEN = "url-token-4711"


class Receiver:
    """Answers every connection by the function it is given: (connection, request bytes)."""

    def __init__(self, shipper, answer):
        self.ca, cert, key = shipper.certificate("bad")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.answer, self.requests = answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
                connection = self.context.wrap_socket(raw, server_side=True)
                connection.settimeout(20)
                request = b""
                while b"\r\n\r\n" not in request or len(request.split(b"\r\n\r\n", 1)[1]) < self.length(request):
                    request += connection.recv(65536)
                self.requests.append(request)
                self.answer(connection)
                connection.close()
            except OSError:
                if self.listener.fileno() < 0:
                    return

    @staticmethod
    def length(request):
        head = request.split(b"\r\n\r\n", 1)[0].decode()
        return int(head.split("Content-Length: ")[1].split("\r\n")[0])


def says(text):
    return lambda connection: connection.sendall(text.encode())


def drips(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.1)


def floods(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 65536)


class Broken(unittest.TestCase):
    def try_with(self, answer):
        """(the message, seconds that it took, the receiver): the alert is not delivered."""
        shipper = a.Shipper()
        self.addCleanup(shipper.close)
        receiver = Receiver(shipper, answer)
        self.addCleanup(receiver.listener.close)
        path = shipper.secret("url", f"https://127.0.0.1:{receiver.port}/{TOKEN}")
        shipper.rules(f"  bad: {{ kind: slack, url_file: {path}, ca_file: {receiver.ca}, timeout: 2s }}\n"
                      f"  good: {{ kind: syslog, socket: {shipper.dir}/log }}\n")
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(log.close)
        log.bind(shipper.dir + "/log")
        shipper.put(1, "bad")
        shipper.put(2, "bad")
        shipper.put(3, "good")
        begun = time.monotonic()
        done = shipper.ship()
        took = time.monotonic() - begun
        self.assertEqual(done.code, 75, done)
        self.assertIn("sent", shipper.answer(3))
        self.assertNotIn("sent", shipper.answer(1))
        message = shipper.answer(1)["message"]
        self.assertNotIn(TOKEN, message + done.err)
        self.assertLess(took, 15)
        self.assertLessEqual(len(receiver.requests), 1)  # The second alert waits for its turn.
        return message

    def test_500(self):
        self.assertEqual(self.try_with(says("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")), "answered 500")

    def test_429_with_retry_after(self):
        self.assertEqual(self.try_with(says("HTTP/1.1 429 No\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n")),
                         "answered 429")

    def test_a_redirect_is_not_followed(self):
        self.assertEqual(self.try_with(says("HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:9/\r\n"
                                            "Content-Length: 0\r\n\r\n")), "answered 302")

    def test_half_an_answer(self):
        self.assertTrue(self.try_with(says("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf")))

    def test_half_a_head(self):
        self.assertTrue(self.try_with(says("HTTP/1.1 2")))

    def test_no_http_at_all(self):
        self.assertTrue(self.try_with(says("\x00\x01garbage\r\n\r\n")))

    def test_one_byte_at_a_time(self):
        self.assertEqual(self.try_with(drips), "no answer in time")

    def test_nothing_at_all(self):
        self.assertEqual(self.try_with(lambda connection: time.sleep(10)), "no answer in time")

    def test_an_answer_without_end(self):
        self.assertTrue(self.try_with(floods))


if __name__ == "__main__":
    unittest.main(verbosity=2)
