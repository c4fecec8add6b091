// A wall clock that a test turns: adds the seconds in the file $TEST_CLOCK to the time. Loaded with LD_PRELOAD.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int) syscall(SYS_clock_gettime, clock, time);
    const char *path = getenv("TEST_CLOCK");
    if (result == 0 && clock == CLOCK_REALTIME && path) {
        char seconds[32] = "";
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            if (read(file, seconds, sizeof seconds - 1) > 0)
                time->tv_sec += atol(seconds);
            close(file);
        }
    }
    return result;
}
