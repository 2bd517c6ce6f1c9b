// The disk under SQLite's log, for LD_PRELOAD. What fdatasync has brought to it is kept in the folder TEST_DISK, as
// `log`: what would be left of the log when the power goes. While the folder holds a file `hold`, the disk takes its
// time, and says so by a file `held`; while it holds a file `broken`, the disk fails. What a failure has lost stays lost,
// and is not told again, as on Linux: until the log begins anew.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 32 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_lost;
static char lost_header[HEADER];

static char *in_folder(char *path, const char *name) {
    snprintf(path, PATH_MAX, "%s/%s", getenv("TEST_DISK"), name);
    return path;
}

static int there_is(const char *name) {
    char path[PATH_MAX];
    return access(in_folder(path, name), F_OK) == 0;
}

static void make(const char *name) {
    char path[PATH_MAX];
    close(open(in_folder(path, name), O_CREAT | O_WRONLY, 0600));
}

static void read_header(const char *log, char *header) {
    int file = open(log, O_RDONLY);
    memset(header, 0, HEADER);
    if (read(file, header, HEADER) < 0) abort();
    close(file);
}

static void copy(const char *from, const char *to) {
    char buffer[1 << 16];
    int source = open(from, O_RDONLY), target = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    for (ssize_t count; (count = read(source, buffer, sizeof buffer)) > 0;)
        if (write(target, buffer, count) != count) abort();
    close(source);
    close(target);
}

static int sync_log(const char *log, int file, int (*sync)(int)) {
    char header[HEADER], before[PATH_MAX], after[PATH_MAX];
    while (there_is("hold")) {
        make("held");
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    read_header(log, header);
    if (there_is("broken")) {
        is_lost = 1;
        memcpy(lost_header, header, HEADER);
        errno = EIO;
        return -1;
    }
    if (is_lost && memcmp(lost_header, header, HEADER) == 0) return 0;
    is_lost = 0;
    copy(log, in_folder(before, "log.new"));
    int code = sync(file);
    if (code == 0) rename(before, in_folder(after, "log"));
    return code;
}

int fdatasync(int file) {
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    char link[64], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 4 || strcmp(path + length - 4, "-wal") != 0) return sync(file);
    pthread_mutex_lock(&lock);
    int code = sync_log(path, file, sync);
    pthread_mutex_unlock(&lock);
    return code;
}
