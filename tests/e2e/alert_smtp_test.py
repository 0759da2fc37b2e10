#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts by mail, to a real SMTP server (aiosmtpd) with STARTTLS and a password."""
import email
import email.policy
import json
import unittest

import alert_site as a
import site_under_test as s

PYTHON = a.need_module("aiosmtpd", "python3-aiosmtpd")
PASSWORD = "correct-horse-4711"
SERVER = r"""
import json, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
port, mails, cert, key = int(sys.argv[1]), *sys.argv[2:5]

class Keeper:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        with open(mails, "a") as file:
            file.write(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": bool(session.ssl),
                                   "content": envelope.content.decode("ascii")}) + "\n")
        return "250 OK"

def check(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"vouch" and data.password == b"PASSWORD", handled=False)

context = None
if cert != "none":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
Controller(Keeper(), hostname="127.0.0.1", port=port, tls_context=context, require_starttls=context is not None,
           authenticator=check, auth_required=context is not None, auth_require_tls=context is not None).start()
while True:
    time.sleep(60)
""".replace("PASSWORD", PASSWORD)


class Mail(unittest.TestCase):
    def setUp(self):
        self.shipper = a.Shipper()
        self.addCleanup(self.shipper.close)
        self.port = s.free_port()
        self.mails = self.shipper.dir + "/mails"

    def serve(self, tls=True, alt="IP:127.0.0.1,DNS:localhost"):
        ca, cert, key = self.shipper.certificate(alt=alt)
        argv = [PYTHON, "-c", SERVER, str(self.port), self.mails, cert if tls else "none", key]
        self.shipper.start(argv, self.port)
        return ca

    def channel(self, ca, password=PASSWORD, to="ops@example.com", more=""):
        path = self.shipper.secret("password", password)
        self.shipper.rules(f"  mail: {{ kind: smtp, url: 'smtp://127.0.0.1:{self.port}', user: vouch, "
                           f"password_file: {path}, from: vouch@example.com, to: [{to}], ca_file: {ca}, "
                           f"timeout: 20s{more} }}\n")

    def received(self):
        try:
            with open(self.mails, encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def refused(self, done):
        self.assertEqual(done.code, 75, done)
        self.assertNotIn("sent", self.shipper.answer(1))
        self.assertEqual(self.received(), [])
        message = self.shipper.answer(1)["message"]
        self.assertNotIn(PASSWORD, message + done.err)
        return message

    def test_a_mail_is_sent_under_tls_and_says_all(self):
        self.channel(self.serve(), to="ops@example.com, second@example.com")
        self.shipper.put(1, "mail")
        done = self.shipper.ship()
        self.assertEqual(done.code, 0, done)
        self.assertIn("sent", self.shipper.answer(1))
        mail, = self.received()
        self.assertTrue(mail["tls"])
        self.assertEqual(mail["to"], ["ops@example.com", "second@example.com"])
        message = email.message_from_string(mail["content"], policy=email.policy.default)
        self.assertEqual(message["Subject"], "[high] web-01: No login account unused for 90 days (firing, 1)")
        self.assertEqual(message["Message-ID"], f"<vouch.1.{a.AGENT}@example.com>")
        text = message.get_content()
        for part in ("zoë", "soc2-2017 CC6.1", "max_days = 90", "2026-11-21T19:30:02Z", "naïvely: “usermod”"):
            self.assertIn(part, text)
        self.assertEqual(message.defects, [])

    def test_a_subject_that_is_not_ascii_arrives(self):
        self.channel(self.serve())
        title = "Größe " * 25
        self.shipper.put(1, "mail", [a.condition(title=title)])
        done = self.shipper.ship()
        self.assertEqual(done.code, 0, done)
        message = email.message_from_string(self.received()[0]["content"], policy=email.policy.default)
        self.assertIn(title[:100], message["Subject"])

    def test_a_certificate_of_another_ca_or_name_gets_no_password(self):
        self.serve()
        other, _, _ = self.shipper.certificate("other")
        self.channel(other)
        self.shipper.put(1, "mail")
        self.assertIn("certificate", self.refused(self.shipper.ship()))

    def test_a_certificate_of_another_name_gets_no_password(self):
        self.channel(self.serve(alt="DNS:mail.example.com"))
        self.shipper.put(1, "mail")
        self.assertIn("certificate", self.refused(self.shipper.ship()))

    def test_a_server_without_tls_gets_neither_password_nor_mail(self):
        self.channel(self.serve(tls=False))
        self.shipper.put(1, "mail")
        self.assertIn("TLS", self.refused(self.shipper.ship()))

    def test_a_wrong_password_is_said_and_not_shown(self):
        self.channel(self.serve(), password="wrong-4711")
        self.shipper.put(1, "mail")
        done = self.shipper.ship()
        message = self.refused(done)
        self.assertIn("refuses user and password", message)
        self.assertNotIn("wrong-4711", message + done.err)

    def test_an_unknown_recipient_is_the_servers_550(self):
        self.channel(self.serve(), to="nobody@example.com")
        self.shipper.put(1, "mail")
        self.assertIn("550", self.refused(self.shipper.ship()))

    def test_a_password_that_others_can_read_is_not_used(self):
        self.channel(self.serve())
        self.shipper.secret("password", PASSWORD, 0o644)
        self.shipper.put(1, "mail")
        self.assertIn("chmod 0640", self.refused(self.shipper.ship()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
