#!/usr/bin/env bash
# tools/deps.sh [--tests] [--yes] - installs the Debian packages that vpclab is built with, and with --tests those its tests use.
# Does nothing when all are there.  On a terminal it asks first; without one, or with --yes, it goes ahead.  Uses sudo unless root.
set -eu
build="gcc make pkg-config libjansson-dev liblua5.4-dev libreadline-dev libpcap-dev libnl-3-dev libnl-route-3-dev libnftables-dev
    libmnl-dev libnftnl-dev zlib1g-dev libssl-dev libnghttp2-dev"
tests="libcmocka-dev bats bind9-dnsutils ca-certificates clang libclang-rt-14-dev curl iproute2 iputils-ping jq groff-base bsdutils iperf3 netcat-openbsd nftables openssl procps python3 tcpdump tshark util-linux git"
want=$build yes=
for arg in "$@"; do
    case $arg in
    --tests) want="$build $tests" ;;
    --yes) yes=1 ;;
    *) echo "usage: tools/deps.sh [--tests] [--yes]" >&2; exit 2 ;;
    esac
done

missing=
for package in $want; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "deps: this is no Debian; install what these packages hold:$missing" >&2
    exit 1
fi
if [ -z "$yes" ] && [ -t 0 ]; then
    printf 'Install%s with apt-get? [Y/n] ' "$missing"
    read -r answer
    case $answer in [nN]*) exit 1 ;; esac
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "deps: become root and run: apt-get install$missing" >&2; exit 1; }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q || true # an old list may still do
# shellcheck disable=SC2086 # the packages are words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
