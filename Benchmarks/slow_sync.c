// A disk that takes its time: every fdatasync waits DWELL_BENCH_SYNC_MS milliseconds more, as on a volume across a
// network. For LD_PRELOAD, in front of PostgreSQL.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int fdatasync(int file) {
    static int (*sync)(int);
    if (!sync) sync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *text = getenv("DWELL_BENCH_SYNC_MS");
    long milliseconds = text ? atol(text) : 0;
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
    return sync(file);
}
