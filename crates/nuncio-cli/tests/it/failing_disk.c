/* A disk that fails while a file says so, and a record of what reached it: preloaded into the program that is tested.
 * The first byte of the file that NUNCIO_FAULT_FILE names is S: nothing can be flushed; W: the disk is full.
 * NUNCIO_DISK_RECORD gets all that is done to relay.db and relay.db-wal: kind, file, place, length, bytes.
 * Kinds: w, bytes were written; t, the file was cut; f, it was flushed; e, a flush failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* What is recorded happened in this order. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static int fault(void) {
    const char *path = getenv("NUNCIO_FAULT_FILE");
    char byte = 0;
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    if (read(file, &byte, 1) != 1) byte = 0;
    close(file);
    return byte;
}

/* 0 for the database, 1 for its log, -1 for what is not recorded. */
static int recorded(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return -1;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    if (!name) return -1;
    return strcmp(name, "/relay.db") == 0 ? 0 : strcmp(name, "/relay.db-wal") == 0 ? 1 : -1;
}

static void record(char kind, int which, uint64_t place, const void *bytes, uint64_t length) {
    static int to = -1;
    const char *path = getenv("NUNCIO_DISK_RECORD");
    if (which < 0 || !path) return;
    if (to < 0) to = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char head[18] = {kind, (char)which};
    memcpy(head + 2, &place, 8);
    memcpy(head + 10, &length, 8);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, bytes ? length : 0}};
    if (syscall(SYS_writev, to, parts, 2) < 0) abort();
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

#define FLUSH(name)                                       \
    int name(int file) {                                  \
        int which = recorded(file), done = -1;            \
        pthread_mutex_lock(&order);                       \
        if (fault() == 'S') errno = EIO;                  \
        else done = REAL(int, name, int)(file);           \
        int error = errno;                                \
        record(done == 0 ? 'f' : 'e', which, 0, NULL, 0); \
        pthread_mutex_unlock(&order);                     \
        errno = error;                                    \
        return done;                                      \
    }

#define WRITE(name, place_type)                                                                               \
    ssize_t name(int file, const void *bytes, size_t count, place_type place) {                               \
        int which = recorded(file);                                                                           \
        if (which < 0) return REAL(ssize_t, name, int, const void *, size_t, place_type)(file, bytes, count, place); \
        if (fault() == 'W') { errno = ENOSPC; return -1; }                                                    \
        pthread_mutex_lock(&order);                                                                           \
        ssize_t done = REAL(ssize_t, name, int, const void *, size_t, place_type)(file, bytes, count, place); \
        if (done > 0) record('w', which, (uint64_t)place, bytes, (uint64_t)done);                             \
        pthread_mutex_unlock(&order);                                                                         \
        return done;                                                                                          \
    }

#define CUT(name, place_type)                                              \
    int name(int file, place_type length) {                                \
        int which = recorded(file);                                        \
        pthread_mutex_lock(&order);                                        \
        int done = REAL(int, name, int, place_type)(file, length);         \
        if (done == 0) record('t', which, (uint64_t)length, NULL, 0);      \
        pthread_mutex_unlock(&order);                                      \
        return done;                                                       \
    }

FLUSH(fsync)
FLUSH(fdatasync)
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

ssize_t write(int file, const void *bytes, size_t count) {
    int which = recorded(file);
    if (which < 0) return REAL(ssize_t, write, int, const void *, size_t)(file, bytes, count);
    off_t place = lseek(file, 0, SEEK_CUR);
    if (fault() == 'W') { errno = ENOSPC; return -1; }
    pthread_mutex_lock(&order);
    ssize_t done = REAL(ssize_t, write, int, const void *, size_t)(file, bytes, count);
    if (done > 0) record('w', which, (uint64_t)place, bytes, (uint64_t)done);
    pthread_mutex_unlock(&order);
    return done;
}
