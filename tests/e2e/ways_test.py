#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ways from a host to its store: through a proxy that asks for a password, over IPv6, and by a directory where
there is no store."""
import base64
import os
import socket
import threading
import unittest

import kill_test
import site_under_test as s

LOGIN = "vouch:proxy-password-of-this-test"


class ConnectProxy:
    """A proxy that tunnels (CONNECT, RFC 9110) for who knows its password, and remembers what was asked of it."""

    def __init__(self):
        self.asked, self.refused = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.tunnel, args=(client,), daemon=True).start()

    def tunnel(self, client):
        with client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = client.recv(1)
                if not byte:
                    return
                head += byte
            if b"Basic " + base64.b64encode(LOGIN.encode()) not in head:
                self.refused += 1
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=p\r\n"
                               b"Content-Length: 0\r\n\r\n")
                return
            target = head.split()[1].decode()
            self.asked.append(target)
            host, _, port = target.rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=self.copy, args=(server, client), daemon=True)
                back.start()
                self.copy(client, server)
                back.join()

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


class Ways(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.program = self.site.script("tiny", kill_test.changing_collector())

    def host(self, name="host-a", extra=""):
        return self.site.host(name, collectors=f"  tiny: {{ program: {self.program}, interval: 1s }}\n", extra=extra)

    def deliver(self, host, env=None):
        self.assertEqual(host.once().code, 0)
        shipped = host.ship(env=env)
        self.assertEqual(shipped.code, 0, shipped)
        self.assertEqual(host.once().code, 0)
        self.assertEqual(len(host.kept()), 1)
        return shipped

    def test_through_a_proxy_that_asks_for_a_password(self):
        self.site.store.start()
        proxy = ConnectProxy()
        self.addCleanup(proxy.close)
        env = {"HTTPS_PROXY": f"http://{LOGIN}@127.0.0.1:{proxy.port}", "NO_PROXY": "", "no_proxy": ""}
        host = self.host()
        done = host.vouch("enroll", stdin=self.site.store.join_string() + "\n", env=env)
        self.assertEqual(done.code, 0, done)
        shipped = self.deliver(host, env)
        self.assertGreaterEqual(len(proxy.asked), 2)
        self.assertEqual(set(proxy.asked), {f"127.0.0.1:{self.site.store.port}"})
        self.assertNotIn("proxy-password", done.out + done.err + shipped.out + shipped.err)
        # A wrong password is said, and nothing is lost.
        wrong = {**env, "HTTPS_PROXY": f"http://vouch:wrong@127.0.0.1:{proxy.port}"}
        refused = host.ship(env=wrong)
        self.assertNotEqual(refused.code, 0)
        self.assertIn("407", refused.err)
        self.assertNotIn("wrong", refused.err)
        self.assertGreater(proxy.refused, 0)
        self.assertEqual(len(host.parcels()), 1)

    def test_over_ipv6(self):
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                self.skipTest("skipped: no IPv6 on loopback")
            port = probe.getsockname()[1]
        directory = os.path.join(self.site.dir, "six")
        s.must([s.program("vouch-store"), "init", "--dir", directory, "--origin", "six.test/log1", "--host", "::1",
                "--listen", f"[::1]:{port}"])
        store = self.site.store
        store.dir, store.port = directory, port
        join = store.join_string()
        self.assertIn(f"vouch://[::1]:{port}/", join)
        create, store_start = socket.create_connection, store.start
        socket.create_connection = lambda address, *rest: create(("::1", address[1]), *rest)
        try:
            store_start()
        finally:
            socket.create_connection = create
        host = self.host()
        host.enrol(join)
        self.deliver(host)

    def test_into_a_directory_without_a_store(self):
        target = os.path.join(self.site.dir, "evidence")
        os.mkdir(target)
        host = self.host(extra=f"destination: file://{target}\n")
        for _ in range(2):
            self.assertEqual(host.once().code, 0)
            done = s.run([s.program("vouch-ship"), "--state", host.dir + "/state", "--runtime", host.dir + "/run",
                          "--once", "--destination", "file://" + target])
            self.assertEqual(done.code, 0, done)
        self.assertEqual(host.once().code, 0)
        self.assertGreaterEqual(len(host.kept()), 2)
        (agent,) = os.listdir(target)
        copies = sorted(one for one in os.listdir(os.path.join(target, agent)) if one.endswith(".parcel"))
        self.assertGreaterEqual(len(copies), 2)
        for name in copies:
            self.assertEqual(s.statement_of(os.path.join(target, agent, name))["predicate"]["agent"]["id"], agent)


if __name__ == "__main__":
    unittest.main(verbosity=2)
