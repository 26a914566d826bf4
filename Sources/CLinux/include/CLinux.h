// What glibc has and Swift's Glibc module does not show, because it stands behind _GNU_SOURCE.

#pragma once

// syncfs(2): writes out the whole filesystem that `descriptor` lies on.
int syncfs(int descriptor);

// fcntl(2), "Leases".
enum { CLINUX_F_SETLEASE = 1024 };
