# SPDX-License-Identifier: Apache-2.0
"""Servers on loopback that speak the shapes of GitHub's and Okta's APIs, and some that misbehave.

Shapes: docs.github.com/en/rest (members, repositories, branch protection, rules for a branch; API version
2022-11-28) and developer.okta.com/docs/api (users, factors).
"""
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.parse

TOKEN = "github_pat_for_this_test_alone"


def make_certificate(directory, name):
    """A self-signed certificate for 127.0.0.1, its key, and the pin of the key."""
    cert, key = f"{directory}/{name}.pem", f"{directory}/{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    spki = subprocess.run(f"openssl x509 -in {cert} -pubkey -noout | openssl pkey -pubin -outform der | "
                          "openssl dgst -sha256 -binary | openssl base64", shell=True, check=True,
                          capture_output=True, text=True).stdout.strip()
    return cert, key, "sha256//" + spki


class Api:
    """Answers by `routes`: path → function(query, server) that gives (status, body, headers)."""

    def __init__(self, routes, certificate=None):
        self.asked, self.headers = [], []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                api.asked.append(self.path)
                api.headers.append(dict(self.headers))
                route = routes.get(url.path)
                status, body, headers = route(dict(urllib.parse.parse_qsl(url.query)), api) if route else \
                    (404, {"message": "Not Found"}, [])
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                given = {name.lower() for name, _ in headers}
                if "content-type" not in given:
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                if "content-length" not in given:
                    self.send_header("Content-Length", str(len(raw)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)
                if "content-length" in given:
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate[:2])
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = "https" + self.url[4:]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def github_user(number, login):
    return {"login": login, "id": number, "node_id": f"U_{number}", "type": "User", "site_admin": False,
            "url": f"https://api.github.com/users/{login}"}


def github_repository(number, name, **more):
    return {"id": number, "name": name, "full_name": "EXAMPLE/" + name, "private": True, "visibility": "private",
            "archived": False, "default_branch": "main", "owner": {"login": "EXAMPLE"}, **more}


def github_members(query, api):
    if query.get("filter") == "2fa_disabled":
        return 200, [github_user(3, "carol")], []
    if query.get("role") == "admin":
        return 200, [github_user(1, "alice")], []
    page = int(query.get("page", "1"))
    link = f'<{api.url}/orgs/EXAMPLE/members?per_page=100&page=2>; rel="next", ' \
           f'<{api.url}/orgs/EXAMPLE/members?per_page=100&page=2>; rel="last"'
    if page == 1:
        return 200, [github_user(1, "alice"), github_user(2, "bob")], [("Link", link)]
    return 200, [github_user(3, "carol")], [("Link", f'<{api.url}/orgs/EXAMPLE/members?page=1>; rel="first"')]


PROTECTION = {
    "url": "https://api.github.com/repos/EXAMPLE/website/branches/main/protection",
    "required_status_checks": {"strict": True, "contexts": ["build"], "checks": [{"context": "build", "app_id": 1}]},
    "required_pull_request_reviews": {"dismiss_stale_reviews": True, "require_code_owner_reviews": False,
                                      "required_approving_review_count": 2, "require_last_push_approval": False},
    "enforce_admins": {"url": "…", "enabled": True}, "required_linear_history": {"enabled": False},
    "allow_force_pushes": {"enabled": False}, "allow_deletions": {"enabled": False},
    "required_signatures": {"url": "…", "enabled": False}}


def github():
    return {
        "/orgs/EXAMPLE/members": github_members,
        "/orgs/EXAMPLE/repos": lambda *_: (200, [github_repository(1, "website"), github_repository(2, "notes"),
                                                 github_repository(3, "secret")], []),
        "/repos/EXAMPLE/website/branches/main/protection": lambda *_: (200, PROTECTION, []),
        "/repos/EXAMPLE/notes/branches/main/protection":
            lambda *_: (404, {"message": "Branch not protected", "documentation_url": "…"}, []),
        "/repos/EXAMPLE/website/rules/branches/main":
            lambda *_: (200, [{"type": "pull_request", "ruleset_source_type": "Repository", "ruleset_id": 42,
                               "parameters": {"required_approving_review_count": 1}},
                              {"type": "non_fast_forward", "ruleset_source_type": "Repository", "ruleset_id": 42}], []),
        "/repos/EXAMPLE/notes/rules/branches/main": lambda *_: (200, [], []),
        "/repos/EXAMPLE/secret/rules/branches/main": lambda *_: (200, [], []),
    }


def okta_user(number, login, **more):
    return {"id": f"00u{number}", "status": "ACTIVE", "created": "2026-01-02T03:04:05.000Z", "activated": None,
            "statusChanged": None, "lastLogin": "2026-11-20T08:00:00.000Z", "lastUpdated": "2026-11-20T08:00:00.000Z",
            "passwordChanged": "2026-06-01T00:00:00.000Z", "type": {"id": "oty1"},
            "profile": {"login": login, "email": login, "firstName": "A", "lastName": "B"},
            "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}}, **more}


def okta():
    state = {"limited": 0}

    def users(query, api):
        if "after" not in query:
            return 200, [okta_user(1, "alice@example.com")], [
                ("Link", f'<{api.url}/api/v1/users?limit=200>; rel="self"'),
                ("Link", f'<{api.url}/api/v1/users?after=00u1&limit=200>; rel="next"')]
        if state["limited"] == 0:  # The first time, the limit of a minute is used up.
            state["limited"] = 1
            return 429, {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit"}, [
                ("X-Rate-Limit-Limit", "600"), ("X-Rate-Limit-Remaining", "0"),
                ("X-Rate-Limit-Reset", str(int(time.time())))]
        return 200, [okta_user(2, "bob@example.com", lastLogin=None, passwordChanged=None)], [
            ("Link", f'<{api.url}/api/v1/users?after=00u1&limit=200>; rel="self"')]

    return {
        "/api/v1/users": users,
        "/api/v1/users/00u1/factors": lambda *_: (200, [
            {"id": "fuf1", "factorType": "webauthn", "provider": "FIDO", "vendorName": "FIDO", "status": "ACTIVE",
             "created": "2026-01-02T03:04:05.000Z", "profile": {"credentialId": "x"}}], []),
        "/api/v1/users/00u2/factors": lambda *_: (200, [], []),
    }
