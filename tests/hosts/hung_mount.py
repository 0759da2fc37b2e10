# SPDX-License-Identifier: Apache-2.0
"""A FUSE file system whose program never answers, as a network file system whose server is gone.

usage: hung_mount.py POINT COMMAND ...     mounts it at POINT in a mount namespace of its own, and runs COMMAND there
"""
import ctypes
import os
import subprocess
import sys

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        print(f"hung_mount: {what}: {os.strerror(error)}", file=sys.stderr)
        sys.exit(77)


def main():
    point, command = sys.argv[1], sys.argv[2:]
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        print(f"hung_mount: /dev/fuse: {error}", file=sys.stderr)
        return 77
    check(libc.unshare(CLONE_NEWNS), "unshare")
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate")
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    check(libc.mount(b"dead.example:/export", point.encode(), b"fuse.dead", 0, options), "mount")
    # The command's exit must not wait for what it left behind in the kernel: closing the device ends that.
    done = subprocess.run(command, check=False)
    os.close(device)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
