#!/usr/bin/env bash
# tests/run.sh [-j N] PROGRAM... [-- PROGRAM...] [-- PROGRAM...] - runs tests, prints one line for each program and at the end "N passed, N failed".
#
# N programs run at a time; of those after --, 2 N (they build labs in the kernel and mostly wait for them); those after a second --
# one by one.  What a program is, its name says:
#   *.bats   bats        *.lua   `vpclab run`; what it prints must equal FILE.ok if there is one
#   build-fuzz/*   FUZZ_SECONDS (5) of new inputs, at most FUZZ_RUNS        else it is run
# A program that ends with a line "... N passed, N failed[, N skipped]" is counted so; any other is one test, by its exit status.
# Each runs in the repository's root with its own HOME, XDG directories and TMPDIR, which are removed afterwards, and may take
# TEST_TIMEOUT seconds (600).  Its output is shown if it fails, and its lines beginning with SKIPPED in any case.
set -u
cd "$(dirname "$0")/.." || exit
export VPCLAB=${VPCLAB:-$PWD/${BUILD:-build}/vpclab}

run_program() # PROGRAM
{
    case $1 in
    *.bats)
        command -v bats >/dev/null || { echo "SKIPPED $1: bats is not installed (make deps)"; echo "0 passed, 0 failed, 1 skipped"; return 0; }
        bats --tap "$1"
        ;;
    *.lua)
        if [ -e "${1%.lua}.ok" ]; then
            "$VPCLAB" run "$1" >"$TMPDIR/out" || return
            diff -u "${1%.lua}.ok" "$TMPDIR/out"
        else
            "$VPCLAB" run "$1"
        fi
        ;;
    *.sh) bash "$1" ;;
    build-fuzz/*) fuzz_for_a_while "$1" ;;
    *) "$1" ;;
    esac
}

# What it finds is kept beside it; the corpus stays as it was.
fuzz_for_a_while() # TARGET
{
    local name=${1##*/}
    mkdir "$TMPDIR/new"
    "$1" -runs="${FUZZ_RUNS:-300000}" -max_total_time="${FUZZ_SECONDS:-5}" -timeout=10 -rss_limit_mb=4096 -artifact_prefix="$1." \
        "$TMPDIR/new" "tests/fuzz/corpus/${name#fuzz_}" 2>&1
}

count_results() # PROGRAM STATUS LOG: "passed failed skipped"
{
    local last
    case $1 in
    *.bats)
        if grep -q '^1\.\.' "$3"; then
            awk '/^ok .*# skip/ { s++; next } /^ok / { p++ } /^not ok / { f++ } END { print p + 0, f + 0, s + 0 }' "$3"
            return
        fi
        ;;
    esac
    last=$(grep -E '(^|: )[0-9]+ passed, [0-9]+ failed' "$3" | tail -n 1)
    if [ -n "$last" ]; then
        sed -E 's/^.*([^0-9]|^)([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?.*$/\2 \3 \5/' <<<"$last"
    elif [ "$2" = 0 ]; then
        echo 1 0 0
    else
        echo 0 1 0
    fi
}

run_one() # PROGRAM RESULTS
{
    local dir log status passed failed skipped begin name=$1
    begin=$(date +%s%N)
    dir=$(mktemp -d "${TMPDIR:-/tmp}/vpclab-test.XXXXXX")
    log=$dir/log
    mkdir -m 700 "$dir/home" "$dir/data" "$dir/run" "$dir/tmp"
    export -f run_program fuzz_for_a_while
    HOME=$dir/home XDG_DATA_HOME=$dir/data XDG_CONFIG_HOME=$dir/home XDG_RUNTIME_DIR=$dir/run TMPDIR=$dir/tmp \
        timeout -k 5 "${TEST_TIMEOUT:-600}" bash -c 'run_program "$1"' run "$1" >"$log" 2>&1 </dev/null
    status=$?
    read -r passed failed skipped < <(count_results "$1" "$status" "$log")
    : "${skipped:=0}"
    [ "$status" = 124 ] && echo "timed out after ${TEST_TIMEOUT:-600} s" >>"$log"
    # A program may fail without a failed test: a crash, a leak found at the end.
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
        failed=1
    fi
    echo "$passed $failed $skipped" >>"$2"
    {
        printf '%-6s %-52s %4d passed' "$([ "$failed" = 0 ] && echo ok || echo FAILED)" "$name" "$passed"
        [ "$failed" = 0 ] || printf ', %d failed' "$failed"
        [ "$skipped" = 0 ] || printf ', %d skipped' "$skipped"
        printf '  %6.2f s\n' "$((($(date +%s%N) - begin) / 10000000))e-2"
        if [ "$failed" = 0 ]; then
            sed -n -E 's/^(# *)?(SKIPPED)/       \2/p; s/^ok [0-9]+ (.*) # skip ?(.*)$/       SKIPPED \1: \2/p' "$log"
        else
            sed 's/^/       | /' "$log" | tail -n "${TEST_LINES:-200}"
        fi
    } >"$dir/report"
    cat "$dir/report" # at once, so that two do not mix
    rm -rf "$dir"
}

if [ "${1:-}" = --one ]; then
    run_one "$2" "$3"
    exit 0
fi

jobs=1
case ${1:-} in
-j) jobs=$2 && shift 2 ;;
-j*) jobs=${1#-j} && shift ;;
esac
programs=("" "" "") phase=0 n_programs=0 # of each phase, a line each
while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then
        phase=$((phase + 1))
    else
        programs[phase]+=$1$'\n'
        n_programs=$((n_programs + 1))
    fi
    shift
done

results=$(mktemp)
trap 'rm -f "$results"' EXIT
at_once=("$jobs" $((2 * jobs)) 1)
for phase in 0 1 2; do
    printf %s "${programs[phase]}" | xargs -r -d '\n' -P "${at_once[phase]}" -I{} bash "$0" --one {} "$results"
done
read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$results")
n=$(wc -l <"$results")
if [ "$n" != "$n_programs" ]; then
    echo "FAILED $((n_programs - n)) programs did not run"
    failed=$((failed + 1))
fi
if [ "$passed" = 0 ] && [ "$failed" = 0 ] && [ "$n" -gt 0 ]; then
    echo "FAILED no test ran"
    failed=1
fi
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
