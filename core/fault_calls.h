// SPDX-License-Identifier: Apache-2.0
// The system calls that touch the disk, replaced in the test program alone: the n-th of a process,
// whichever thread makes it, ends it or fails. SQLite and our own code both come by here.
#pragma once

namespace vouch::faults {

// kill: the process ends (exit status 42) at its n-th fsync, fdatasync, syncfs, rename or
// unlink.
void kill_at(long n);
// The n-th write, pwrite, fsync, fdatasync, syncfs, rename, opening for writing, mkdir, unlink or
// ftruncate fails with `error`; if `lasting`, so does every later one that needs space.
void fail_at(long n, int error, bool lasting);
// True if that call was reached.
bool reached();
void disarm();

}  // namespace vouch::faults
