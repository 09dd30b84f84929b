# The commands of docs/GUIDE.md work, one after another in one lab.
load helper

# Each command of the console blocks on a record of its own, ended by NUL: what follows "$ ", continuation lines and heredocs included;
# before it, whether the guide shows an error after it.
guide_commands() {
    awk '
    function flush() { if (command != "") printf "%s%s%c", wrong ? "wrong " : "right ", command, 0; command = ""; wrong = 0 }
    /^```/ { flush(); on = /^```console/; next }
    !on { next }
    ending != "" { command = command "\n" $0; if ($0 == ending) ending = ""; next }
    more { command = command "\n" $0; more = /\\$/; next }
    /^\$ / { flush(); command = substr($0, 3); more = /\\$/; if (match($0, /<<.[A-Z]+/)) ending = substr($0, RSTART + 3, RLENGTH - 3); next }
    /: error: / { wrong = 1 }
    END { flush() }' docs/GUIDE.md
}

@test "the guide's commands" {
    guide=$PWD
    mapfile -d '' -t commands < <(guide_commands)
    [ "${#commands[@]}" -gt 15 ]
    mkdir "$DIR/work"
    ln -s "$VPCLAB" "$DIR/vpclab"
    live=yes
    "$VPCLAB" doctor >/dev/null 2>&1 || live=no
    cd "$DIR/work"
    for command in "${commands[@]}"; do
        expected=${command%% *} command=${command#* }
        # What needs the kernel is left out where the kernel cannot.
        if [ "$live" = no ] && [[ "$command" =~ ^vpclab\ (-q\ )?(up|down|web|verify|ping|flows|trace|load|scan|capture|top|cloudwatch|logs)|grep\ received ]]; then
            echo "# SKIPPED $command: this machine cannot run live labs" >&3
            continue
        fi
        status=0
        PATH=$DIR:$PATH bash -c "$command" >"$DIR/out" 2>&1 || status=$?
        case $expected:$status in
        right:0 | right:1 | wrong:[2-5]) ;;
        *)
            printf '$ %s\nstatus %s\n' "$command" "$status"
            cat "$DIR/out"
            cd "$guide"
            return 1
            ;;
        esac
    done
    cd "$guide"
}
