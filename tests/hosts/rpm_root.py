# SPDX-License-Identifier: Apache-2.0
"""Packages, a database and repositories of an RPM system, made by rpm's and createrepo's own tools."""
import os
import shutil

import prepared as p

DATABASE = "/usr/lib/sysimage/rpm"


def require(*tools):
    p.require_root()
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise p.Skip(f"not installed: {', '.join(missing)}")


class Builder:
    """Builds packages without files. Each home has the macros that the tools read: of a root its database is in the
    usual place; rpmbuild makes the one that it is told, and must not make this machine's."""

    def __init__(self, directory):
        self.dir = os.path.join(directory, "build")
        self.env = self.home(os.path.join(directory, "home"), DATABASE)
        self.build_env = self.home(self.dir, self.dir + "/db")

    def home(self, path, database):
        os.makedirs(path)
        with open(os.path.join(path, ".rpmmacros"), "w", encoding="ascii") as file:
            file.write(f"%_topdir {self.dir}\n%_dbpath {database}\n")
        return {**p.ENVIRONMENT, "HOME": path}

    def package(self, name, version, release="1", epoch=None, vendor="Example", arch="noarch"):
        spec = os.path.join(self.dir, "spec")
        with open(spec, "w", encoding="ascii") as file:
            file.write(f"Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: x\nLicense: x\nVendor: {vendor}\n"
                       + (f"Epoch: {epoch}\n" if epoch is not None else "") + "%description\nx\n%files\n")
        p.start(["rpmbuild", "-bb", "--target", arch, spec], env=self.build_env)
        return os.path.join(self.dir, "RPMS", arch, f"{name}-{version}-{release}.{arch}.rpm")

    def install(self, root, *packages):
        os.makedirs(root + DATABASE, exist_ok=True)
        p.start(["rpm", "--root", root, "--dbpath", DATABASE, "-i", "--nodeps", "--noscripts", "--force", "--ignorearch", *packages], env=self.env)

    def remove(self, root, *names):
        p.start(["rpm", "--root", root, "--dbpath", DATABASE, "-e", "--nodeps", "--noscripts", *names], env=self.env)

    def listed(self, root):
        """What rpm itself says is installed."""
        return set(p.start(["rpm", "--root", root, "--dbpath", DATABASE, "-qa"], env=self.env).split())


def updateinfo(advisories):
    """`advisories`: (id, type, severity, [(name, epoch, version, release, arch)])."""
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n'
    for name, kind, severity, packages in advisories:
        text += (f'<update from="x@example" status="final" type="{kind}" version="1"><id>{name}</id><title>t</title>'
                 f'<issued date="2026-06-01 00:00:00"/><severity>{severity}</severity><pkglist><collection short="x"><name>x</name>')
        for package, epoch, version, release, arch in packages:
            text += (f'<package name="{package}" version="{version}" release="{release}" epoch="{epoch}" arch="{arch}">'
                     f'<filename>{package}-{version}-{release}.{arch}.rpm</filename></package>')
        text += "</collection></pkglist></update>\n"
    return text + "</updates>\n"


def repository(path, env, packages, advisories=(), options=()):
    os.makedirs(path)
    for package in packages:
        shutil.copy(package, path)
    p.start(["createrepo_c", "-q", *options, path], env=env)
    if advisories:
        with open(path + "/updateinfo.xml", "w", encoding="ascii") as file:
            file.write(updateinfo(advisories))
        p.start(["modifyrepo_c", "--mdtype=updateinfo", *(["--compress-type=zstd"] if "--zstd" in options else []),
                 path + "/updateinfo.xml", path + "/repodata"], env=env)


def with_repositories(image, installed, base, site, options=()):
    """Installs packages into the image, and makes two repositories beside it: `base` is packages and advisories.
    Returns the builder and the directories of both."""
    builder = Builder(image.dir)
    builder.install(image.path, *(builder.package(*one) for one in installed))
    paths = []
    for name, (packages, advisories) in (("base", base), ("site", (site, ()))):
        paths.append(os.path.join(image.dir, name))
        repository(paths[-1], builder.env, [builder.package(*one) for one in packages], advisories, options)
    return builder, *paths
