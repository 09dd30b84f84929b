#!/usr/bin/env bash
# as_user.sh - the live tests once more without privilege.  Root runs them as user 65534; a plain user's own run has covered it already.
# With sanitizers only the programs: the same commands have run as root, and the commands' answers have been checked without.
set -u
cd "$(dirname "$0")/../.." || exit
build=${BUILD:-build}
if [ "$(id -u)" != 0 ]; then
    echo "every live test has run as this plain user"
    echo "0 passed, 0 failed"
    exit 0
fi
# Most machines let everybody open /dev/net/tun, which TAP hosts need; where one does not, this script and what it starts see one that does.
if [ -c /dev/net/tun ] && [ -z "$(find /dev/net/tun -perm -0006)" ] && [ -z "${VPCLAB_OWN_TUN:-}" ] && unshare --mount true 2>/dev/null; then
    # shellcheck disable=SC2016
    VPCLAB_OWN_TUN=1 exec unshare --mount --propagation private bash -c '
        mount -t tmpfs -o mode=755 tmpfs /dev/net && { mknod -m 666 /dev/net/tun c 10 200 || umount /dev/net; }
        exec bash "$@"' - "$PWD/tests/live/as_user.sh"
fi
command -v setpriv >/dev/null || { echo "SKIPPED as_user: setpriv is not installed"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

# Copies, because the repository (and TMPDIR) may lie where that user cannot read.
dir=$(mktemp -d /tmp/vpclab-user.XXXXXX)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/repo/build" "$dir/repo/tests/live" "$dir/repo/scenarios"
cp "${VPCLAB:-$build/vpclab}" "$dir/repo/build/vpclab"
cp "$build"/tests/live/test_* "$dir/repo/build/" 2>/dev/null
rm -f "$dir"/repo/build/*.[od]
cp tests/live/*.bats tests/live/*.bash tests/live/*.py tests/live/kill.sh "$dir/repo/tests/live/"
cp -r tests/cli "$dir/repo/tests/"
cp scenarios/*.lua "$dir/repo/scenarios/"
[ ! -e ../shared/vectors/net ] || { mkdir -p "$dir/shared/vectors" && cp -r ../shared/vectors/net "$dir/shared/vectors/"; }
chown -R 65534:65534 "$dir"
as_user() { # COMMAND...: with directories of its own, as the tests of a user who runs several at a time
    local own
    own=$(mktemp -d "$dir/own.XXXXXX")
    mkdir -m 700 "$own/home" "$own/run" "$own/tmp"
    chown -R 65534:65534 "$own"
    (cd "$dir/repo" && env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="$own/home" TMPDIR="$own/tmp" XDG_RUNTIME_DIR="$own/run" \
        VPCLAB="$dir/repo/build/vpclab" VPCLAB_REQUIRE_LIVE="${VPCLAB_REQUIRE_LIVE:-}" SAN="${SAN:-}" ASAN_OPTIONS="${ASAN_OPTIONS:-}" \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@")
}

step() { # COMMAND...: a line "ok" or "FAILED" and what it printed, at once
    local log status=ok
    log=$(mktemp "$dir/log.XXXXXX")
    as_user "$@" >"$log" 2>&1 || status=FAILED
    {
        echo "$status as a plain user: ${*##*/}"
        if [ $status = ok ]; then
            grep '^SKIPPED' "$log"
            sed -n 's/^ok [0-9]* \(.*\) # skip/SKIPPED \1:/p' "$log"
        else
            sed 's/^/    /' "$log"
        fi
    } >"$log.report"
    cat "$log.report"
}
export -f as_user step
export dir

as_user id -u | grep -qx 65534 || { echo "FAILED: not a plain user"; exit 1; }
for t in "$dir"/repo/build/test_*; do
    [ -x "$t" ] && echo "$t"
done >"$dir/steps"
echo "tests/live/kill.sh 20" >>"$dir/steps"
if [ -z "${SAN:-}" ]; then
    echo "$dir/repo/build/vpclab run scenarios/three-tier.lua" >>"$dir/steps"
    if command -v bats >/dev/null; then
        # shellcheck disable=SC2012
        ls -S "$dir"/repo/tests/live/*.bats | sed 's/^/bats --tap /' >>"$dir/steps" # the largest take longest: none is left alone at the end
    else
        echo "SKIPPED as_user: bats is not installed"
    fi
fi
# shellcheck disable=SC2016
xargs -r -d '\n' -P "$((2 * $(nproc)))" -I{} bash -c 'step $1' step {} <"$dir/steps" >"$dir/out"
grep -v '^ok ' "$dir/out"
passed=$(grep -c '^ok ' "$dir/out")
failed=$(($(grep -c . "$dir/steps") - passed))
echo "$passed passed, $failed failed"
[ $failed = 0 ]
