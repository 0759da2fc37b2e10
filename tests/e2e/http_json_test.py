#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_json against real servers on loopback, with the configurations that are shipped: what a new
user would do, by `vouch collect`, `vouch check` and `vouchd --once`."""
import json
import os
import unittest

import api_server as a
import site_under_test as s

PACK = s.SOURCE + "/packaging/examples/packs/github.yaml"
REGISTER = """register: github_owners
owner: security
as_of: 2026-06-01T00:00:00Z
key: [login]
columns: { login: text, person: text }
rows: [{ login: alice, person: P-17 }]
"""
ONE_SOURCE = """servers: {{ api: {{ url: "{url}"{server} }} }}
sources:
  - {{ table: users, server: api, path: /users, {source}columns: [{{ name: id, type: integer, key: true }}] }}
"""


class HttpJson(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.file = self.site.dir + "/http_json.yaml"
        self.host = self.site.host(collectors=f"  http_json: {{ options: {{ file: {self.file} }} }}\n")
        self.token = s.write(self.site.dir + "/token", a.TOKEN + "\n")
        self.certificate = a.make_certificate(self.site.dir, "api")

    def configure(self, example, old_url, url, credential):
        with open(f"{s.SOURCE}/packaging/examples/{example}.yaml", encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old_url, text)
        s.write(self.file, text.replace(old_url, url + f"\n    ca_file: {self.certificate[0]}").replace(
            f"credential: {credential}", f"credential: {self.token}"), 0o644)

    def collect(self):
        done = self.host.vouch("collect", "http_json", "--format", "json")
        self.assertNotIn(a.TOKEN, done.out + done.err)
        value = json.loads(done.out)
        return done, {name: table["rows"] for name, table in value["tables"].items()}, value["errors"]

    def error_of(self, url, server="", source=""):
        s.write(self.file, ONE_SOURCE.format(url=url, server=server, source=source), 0o644)
        done, tables, errors = self.collect()
        self.assertEqual(done.code, 2, done)
        self.assertNotIn("users", tables)
        return errors["users"]["code"] + ": " + errors["users"]["message"]

    def test_a_github_organisation(self):
        with a.Api(a.github(), self.certificate) as api:
            self.configure("github", "https://api.github.com", api.url, "github")
            done, tables, errors = self.collect()
        self.assertEqual((done.code, errors), (0, {}), done)
        self.assertEqual([row["login"] for row in tables["github_members"]], ["alice", "bob", "carol"])
        self.assertEqual([row["login"] for row in tables["github_members_without_2fa"]], ["carol"])
        self.assertEqual([row["login"] for row in tables["github_owners"]], ["alice"])
        self.assertEqual(len(tables["github_repositories"]), 3)
        self.assertEqual(tables["github_branch_protection"], [
            {"repository": "website", "branch": "main", "approvals": 2, "code_owners": False, "dismiss_stale": True,
             "strict_checks": True, "enforce_admins": True, "force_pushes": False, "deletions": False,
             "signatures": False}])
        self.assertEqual({row["type"]: row["parameters"] for row in tables["github_branch_rules"]},
                         {"non_fast_forward": None, "pull_request": '{"required_approving_review_count":1}'})
        # Not to be seen is not the same as not protected.
        self.assertEqual([(row["table_name"], row["object"][-43:]) for row in tables["gaps"]],
                         [("github_branch_protection", "/repos/EXAMPLE/secret/branches/main/protection"[-43:])])
        self.assertIn("answered 404: Not Found", tables["gaps"][0]["message"])
        self.assertEqual({headers.get("Authorization") for headers in api.headers}, {"Bearer " + a.TOKEN})
        self.assertEqual({headers.get("X-GitHub-Api-Version") for headers in api.headers}, {"2022-11-28"})

    def test_a_finding_is_judged_and_sealed(self):
        os.mkdir(self.site.dir + "/registers")
        s.write(self.site.dir + "/registers/owners.yaml", REGISTER, 0o644)
        with open(self.host.config, encoding="utf-8") as file:
            config = file.read()
        packs = config.index("packs: [")
        config = config[:packs] + f"registers: {self.site.dir}/registers\npacks: [{PACK}]" + \
            config[config.index("]", packs) + 1:]
        s.write(self.host.config, config)
        with a.Api(a.github(), self.certificate) as api:
            self.configure("github", "https://api.github.com", api.url, "github")
            check = self.host.vouch("check", "--format", "json")
            outcomes = {one["check"]: one["outcome"] for one in json.loads(check.out)["outcomes"]}
            once = self.host.once()
        # One repository cannot be seen by this token: of the branches nothing can be said.
        self.assertEqual(outcomes, {"github-second-factor.members": "fail", "github-owners-approved.register": "pass",
                                    "github-branches-reviewed.reviews": "fail",
                                    "github-branches-reviewed.history": "fail"}, check)
        self.assertIn("carol", check.out)
        self.assertEqual(once.code, 0, once)
        self.assertNotIn(a.TOKEN, check.out + check.err + once.out + once.err)
        for at, _, names in os.walk(self.host.dir):
            for name in names:
                with open(os.path.join(at, name), "rb") as file:
                    self.assertNotIn(a.TOKEN.encode(), file.read(), name)

    def test_an_identity_provider_with_a_rate_limit(self):
        with a.Api(a.okta(), self.certificate) as api:
            self.configure("okta", "https://example.okta.com", api.url, "okta")
            done, tables, errors = self.collect()
        self.assertEqual((done.code, errors), (0, {}), done)
        self.assertEqual([(row["login"], row["password_changed"]) for row in tables["okta_users"]],
                         [("alice@example.com", "2026-06-01T00:00:00Z"), ("bob@example.com", None)])
        self.assertEqual([row["last_login"] for row in tables["okta_logins"]], ["2026-11-20T08:00:00Z", None])
        self.assertEqual([(row["user_id"], row["factor_type"]) for row in tables["okta_factors"]],
                         [("00u1", "webauthn")])
        self.assertEqual(tables["gaps"], [])
        self.assertEqual({headers.get("Authorization") for headers in api.headers}, {"SSWS " + a.TOKEN})

    def test_a_server_is_known_by_its_ca_and_by_its_pin(self):
        users = {"/users": lambda *_: (200, [{"id": 1}], [])}
        cert, _, pin = self.certificate
        _, _, other_pin = a.make_certificate(self.site.dir, "other")
        with a.Api(users, self.certificate) as api:
            self.assertIn("permission-denied: " + api.url + "/users, page 1: its certificate is not", self.error_of(api.url))
            self.assertEqual(api.asked, [])
            self.assertIn("its key is not the one that is pinned",
                          self.error_of(api.url, f", ca_file: {cert}, pin: {other_pin}"))
            self.assertEqual(api.asked, [])
            s.write(self.file, ONE_SOURCE.format(url=api.url, server=f", ca_file: {cert}, pin: {pin}", source=""), 0o644)
            done, tables, _ = self.collect()
            self.assertEqual((done.code, tables["users"]), (0, [{"id": 1}]), done)
            self.assertEqual(tables["http_sources"][0]["pinned"], True)

    def test_a_credential_has_a_name_in_the_directory_of_the_unit(self):
        with a.Api({"/users": lambda *_: (200, [{"id": 1}], [])}) as api:
            self.assertIn("LoadCredential=", self.error_of(api.url, ", credential: token"))
            self.assertEqual(api.asked, [])
            done = self.host.vouch("collect", "http_json", env={"CREDENTIALS_DIRECTORY": self.site.dir})
            self.assertEqual(done.code, 0, done)
            self.assertNotIn(a.TOKEN, done.out + done.err)
            self.assertEqual(api.headers[0].get("Authorization"), "Bearer " + a.TOKEN)

    def test_nothing_leads_to_another_server(self):
        with a.Api({}) as other:
            routes = {"/users": lambda *_: (302, b"", [("Location", other.url + "/users")])}
            with a.Api(routes) as api:
                error = self.error_of(api.url, f", credential: {self.token}")
            self.assertIn("permission-denied: ", error)
            self.assertIn("not followed", error)
            self.assertEqual(other.asked, [])

    def test_an_answer_that_is_cut_short_or_not_what_it_says(self):
        cut = {"/users": lambda *_: (200, b'[{"id":1}', [("Content-Length", "100")])}
        with a.Api(cut) as api:
            self.assertIn("page 1: the answer is cut short", self.error_of(api.url))
            self.assertEqual(len(api.asked), 3)
        page = {"/users": lambda *_: (200, b"<html>Sign in</html>", [("Content-Type", "text/html")])}
        with a.Api(page) as api:
            self.assertIn("parse-error: " + api.url + "/users, page 1: is no JSON (text/html)", self.error_of(api.url))
        endless = {"/users": lambda query, api: (200, [{"id": int(query.get("p", 0))}], [
            ("Link", f'</users?p={int(query.get("p", 0)) + 1}>; rel="next"')])}
        with a.Api(endless) as api:
            self.assertIn("too-large: " + api.url + "/users, page 6: there are more than 5 pages",
                          self.error_of(api.url, source="pages: link, pages_max: 5, "))
        large = {"/users": lambda *_: (200, b"[" + b" " * 5000 + b"]", [])}
        with a.Api(large) as api:
            self.assertIn("too-large", self.error_of(api.url, source="page_bytes_max: 4KiB, "))

    def test_a_limit_beyond_the_deadline_is_an_error_at_once(self):
        with a.Api({"/users": lambda *_: (429, b"", [("Retry-After", "3600")])}) as api:
            self.assertIn("asked again in 3600 s", self.error_of(api.url))

    def test_a_server_that_says_nothing_ends_with_the_run(self):
        with open(self.host.config, encoding="utf-8") as file:
            config = file.read()
        s.write(self.host.config, config.replace("http_json: {", "http_json: { deadline: 8s,"))
        with s.socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            error = self.error_of(f"http://127.0.0.1:{silent.getsockname()[1]}")
        self.assertIn("timeout: ", error)

    def test_what_is_wrong_in_the_file_is_said_before_anything_runs(self):
        s.write(self.file, ONE_SOURCE.format(url="http://example.com", server="", source=""), 0o644)
        done = self.host.vouch("config", "check")
        self.assertEqual(done.code, 78, done)
        self.assertIn(self.file + ":1:", done.err)
        self.assertIn("without TLS", done.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
