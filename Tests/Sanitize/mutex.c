// Tells ThreadSanitizer what it cannot see: where two threads want one Synchronization.Mutex at a time, the lock is got
// in a library of the toolchain that was not built with it. What they do under the lock, one behind the other, looks
// like a race then. Loaded before that library (LD_PRELOAD) by .ci/sanitize, this says when the lock is got and given
// back; no report is suppressed.
//
// The two functions are the slow ways of `_MutexHandle`, in the calling convention of Swift: `self`, the address of the
// lock's word, comes in the context register.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *lock

typedef SWIFT void (*Lock)(uint32_t thread, SELF);
typedef SWIFT void (*Unlock)(SELF);

// ThreadSanitizer's own; without it, as in the build tool, there is nobody to tell.
__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);

SWIFT void lockSlow(uint32_t thread, SELF) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void unlockSlow(SELF) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

SWIFT void lockSlow(uint32_t thread, SELF) {
    ((Lock)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"))(thread, lock);
    if (__tsan_acquire) __tsan_acquire(lock);
}

SWIFT void unlockSlow(SELF) {
    if (__tsan_release) __tsan_release(lock);
    ((Unlock)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"))(lock);
}
