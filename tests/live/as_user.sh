#!/usr/bin/env bash
# as_user.sh - the live tests once more without privilege.  Root runs them as user 65534; a plain user's own run has covered it already.
set -u
cd "$(dirname "$0")/../.." || exit
build=${BUILD:-build}
if [ "$(id -u)" != 0 ]; then
    echo "every live test has run as this plain user"
    echo "0 passed, 0 failed"
    exit 0
fi
command -v setpriv >/dev/null || { echo "SKIPPED as_user: setpriv is not installed"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

# Copies, because the repository (and TMPDIR) may lie where that user cannot read.
dir=$(mktemp -d /tmp/vpclab-user.XXXXXX)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/repo/build" "$dir/repo/tests/live" "$dir/repo/scenarios" "$dir/home" "$dir/tmp"
cp "${VPCLAB:-$build/vpclab}" "$dir/repo/build/vpclab"
cp "$build"/tests/live/test_* "$dir/repo/build/" 2>/dev/null
rm -f "$dir"/repo/build/*.[od]
cp tests/live/*.bats tests/live/*.bash tests/live/*.py tests/live/kill.sh "$dir/repo/tests/live/"
cp -r tests/cli "$dir/repo/tests/"
cp scenarios/*.lua "$dir/repo/scenarios/"
[ ! -e ../shared/vectors/net ] || { mkdir -p "$dir/shared/vectors" && cp -r ../shared/vectors/net "$dir/shared/vectors/"; }
chown -R 65534:65534 "$dir"
as_user() {
    (cd "$dir/repo" && env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="$dir/home" TMPDIR="$dir/tmp" \
        VPCLAB="$dir/repo/build/vpclab" VPCLAB_REQUIRE_LIVE="${VPCLAB_REQUIRE_LIVE:-}" ASAN_OPTIONS="${ASAN_OPTIONS:-}" \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@")
}

passed=0 failed=0
step() { # NAME COMMAND...
    local name=$1
    shift
    if as_user "$@" >"$dir/log" 2>&1; then
        passed=$((passed + 1))
        grep '^SKIPPED' "$dir/log"
        sed -n 's/^ok [0-9]* \(.*\) # skip/SKIPPED \1:/p' "$dir/log"
    else
        failed=$((failed + 1))
        echo "FAILED as a plain user: $name"
        sed 's/^/    /' "$dir/log"
    fi
}
as_user id -u | grep -qx 65534 || { echo "FAILED: not a plain user"; exit 1; }
for t in "$dir"/repo/build/test_*; do
    [ -x "$t" ] && step "$(basename "$t")" "$t"
done
if command -v bats >/dev/null; then
    for t in "$dir"/repo/tests/live/*.bats; do
        step "$(basename "$t")" bats --tap "$t"
    done
else
    echo "SKIPPED as_user: bats is not installed"
fi
step "kill.sh" tests/live/kill.sh 20
step "three-tier.lua" "$dir/repo/build/vpclab" run scenarios/three-tier.lua
echo "$passed passed, $failed failed"
[ $failed = 0 ]
