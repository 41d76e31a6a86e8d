/* A disk that fails while a file says so: preloaded into the program that is tested.
 * The first byte of the file that NUNCIO_FAULT_FILE names is S: nothing can be flushed; W: the disk is full. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static int fault(void) {
    const char *path = getenv("NUNCIO_FAULT_FILE");
    char byte = 0;
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    if (read(file, &byte, 1) != 1) byte = 0;
    close(file);
    return byte;
}

#define FLUSH(name)                                             \
    int name(int file) {                                        \
        int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name); \
        if (fault() == 'S') { errno = EIO; return -1; }         \
        return real(file);                                      \
    }

#define WRITE(name, offset_type)                                                        \
    ssize_t name(int file, const void *bytes, size_t count, offset_type offset) {       \
        ssize_t (*real)(int, const void *, size_t, offset_type) =                       \
            (ssize_t(*)(int, const void *, size_t, offset_type))dlsym(RTLD_NEXT, #name); \
        if (fault() == 'W') { errno = ENOSPC; return -1; }                              \
        return real(file, bytes, count, offset);                                        \
    }

FLUSH(fsync)
FLUSH(fdatasync)
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)
