/* bench/bench_command.c - whole commands, as a person starts them: fork, exec, answer, exit.
 *
 *     make bench && build/bench/bench_command [PROGRAM [N]...]      PROGRAM: build/vpclab; N: 1000 5000
 *
 * The baseline of each row, taken in turn with it, is starting /bin/true, which is what any command costs on this
 * machine.  Then the same on labs of N instances in 20 subnets and groups, each with an interface: reads and changes,
 * the lab not live and live (where this machine can).  A change is a rule that comes or goes, saved with fsync; live it
 * is in the kernel too. Labs are made below a temporary directory that is removed at the end. */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/vec.h"
#include "bench/bench.h"

#define ROUNDS 40
extern char **environ;

static double
run_status(const char *const *argv, int *status_of)
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
    *status_of = status;
    return ms;
}

/* Milliseconds of one run; ends the program if it did not succeed. */
static double
run_ms(const char *const *argv)
{
    int status;
    double ms = run_status(argv, &status);
    if (status != 0) {
        fprintf(stderr, "%s %s: status %d\n", argv[0], argv[1] ? argv[1] : "", status);
        exit(1);
    }
    return ms;
}

/* In turn, so that the second takes back what the first did. */
static void
pair(const char *what, const char *const *argv, const char *const *back)
{
    static const char *const nothing[] = { "/bin/true", NULL };
    double ours = 1e300, bare = 1e300;
    for (int i = 0; i < ROUNDS; i++) {
        double a = run_ms(nothing), b = run_ms(i % 2 ? back : argv);
        bare = a < bare ? a : bare;
        ours = b < ours ? b : ours;
    }
    bench_row(what, ours, "ms", "/bin/true", bare);
}

static void
row(const char *what, const char *const *argv)
{
    pair(what, argv, argv);
}

/* ---- labs of many instances ---------------------------------------------------------------------------------------
 */
#define N_SUBNETS 20

static void
make_lab(const char *program, const char *dir, const char *lab, size_t n)
{
    char script[PATH_MAX];
    snprintf(script, sizeof script, "%s/%s.commands", dir, lab);
    FILE *file = fopen(script, "w");
    if (!file) {
        perror(script);
        exit(1);
    }
    fprintf(file, "ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications "
                  "'ResourceType=vpc,Tags=[{Key=Name,Value=main}]'\n");
    for (int i = 0; i < N_SUBNETS; i++) {
        fprintf(file,
                "ec2 create-subnet --vpc-id main --cidr-block 10.0.%d.0/22 --tag-specifications "
                "'ResourceType=subnet,Tags=[{Key=Name,Value=s%d}]'\n"
                "ec2 create-security-group --vpc-id main --group-name g%d --description d --tag-specifications "
                "'ResourceType=security-group,Tags=[{Key=Name,Value=g%d}]'\n"
                "ec2 authorize-security-group-ingress --group-id g%d --protocol tcp --port 80 --cidr 10.0.0.0/16\n"
                "ec2 run-instances --image-id ami-12345678 --instance-type t3.micro --subnet-id s%d "
                "--security-group-ids g%d "
                "--count %zu\n",
                i * 4, i, i, i, i, i, i, n / N_SUBNETS);
    }
    fclose(file);
    run_ms((const char *[]){ program, "lab", "new", lab, "--seed", "1", "--no-limits", NULL });
    run_ms((const char *[]){ program, "--lab", lab, "-f", script, NULL });
}

static void
measure_large(const char *program, const char *dir, const char *n)
{
    char lab[32], title[80];
    snprintf(lab, sizeof lab, "of-%s", n);
    snprintf(title, sizeof title, "a lab of %s instances, best of 40", n);
    make_lab(program, dir, lab, strtoul(n, NULL, 10));
    const char *const words[] = { program,      "--lab",  lab,          "ec2", "authorize-security-group-ingress",
                                  "--group-id", "g7",     "--protocol", "tcp", "--port",
                                  "7777",       "--cidr", "10.0.0.0/8", NULL };
    const char *back[ARRAY_SIZE(words)];
    memcpy(back, words, sizeof words);
    back[4] = "revoke-security-group-ingress";
    const char *const read[] = { program, "--lab", lab, "ec2", "describe-vpcs", NULL };
    bench_begin(title, 1);
    row("ec2 describe-vpcs", read);
    pair("a rule (saved, fsync)", words, back);
    int status;
    run_status((const char *[]){ program, "doctor", NULL }, &status);
    if (status == 0) {
        run_ms((const char *[]){ program, "--lab", lab, "up", NULL });
        row("live: ec2 describe-vpcs", read);
        pair("live: a rule (saved, fsync)", words, back);
        run_ms((const char *[]){ program, "--lab", lab, "down", NULL });
    }
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
    static char *usual[] = { "1000", "5000" };
    char **sizes = argc > 2 ? argv + 2 : usual;
    for (int i = 0; i < (argc > 2 ? argc - 2 : (int)ARRAY_SIZE(usual)); i++) {
        measure_large(program, dir, sizes[i]);
    }
    run_ms((const char *[]){ "/bin/rm", "-rf", dir, NULL });
    return 0;
}
