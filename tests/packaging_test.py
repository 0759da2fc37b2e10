#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed, what the units start and what the packages say of both are one thing.

Usage: packaging_test.py SOURCE_TREE BUILD_DIR    exit 0: it is; 1: each breach on a line
       packaging_test.py --self-test              shows that the rules can fail

Units are also given to `systemd-analyze verify` and `security`, where that is installed; where it
is not, the last line says so.
"""
import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MAX = 1.5
SECONDS_MAX = 120
# What a unit may start besides ours.
FOREIGN = {"/bin/kill"}
# Pages of the manual that belong to no program.
OTHER_PAGES = {"vouchd.yaml.5"}


def installed_files(build):
    """{path: component}, as CMake's install scripts have it, below the prefix /usr."""
    files = {}
    with open(os.path.join(build, "packaging", "cmake_install.cmake"), encoding="utf-8") as file:
        script = file.read()
    # Each rule stands in an if() on its component.
    for block in re.split(r"(?=if\(CMAKE_INSTALL_COMPONENT STREQUAL )", script)[1:]:
        component = re.match(r'if\(CMAKE_INSTALL_COMPONENT STREQUAL "(\w+)"', block).group(1)
        rule = re.compile(r'file\(INSTALL DESTINATION "([^"]+)" TYPE (\w+)(?: RENAME "([^"]+)")?([^)]*)\)')
        for destination, kind, renamed, rest in rule.findall(block):
            destination = destination.replace("${CMAKE_INSTALL_PREFIX}", "/usr")
            for source in re.findall(r'"([^"]+)"', rest):
                if kind == "DIRECTORY" and not os.path.isdir(source):
                    continue  # A pattern of FILES_MATCHING.
                names = [renamed or os.path.basename(source)]
                if kind == "DIRECTORY":
                    names = [os.path.relpath(os.path.join(at, name), os.path.dirname(source))
                             for at, _, inside in os.walk(source) for name in inside if name.endswith(".yaml")]
                for name in names:
                    files[os.path.join(destination, name)] = component
    return files


def unit_values(text, key):
    return [line.split("=", 1)[1].strip() for line in text.split("\n") if line.startswith(key + "=")]


def unit_breaches(units, files, users):
    """units: {name: text}. Each is installed, with what it starts, and its users are made."""
    for name, text in units.items():
        if f"/usr/lib/systemd/system/{name}" not in files:
            yield f"systemd/{name}: not installed"
        for line in (v for key in ("ExecStart", "ExecReload") for v in unit_values(text, key)):
            program = line.split()[0].lstrip("-+!@:")
            if program not in files and program not in FOREIGN:
                yield f"systemd/{name}: starts {program}, which is not installed"
        for key in ("User", "Group", "SocketUser", "SocketGroup"):
            for user in unit_values(text, key):
                if user not in users | {"root"}:
                    yield f"systemd/{name}: {key}={user}, whom sysusers.d does not make"


def page_breaches(files):
    pages = {os.path.basename(path) for path in files if "/share/man/" in path}
    for path in files:
        name = os.path.basename(path)
        is_program = os.path.dirname(path) in ("/usr/bin", "/usr/sbin", "/usr/libexec/vouch")
        if is_program and not any(page.rsplit(".", 1)[0] == name for page in pages):
            yield f"{path}: no manual page"
    programs = {os.path.basename(path) for path in files}
    for page in pages - OTHER_PAGES:
        if page.rsplit(".", 1)[0] not in programs:
            yield f"{page}: a manual page of no program"


def spec_breaches(spec, files):
    """Each file is in the %files list of its component, and in no other."""
    listed, component = [], None
    for line in spec.split("\n"):
        if line.startswith("%"):
            match = re.match(r"%files (\w+)", line)
            if match or not line.startswith(("%config", "%dir", "%license")):
                component = match.group(1) if match else None
            line = line.split()[-1] if line.startswith("%config") else ""
        if component and line.startswith("/"):
            listed.append((component, line))
    for path, component in files.items():
        path = path.replace("/zsh/vendor-completions/", "/zsh/site-functions/")
        owners = {owner for owner, pattern in listed
                  if fnmatch.fnmatch(path, pattern) or path.startswith(pattern + "/")}
        if owners != {component}:
            yield f"packaging/vouch.spec: {path} is of {component}, and listed for {sorted(owners) or 'nobody'}"


def collector_breaches(source, files):
    installed = {os.path.basename(path) for path in files if "/collectors/" in path}
    for name in ("packaging/vouchd.yaml", "packaging/debian/vouch-agent.postinst", "packaging/vouch.spec"):
        with open(os.path.join(source, name), encoding="utf-8") as file:
            text = file.read()
        for collector in sorted(installed):
            if collector not in text:
                yield f"{name}: the collector {collector} is installed, and not named here"


def help_breaches(source, build):
    """Every option that a program has is in its page; groff has nothing to say of any page."""
    with tempfile.TemporaryDirectory() as out:
        bin_dir = os.path.join(build, "bin")
        subprocess.run([sys.executable, os.path.join(source, "packaging/man/make_man.py"), bin_dir, source, out],
                       check=True, timeout=SECONDS_MAX)
        for page in sorted(os.listdir(out)):
            with open(os.path.join(out, page), encoding="utf-8") as file:
                text = file.read().replace("\\-", "-")
            program = os.path.join(bin_dir, page.rsplit(".", 1)[0])
            if os.path.exists(program):
                said = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=SECONDS_MAX).stdout
                for option in sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", said))):
                    if option not in text:
                        yield f"{page}: {option} of --help is not in it"
            if shutil.which("groff"):
                said = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-K", "utf8", "-z", os.path.join(out, page)],
                                      capture_output=True, text=True, timeout=SECONDS_MAX)
                for line in said.stderr.strip().split("\n"):
                    if line and "can't break line" not in line and "cannot adjust" not in line:
                        yield f"{page}: groff: {line}"


def script_breaches(source):
    for path in sorted(glob.glob(os.path.join(source, "packaging/debian/vouch-*.p*"))):
        ran = subprocess.run(["sh", "-n", path], capture_output=True, text=True)
        if ran.returncode:
            yield f"{path}: {ran.stderr.strip()}"


def systemd_breaches(source):
    paths = sorted(glob.glob(os.path.join(source, "systemd", "*.*")))
    paths = [path for path in paths if os.path.isfile(path)]
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths],
                          capture_output=True, text=True, timeout=SECONDS_MAX).stderr
    for line in said.split("\n"):
        # The programs are not installed where this runs; unit_breaches() looks after them.
        if "vouch" in line and "is not executable" not in line:
            yield f"systemd-analyze verify: {line}"
    for path in paths:
        if not path.endswith(".service"):
            continue
        ran = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", path],
                             capture_output=True, text=True, timeout=SECONDS_MAX)
        overall = re.search(r"exposure level for \S+: ([0-9.]+)", ran.stdout)
        if not overall:
            yield f"{path}: systemd-analyze security says nothing: {ran.stderr.strip()}"
        elif float(overall.group(1)) > EXPOSURE_MAX:
            yield f"{path}: exposure {overall.group(1)}, over {EXPOSURE_MAX}"


def read_units(source):
    units = {}
    for path in glob.glob(os.path.join(source, "systemd", "*.*")):
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                units[os.path.basename(path)] = file.read()
    return units


def read_users(source):
    users = set()
    for path in glob.glob(os.path.join(source, "systemd/sysusers.d/*.conf")):
        with open(path, encoding="utf-8") as file:
            users |= set(re.findall(r"^u\s+(\S+)", file.read(), re.M))
    return users


def breaches(source, build):
    files = installed_files(build)
    if not files:
        yield f"{build}: no install rule was found"
    yield from unit_breaches(read_units(source), files, read_users(source))
    yield from page_breaches(files)
    with open(os.path.join(source, "packaging/vouch.spec"), encoding="utf-8") as file:
        yield from spec_breaches(file.read(), files)
    yield from collector_breaches(source, files)
    yield from script_breaches(source)
    yield from help_breaches(source, build)
    if shutil.which("systemd-analyze"):
        yield from systemd_breaches(source)


def self_test():
    files = {"/usr/sbin/vouchd": "agent", "/usr/lib/systemd/system/a.service": "agent"}
    good = "[Service]\nExecStart=/usr/sbin/vouchd --once\nUser=vouch\n"
    assert not list(unit_breaches({"a.service": good}, files, {"vouch"}))
    assert "not installed" in next(unit_breaches({"b.service": good}, files, {"vouch"}))
    assert "starts" in next(unit_breaches({"a.service": good.replace("vouchd", "x")}, files, {"vouch"}))
    assert "sysusers" in next(unit_breaches({"a.service": good}, files, set()))
    assert "no manual page" in next(page_breaches(files))
    assert "of no program" in next(page_breaches({"/usr/share/man/man8/x.8": "agent"}))
    spec = "%files agent\n%license L\n%config(noreplace) /etc/x\n/usr/sbin/vouchd\n/usr/lib/systemd/system/a.*\n%post\n/usr/x\n"
    assert not list(spec_breaches(spec, {**files, "/etc/x": "agent"}))
    assert "nobody" in next(spec_breaches(spec, {"/usr/x": "agent"}))
    assert "is of cli" in next(spec_breaches(spec, {"/usr/sbin/vouchd": "cli"}))


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    found = list(breaches(*sys.argv[1:]))
    print("\n".join(found))
    if not shutil.which("systemd-analyze"):
        print("NOT CHECKED: systemd-analyze is not installed, so nobody has read the units")
    return 1 if found else 0


sys.exit(main())
