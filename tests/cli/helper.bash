# Shared by tests/cli/*.bats: a lab of its own for each test, and checks that print what they got.
setup() {
    cd "$BATS_TEST_DIRNAME/../.." || exit
    export VPCLAB=${VPCLAB:-$PWD/build/vpclab}
    DIR=$(mktemp -d "${TMPDIR:-/tmp}/vpclab-cli.XXXXXX")
    export XDG_DATA_HOME=$DIR/data XDG_STATE_HOME=$DIR/state XDG_CONFIG_HOME=$DIR/config VPCLAB_PAGER= NO_COLOR=1
    unset VPCLAB_LAB VPCLAB_OUTPUT VPCLAB_HISTFILE
}
teardown() {
    # A test that failed half way may have left its lab live.
    [ ! -e "$XDG_DATA_HOME/vpclab/labs/default" ] || "$VPCLAB" down >"$DIR/down" 2>&1 || true
    rm -rf "$DIR"
}

vpclab() { "$VPCLAB" "$@"; }

# wrong STATUS TEXT COMMAND...: it fails so, says TEXT on standard error, prints nothing on standard output and changes no state.
wrong() {
    local want=$1 text=$2 status=0
    shift 2
    [ -e "$XDG_DATA_HOME/vpclab/labs/default/state.json" ] || vpclab ec2 describe-vpcs >/dev/null || return # the lab is there
    state >"$DIR/before"
    "$@" >"$DIR/out" 2>"$DIR/err" || status=$?
    state >"$DIR/after"
    if [ "$status" != "$want" ] || ! grep -qF -- "$text" "$DIR/err" || [ -s "$DIR/out" ] || ! cmp -s "$DIR/before" "$DIR/after"; then
        printf 'command: %s\nstatus %s, expected %s\nexpected on stderr: %s\n' "$*" "$status" "$want" "$text"
        sed 's/^/stderr: /' "$DIR/err"
        sed 's/^/stdout: /' "$DIR/out"
        diff "$DIR/before" "$DIR/after" | head -5
        return 1
    fi
}
state() { cat "$XDG_DATA_HOME"/vpclab/labs/default/state.json; }

# says TEXT COMMAND...: status 0 and TEXT on standard output.
says() {
    local text=$1 status=0
    shift
    "$@" >"$DIR/out" 2>"$DIR/err" || status=$?
    if [ "$status" != 0 ] || ! grep -qF -- "$text" "$DIR/out"; then
        printf 'command: %s\nstatus %s\nexpected on stdout: %s\n' "$*" "$status" "$text"
        sed 's/^/stdout: /' "$DIR/out"
        sed 's/^/stderr: /' "$DIR/err"
        return 1
    fi
}
value() { # NAMESPACE NAME STAT DIMENSION=VALUE...: of the last hour
    local space=$1 name=$2 stat=$3 dimensions=
    shift 3
    for d in "$@"; do dimensions+="{\"Name\":\"${d%%=*}\",\"Value\":\"${d#*=}\"},"; done
    vpclab cloudwatch get-metric-data --start-time "$(date -u -d '-1 hour' +%FT%TZ)" --end-time "$(date -u -d '+1 hour' +%FT%TZ)" --metric-data-queries \
        "[{\"Id\":\"a\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"$space\",\"MetricName\":\"$name\",\"Dimensions\":[${dimensions%,}]},\"Period\":3600,\"Stat\":\"$stat\"}}]" \
        -o json | jq '[.MetricDataResults[0].Values[]] | add // 0'
}
