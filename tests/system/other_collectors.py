# SPDX-License-Identifier: Apache-2.0
"""The collectors that are off by default, with the grants that docs/privileges.md names, in their
real sandboxes: each is switched on as an operator would, and must see what was put there for it."""
import os

from systemd_guest import HERE, SLOW, check, exposure, status_is, status_of, table_of_latest, tables_not_read

E2E = os.path.join(os.path.dirname(HERE), "e2e")
EXAMPLES = "/usr/share/doc/vouch-agent/examples"
GRANTS = {
    "vouch-collect@deleted_libraries": "CapabilityBoundingSet=CAP_SYS_PTRACE\nAmbientCapabilities=CAP_SYS_PTRACE",
    "vouch-collect@kernel_rules": "CapabilityBoundingSet=CAP_NET_ADMIN CAP_AUDIT_CONTROL\n"
                                  "AmbientCapabilities=CAP_NET_ADMIN CAP_AUDIT_CONTROL",
    "vouch-collect-net@http_json": "LoadCredential=github:/etc/vouch/secrets/github",
}
CONFIGURATION = f"""
  special_files: {{ interval: 30s }}
  package_files: {{ interval: 30s }}
  rpm_packages: {{ interval: 30s }}
  deleted_libraries: {{ interval: 30s }}
  kernel_rules: {{ interval: 30s }}
  command: {{ interval: 30s }}
  http_json: {{ interval: 30s }}
  openscap: {{ interval: 30s, options: {{ results: /var/lib/oscap/arf.xml }} }}
"""
NAMES = ("special_files", "package_files", "rpm_packages", "deleted_libraries", "kernel_rules", "command", "http_json",
         "openscap")
API = """
import sys, time
sys.path.insert(0, '/srv/api')
import api_server as a
certificate = a.make_certificate('/srv/api', 'api')
with a.Api(a.github(), certificate) as api:
    open('/srv/api/url.new', 'w').write(api.url)
    import os; os.rename('/srv/api/url.new', '/srv/api/url')
    while True:
        time.sleep(1)
        open('/srv/api/shown', 'w').write('\\n'.join(sorted({h.get('Authorization') or '' for h in api.headers})))
"""


def plant(guest):
    """Something to be seen by each of them."""
    guest.out("printf '\\n' >>/usr/bin/jq")  # Still runs, but is no longer what its package brought.
    guest.out("install -m 4755 /usr/bin/true /opt/lends-privilege")
    guest.out("cp /usr/bin/sleep /usr/local/bin/nap && systemd-run --quiet --unit nap /usr/local/bin/nap 100000 && "
              "sleep 1 && rm /usr/local/bin/nap")
    guest.out("rpm --dbpath /var/lib/rpm --initdb && "  # Debian's rpm has it in the home of who calls.
              "rpm --dbpath /var/lib/rpm -i --nodeps --justdb --noscripts --notriggers /tmp/vouch-cli-*.rpm")
    guest.out(f"mkdir -p /etc/vouch/collectors && cp {EXAMPLES}/command.yaml /etc/vouch/collectors/")
    plant_benchmark(guest)
    plant_api(guest)


def plant_benchmark(guest):
    """oscap by the timer of the examples; the benchmark is the tests' own."""
    for name in ("xccdf.xml", "oval.xml"):
        guest.host("copy", os.path.join(E2E, "scap", name), "/srv/scap/" + name)
    guest.out(f"cp {EXAMPLES}/oscap-eval.* /etc/systemd/system/ && "
              "sed -i 's|--profile [^ ]* ||; s|/usr/share/xml/scap/[^ ]*|/srv/scap/xccdf.xml|' "
              "/etc/systemd/system/oscap-eval.service && systemctl daemon-reload && "
              "systemctl enable --now oscap-eval.timer")
    status, text = guest.run("systemctl start oscap-eval.service && ls -l /var/lib/oscap/arf.xml")
    check("the example's timer leaves the results of oscap", status == 0,
          text + guest.run("journalctl -u oscap-eval -n 20 --no-pager")[1])


def plant_api(guest):
    guest.host("copy", os.path.join(E2E, "api_server.py"), "/srv/api/api_server.py")
    guest.out(f"cat >/srv/api/serve.py <<'END'\n{API}END")
    guest.out("systemd-run --quiet --unit api python3 /srv/api/serve.py")
    check("an API is there", guest.until("[ -s /srv/api/url ]", 20 * SLOW),
          guest.run("journalctl -u api -n 20 --no-pager")[1])
    guest.out("python3 -c \"import sys; sys.path.insert(0, '/srv/api'); import api_server; print(api_server.TOKEN)\" | "
              "install -m 600 /dev/stdin /etc/vouch/secrets/github")
    guest.out("install -m 644 /srv/api/api.pem /etc/vouch/collectors/api.pem && "
              f"sed \"s|url: https://api.github.com|url: $(cat /srv/api/url)\\n    ca_file: "
              f"/etc/vouch/collectors/api.pem|\" {EXAMPLES}/github.yaml >/etc/vouch/collectors/http_json.yaml")


def switch_on(guest):
    # One that the site does not trust: a unit and a user for each run.
    guest.out("systemctl disable --now vouch-collect@command.socket && "
              "systemctl enable --now vouch-collect-unit@command.socket")
    for name, text in GRANTS.items():
        guest.out(f"mkdir -p /etc/systemd/system/{name}.service.d && "
                  f"printf '[Service]\\n%s\\n' '{text}' >/etc/systemd/system/{name}.service.d/grant.conf")
    guest.out(f"systemctl daemon-reload && cat >>/etc/vouch/vouchd.yaml <<'END'\n{CONFIGURATION.strip(chr(10))}\nEND")
    status, text = guest.run("vouch config check")
    check("the configuration with all collectors is good", status == 0, text)
    guest.out("systemctl reload vouchd")


def expect(guest, table, name, found):
    rows = table_of_latest(guest, table)
    check(name, any(found(row) for row in rows), str(rows)[:600])


def see(guest, firewalled):
    expect(guest, "suid_bin", "special_files sees a set-uid file", lambda row: row["path"] == "/opt/lends-privilege")
    expect(guest, "modified_package_files", "package_files sees what was appended to a program",
           lambda row: row["path"] == "/usr/bin/jq")
    expect(guest, "rpm_packages", "rpm_packages reads the database", lambda row: row["name"] == "vouch-cli")
    expect(guest, "deleted_libraries", "deleted_libraries sees the program of another user's unit",
           lambda row: row["program"].startswith("/usr/local/bin/nap") and row["unit"] == "nap.service")
    expect(guest, "local_filesystems", "the example of command fills its table", lambda row: row["target"] == "/")
    expect(guest, "github_members_without_2fa", "http_json asks the API", lambda row: row["login"] == "carol")
    check("the API was shown the unit's credential", guest.out("cut -c1-13 /srv/api/shown") == "Bearer github",
          guest.run("cut -c1-13 /srv/api/shown")[1])
    expect(guest, "openscap_results", "openscap reads the results", lambda row: row["result"] == "fail")
    if firewalled:
        expect(guest, "firewall_loaded_chains", "kernel_rules sees a loaded chain",
               lambda row: row["chain"] == "INPUT" and row["rules"] == 1)


def other_collectors(guest, rpms):
    for rpm in rpms:
        guest.host("copy", rpm)
    plant(guest)
    firewalled = guest.run("iptables -A INPUT -p tcp --dport 9 -j DROP")[0] == 0  # Not every kernel has it.
    switch_on(guest)
    names = ", ".join(f'"{name}"' for name in NAMES)
    good = guest.until(status_is(f"[.collectors[] | select(.name | IN({names})) | .last_observed] | "
                                 f"length == {len(NAMES)} and all(. != null)"), 90 * SLOW)
    check("every other collector has been observed", good, guest.run("vouch status; journalctl -u vouchd -n 20 --no-pager")[1])
    guest.until(status_is(".waiting_bundles == 0"), 60 * SLOW)
    failures = [f"{one['name']}: {one['failure']}" for one in status_of(guest)["collectors"] if one["failure"]]
    check("none of them has failed", not failures, str(failures))
    unread = tables_not_read(guest)
    check("every table of theirs is read inside the sandbox", not unread, "\n".join(sorted(unread)))
    see(guest, firewalled)
    for name in ("vouch-collect-net@http_json", "vouch-collect-unit@command"):
        exposure(guest, name)
