// What glibc has and Swift's Glibc module does not show, because it stands behind _GNU_SOURCE.

#pragma once

#include <sys/socket.h>

// syncfs(2): writes out the whole filesystem that `descriptor` lies on.
int syncfs(int descriptor);

// accept4(2): the new socket has the flags from its beginning, before another thread can start a program that inherits it.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
enum { CLINUX_SOCK_CLOEXEC = 02000000, CLINUX_SOCK_NONBLOCK = 04000 };

// eventfd(2): a counter that poll(2) can wait for.
int eventfd(unsigned int count, int flags);
enum { CLINUX_EFD_CLOEXEC = 02000000, CLINUX_EFD_NONBLOCK = 04000 };

// fcntl(2), "Leases".
enum { CLINUX_F_SETLEASE = 1024 };

// fcntl(2), "Open file description locks".
enum { CLINUX_F_OFD_GETLK = 36, CLINUX_F_OFD_SETLK = 37 };

// renameat2(2): with the flag the new name must be free.
int renameat2(int folder, const char *name, int newFolder, const char *newName, unsigned int flags);
enum { CLINUX_RENAME_NOREPLACE = 1 };

// sync_file_range(2): with the flag it waits for what is on its way to the disk.
int sync_file_range(int descriptor, long long offset, long long count, unsigned int flags);
enum { CLINUX_SYNC_FILE_RANGE_WAIT_BEFORE = 1 };
