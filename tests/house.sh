#!/usr/bin/env bash
# tests/house.sh - the house's walls: who may include whom, which room may use which library, and that the libraries a person
# can embed link on their own.  The arrows are those of docs and headers: base <- iampolicy; base <- netsim/model <- analysis,
# interop; model, analysis <- flowlog; model, flowlog <- live; all of these <- cloud <- scenarios, shell.
set -u
cd "$(dirname "$0")/.." || exit
BUILD=${BUILD:-build}
passed=0 failed=0
check() # NAME: reads complaints; none is a pass
{
    local complaints
    complaints=$(cat)
    if [ -z "$complaints" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n%s\n' "$1" "$complaints"
    fi
}

# Room -> rooms it may include beside itself and base.  The longest room that begins a path is the file's room.
arrows='
base
iampolicy
netsim/model
netsim/analysis  netsim/model
netsim/interop   netsim/model
netsim/flowlog   netsim/model netsim/analysis
netsim/live      netsim/model netsim/flowlog
cloud            iampolicy netsim/model netsim/analysis netsim/interop netsim/flowlog netsim/live cloud/awsmodel
cloud/awsmodel
scenarios        cloud
shell            cloud scenarios
'
# Library headers (the beginning of the name in <>) -> the beginnings of the files that may include them.
libraries='
jansson.h        base/json
netlink/         netsim/live/
nftables/        netsim/live/
libmnl/          netsim/live/
libnftnl/        netsim/live/
pcap             netsim/live/capture
zlib.h           cloud/gzip
openssl/         netsim/live/
nghttp2/         netsim/live/
lua              scenarios/
lauxlib.h        scenarios/
readline/        shell/
'
rooms=$(awk 'NF { print $1 }' <<<"$arrows")
# shellcheck disable=SC2086 # the rooms are words
sources=$(find $(sed 's,/.*,,' <<<"$rooms" | sort -u) -name '*.[ch]' 2>/dev/null | sort)

check "includes go along the arrows" < <(
    # shellcheck disable=SC2086
    awk -v arrows="$arrows" -v libraries="$libraries" '
    BEGIN {
        n = split(arrows, line, "\n")
        for (i = 1; i <= n; i++) {
            m = split(line[i], word, " ")
            if (!m) continue
            is_room[word[1]] = 1
            may[word[1], word[1]] = may[word[1], "base"] = 1
            for (j = 2; j <= m; j++) may[word[1], word[j]] = 1
        }
        n = split(libraries, line, "\n")
        for (i = 1; i <= n; i++) if (split(line[i], word, " ") == 2) { library[++n_libraries] = word[1]; home[n_libraries] = word[2] }
    }
    function room_of(path) {
        while (sub("/[^/]*$", "", path)) if (path in is_room) return path
        return ""
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, part, "\""); from = room_of(FILENAME)
        if (part[2] !~ "/") next                     # beside the file
        to = room_of(part[2])
        if (!((from, to) in may)) printf "%s:%d: %s may not include %s\n", FILENAME, FNR, from, part[2]
    }
    /^[ \t]*#[ \t]*include[ \t]*</ {
        split($0, part, /[<>]/)
        for (i = 1; i <= n_libraries; i++)
            if (index(part[2], library[i]) == 1 && index(FILENAME, home[i]) != 1)
                printf "%s:%d: only %s* may include <%s>\n", FILENAME, FNR, home[i], part[2]
    }' $sources
)

# What the compiler read for a file of live/, and what the linker takes: neither may be of analysis, by whatever way, or the two judges
# of a packet were one.
depends=$(find "$BUILD/netsim/live" -name '*.d' 2>/dev/null)
# shellcheck disable=SC2086
check "live reads no header of analysis, through another room's neither" < <(
    [ -n "$depends" ] || echo "$BUILD/netsim/live has no *.d: \`make\` first"
    [ -z "$depends" ] || grep -o 'netsim/analysis/[a-z_0-9]*\.h' $depends | sort -u
)
objects=$(for f in $sources; do [ ! -e "$BUILD/${f%.c}.o" ] || [ "$f" = "${f%.c}" ] || echo "$BUILD/${f%.c}.o"; done)
# shellcheck disable=SC2086 # an `extern` of one's own would pass the includes
check "names that are linked go along the arrows" < <(
    nm -A -g $objects 2>&1 | awk -v arrows="$arrows" -v build="$BUILD/" '
    BEGIN {
        n = split(arrows, line, "\n")
        for (i = 1; i <= n; i++) {
            m = split(line[i], word, " ")
            for (j = 1; j <= m; j++) may[word[1], word[j]] = 1
            if (m) is_room[word[1]] = may[word[1], "base"] = 1
        }
    }
    function room_of(path) {
        while (sub("/[^/]*$", "", path)) if (path in is_room) return path
        return ""
    }
    index($1, build) == 1 {
        split(substr($1, length(build) + 1), part, ":")
        if ($(NF - 1) == "U") wants[$NF, part[1]] = part[1]
        else { home[$NF] = part[1]; n_names++ }
    }
    END {
        for (pair in wants) {
            split(pair, part, SUBSEP)
            to = home[part[1]]
            if (to != "" && !((room_of(wants[pair]), room_of(to)) in may)) printf "%s may not use %s of %s\n", wants[pair], part[1], to
        }
        if (n_names < 1000) print "only " n_names + 0 " names are in the objects below " build
    }'
)

# shellcheck disable=SC2086
check "every header begins with what it is" < <(
    for f in $sources; do
        case $f in *.h) head -n 1 "$f" | grep -q "^/\* $f - " || echo "$f:1: should begin with \`/* $f - what the thing is\`" ;; esac
    done
)
# shellcheck disable=SC2086 # only a face starts a shell, for the person's own pager or editor
check "nothing is shelled out" < <(grep -nE '(^|[^a-z_.>])(system|popen)[ ]*\(' $sources | grep -v '^shell/')

# Pages are read by people who then look for the file.
check "what README.md and docs/ name is there" < <(
    for page in README.md docs/*.md; do
        grep -oE '`(base|iampolicy|netsim|cloud|shell|scenarios|tests|bench|docs|tools)/[A-Za-z0-9_./*-]+`' "$page" | tr -d '`' |
            while read -r path; do compgen -G "$path" >/dev/null || echo "$page: no \`$path\`"; done
        grep -oE '\]\([^)#]+' "$page" | cut -c3- | grep -v '^http' |
            while read -r path; do [ -e "$(dirname "$page")/$path" ] || echo "$page: no \`$path\` to follow the link to"; done
    done
)

# A program that uses a library and nothing else of the house.  --whole-archive: no object of it may lack anything.
embed() # PROGRAM.c LIBRARY
{
    [ -e "$1" ] || return
    check "$1 links with $2, libbase and jansson alone" < <(
        make -s ${SAN:+SAN=$SAN} "$BUILD/lib$2.a" "$BUILD/libbase.a" 2>&1 >/dev/null | grep -E 'error|\*\*\*'
        # shellcheck disable=SC2086
        ${CC:-cc} -std=c17 -D_GNU_SOURCE -I. ${SAN:+-fsanitize=address,undefined -no-pie} -o "$BUILD/embed-$2" "$1" \
            -Wl,--whole-archive "$BUILD/lib$2.a" -Wl,--no-whole-archive "$BUILD/libbase.a" -ljansson 2>&1 |
            grep -E 'undefined reference|error' | head -n 10
        if [ ! -x "$BUILD/embed-$2" ]; then
            echo "$1 was not built"
        elif ! "$BUILD/embed-$2" >"$BUILD/embed-$2.log" 2>&1; then
            echo "$1 fails:"
            cat "$BUILD/embed-$2.log"
        fi
        rm -f "$BUILD/embed-$2" "$BUILD/embed-$2.log"
    )
}
embed tests/house/embed_iampolicy.c iampolicy
embed tests/house/embed_netsim.c netsim

echo "house: $passed passed, $failed failed"
[ "$failed" = 0 ]
