# The shipped scenarios print what they printed, with real packets; times and the throw-away lab's name left aside.
# When a text has changed on purpose: UPDATE=1 bats tests/scenarios/shipped.bats, and look at the difference.
setup() {
    cd "$BATS_TEST_DIRNAME/../.." || exit
    export VPCLAB=${VPCLAB:-$PWD/build/vpclab}
    OUT=$(mktemp -d "${TMPDIR:-/tmp}/vpclab-shipped.XXXXXX")
    mkdir "$OUT/tmp"
    export TMPDIR=$OUT/tmp # where throw-away labs are, and only ours
    "$VPCLAB" doctor >"$OUT/doctor" 2>&1 || skip "this machine cannot run live labs: $(grep -m1 '^NO' "$OUT/doctor")"
}
teardown() { rm -rf "$OUT"; }

same() { # SCENARIO
    "$VPCLAB" run "$1" >"$OUT/printed"
    sed -E -e 's/ in [0-9.]+ ms/ in N ms/' -e 's/`vpclab-run-[A-Za-z0-9]+`/`LAB`/' "$OUT/printed" >"$OUT/normal"
    [ -z "${UPDATE:-}" ] || cp "$OUT/normal" "tests/scenarios/$1.ok"
    diff -u "tests/scenarios/$1.ok" "$OUT/normal"
}

@test "three-tier" { same three-tier; }
@test "nacl-return-path" { same nacl-return-path; }
@test "hub-and-spoke" { same hub-and-spoke; }
@test "hybrid-vpn" { same hybrid-vpn; }
@test "central-inspection" { same central-inspection; }

@test "every shipped scenario is tested" {
    for f in scenarios/*.lua; do
        [ -e "tests/scenarios/$(basename "$f" .lua).ok" ] || { echo "$f"; false; }
    done
}

@test "an expectation that fails prints the trace, and the scenario's status is 1" {
    sed '/^lab.expect_reachable/s/reachable/blocked/' scenarios/nacl-return-path.lua >"$OUT/wrong.lua"
    run "$VPCLAB" run "$OUT/wrong.lua"
    [ "$status" = 1 ]
    [[ "$output" == *"NO  client -> server tcp/443: reachable"* ]]
    [[ "$output" == *"expected blocked"* ]]
    [[ "$output" == *"REACHABLE  client -> server"* ]]
}

@test "a scenario that ends half way leaves no lab behind" {
    for ending in 'error("half way")' 'os.exit(3)' 'local x = nil; x()'; do
        printf 'lab.up()\n%s\n' "$ending" >"$OUT/half.lua"
        run "$VPCLAB" run "$OUT/half.lua"
        [ "$status" = 3 ]
    done
    [ -z "$(ls "$TMPDIR")" ]
}

@test "a reader that goes away ends a scenario and its lab" {
    printf 'lab.up() for i = 1, 1e9 do print(i) end\n' >"$OUT/endless.lua"
    set +e
    "$VPCLAB" run "$OUT/endless.lua" 2>"$OUT/err" | head -1
    status=${PIPESTATUS[0]}
    set -e
    [ "$status" = 141 ]
    [ ! -s "$OUT/err" ]
    [ -z "$(ls "$TMPDIR")" ]
}

@test "Ctrl-C ends a scenario and its lab" {
    printf 'lab.up() print("up") io.stdout:flush() while true do end\n' >"$OUT/forever.lua"
    "$VPCLAB" run "$OUT/forever.lua" >"$OUT/log" 2>&1 3>&- &
    pid=$!
    for _ in $(seq 100); do grep -q up "$OUT/log" && break; sleep 0.05; done
    kill -INT "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" = 130 ]
    [ -z "$(ls "$TMPDIR")" ]
}

@test "a scenario that is killed takes its lab along" {
    printf 'lab.up() print("up") io.stdout:flush() while true do end\n' >"$OUT/forever.lua"
    "$VPCLAB" run "$OUT/forever.lua" >"$OUT/log" 2>&1 3>&- &
    pid=$!
    for _ in $(seq 100); do grep -q up "$OUT/log" && break; sleep 0.05; done
    [ -n "$(ls "$TMPDIR")" ]
    kill -KILL "$pid"
    wait "$pid" || true
    for _ in $(seq 100); do [ -z "$(ls "$TMPDIR")" ] && break; sleep 0.05; done
    [ -z "$(ls "$TMPDIR")" ]
    ! pgrep -f "$OUT/forever.lua"
}
