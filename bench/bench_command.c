/* bench/bench_command.c - whole commands, as a person starts them: fork, exec, answer, exit.
 *
 *     make bench && build/bench/bench_command [PROGRAM]      PROGRAM: build/vpclab
 *
 * The baseline of each row, taken in turn with it, is starting /bin/true, which is what any command costs on this
 * machine. Labs are made below a temporary directory that is removed at the end. */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/bench.h"

#define ROUNDS 40
extern char **environ;

/* Milliseconds of one run; ends the program if it did not succeed. */
static double
run_ms(const char *const *argv)
{
    pid_t pid;
    int status = -1;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    double begin = bench_now_ns();
    if (posix_spawn(&pid, argv[0], &quiet, NULL, (char *const *)argv, environ) == 0) {
        waitpid(pid, &status, 0);
    }
    double ms = (bench_now_ns() - begin) / 1e6;
    posix_spawn_file_actions_destroy(&quiet);
    if (status != 0) {
        fprintf(stderr, "%s %s: status %d\n", argv[0], argv[1] ? argv[1] : "", status);
        exit(1);
    }
    return ms;
}

static void
row(const char *what, const char *const *argv)
{
    static const char *const nothing[] = { "/bin/true", NULL };
    double ours = 1e300, bare = 1e300;
    for (int i = 0; i < ROUNDS; i++) {
        double a = run_ms(nothing), b = run_ms(argv);
        bare = a < bare ? a : bare;
        ours = b < ours ? b : ours;
    }
    bench_row(what, ours, "ms", "/bin/true", bare);
}

int
main(int argc, char **argv)
{
    char program[PATH_MAX], dir[] = "/tmp/vpclab-bench-XXXXXX";
    if (!realpath(argc > 1 ? argv[1] : "build/vpclab", program) || !mkdtemp(dir)) {
        perror(argc > 1 ? argv[1] : "build/vpclab");
        return 1;
    }
    setenv("XDG_DATA_HOME", dir, 1);
    bench_begin("one-shot commands on a new lab, best of 40", 1);
    run_ms((const char *[]){ program, "lab", "new", "bench", "--seed", "1", NULL });
    run_ms((const char *[]){ program, "--lab", "bench", "iam", "create-user", "--user-name", "alice", NULL });
    row("vpclab --version", (const char *[]){ program, "--version", NULL });
    row("ec2 describe-vpcs", (const char *[]){ program, "--lab", "bench", "ec2", "describe-vpcs", NULL });
    row("ec2 create-tags (saved, fsync)",
        (const char *[]){ program, "--lab", "bench", "ec2", "create-tags", "--resources", "default", "--tags",
                          "Key=a,Value=b", NULL });
    row("iam get-user", (const char *[]){ program, "--lab", "bench", "iam", "get-user", "--user-name", "alice", NULL });
    row("iam simulate-principal-policy",
        (const char *[]){ program, "--lab", "bench", "iam", "simulate-principal-policy", "--policy-source-arn",
                          "arn:aws:iam::123456789012:user/alice", "--action-names", "s3:GetObject", NULL });
    row("complete -- simulate alice '' (every action)",
        (const char *[]){ program, "--lab", "bench", "complete", "--", "simulate", "alice", "", NULL });
    run_ms((const char *[]){ "/bin/rm", "-rf", dir, NULL });
    return 0;
}
