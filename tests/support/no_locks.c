/* Preloaded into a process: files below the folder NO_LOCKS_BELOW cannot be locked, as on some shares. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int has_locks(int file) {
    const char *below = getenv("NO_LOCKS_BELOW");
    char link[64], path[4096];
    if (!below) return 1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 1;
    path[length] = 0;
    return strncmp(path, below, strlen(below)) != 0;
}

static int is_lock(int command) {
    return command == F_GETLK || command == F_SETLK || command == F_SETLKW || command == F_OFD_GETLK ||
           command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

static int forwarded(const char *name, int file, int command, void *argument) {
    int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
    if (is_lock(command) && !has_locks(file)) {
        errno = ENOLCK;
        return -1;
    }
    return next(file, command, argument);
}

int fcntl(int file, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return forwarded("fcntl", file, command, argument);
}

int fcntl64(int file, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return forwarded("fcntl64", file, command, argument);
}

int flock(int file, int operation) {
    int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    if (!has_locks(file)) {
        errno = ENOLCK;
        return -1;
    }
    return next(file, operation);
}
