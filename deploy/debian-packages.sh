#!/usr/bin/env bash
# Installs the Debian packages that a list names, starting and enabling none of their services.
#
#   debian-packages.sh LIST                 a file of "package  what needs it" lines
#   debian-packages.sh --only PACKAGE...
#
# As root it installs what is missing and fails if it cannot. As anybody else it says what is
# missing and what will be skipped for it, and succeeds.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
saved=/usr/sbin/policy-rc.d.before-slo-watchdog

declare -A reason=()
wanted=()
if [ "${1:-}" = --only ]; then
    shift
    wanted=("$@")
elif [ $# -eq 1 ]; then
    while read -r package why; do
        case $package in '' | '#'*) continue ;; esac
        wanted+=("$package")
        reason[$package]=$why
    done <"$1"
else
    echo "usage: ${0##*/} LIST | --only PACKAGE..." >&2
    exit 2
fi

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
for package in "${wanted[@]}"; do is_installed "$package" || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not root on a Debian, so these packages are not installed, and what needs them cannot run:"
    for package in "${missing[@]}"; do
        printf '  %-24s %s\n' "$package" "${reason[$package]:-}"
    done
    exit 0
fi

restore_policy() {
    if [ -e "$saved" ] || [ -L "$saved" ]; then
        mv -f -- "$saved" "$policy"
    elif [ -e "$policy" ] && grep -q 'slo-watchdog: no services' "$policy"; then
        rm -f -- "$policy"
    fi
}

forbid_services() {
    restore_policy   # what an earlier, killed run may have left
    if [ -e "$policy" ] || [ -L "$policy" ]; then mv -- "$policy" "$saved"; fi
    printf '#!/bin/sh\n# slo-watchdog: no services while test packages are installed\nexit 101\n' \
        >"$policy"
    chmod 755 "$policy"
}

# A package of tests is a program to run, not a service to keep: not now and not at the next boot.
disable_units_of() {
    local unit
    dpkg -L "$1" | sed -n 's,^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\)\)$,\2,p' |
        while read -r unit; do systemctl disable --quiet "$unit" >/dev/null 2>&1 || true; done
}

trap restore_policy EXIT
trap 'exit 130' INT TERM
forbid_services

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
apt=(apt-get -y -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3
    -o Acquire::http::Timeout=60 -o Dpkg::Options::=--force-confold)
echo "Installing Debian packages: ${missing[*]}"
"${apt[@]}" update </dev/null >/dev/null || echo "apt-get update failed; trying with the lists at hand" >&2
"${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >/dev/null

if command -v systemctl >/dev/null; then
    for package in "${missing[@]}"; do disable_units_of "$package"; done
fi
