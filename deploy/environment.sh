#!/usr/bin/env bash
# Makes a virtual environment that holds exactly what hash-locked files say, or brings it up to date.
#
#   environment.sh DIRECTORY LOCK_FILE...
#   environment.sh --which-python          only prints the Python that it would take
#
# Takes $PYTHON, or where that is not set the first Python that is 3.11 or later and can make
# environments: python3, python3.11 and later ones, Debian's own. Where none can, and we are root,
# installs Debian's python3-venv. Never runs anything of the package itself.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
makes_environments() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }

find_python() {
    local candidate
    local -a candidates=(python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3)
    [ -z "${PYTHON:-}" ] || candidates=("$PYTHON")
    for candidate in "${candidates[@]}"; do
        if command -v "$candidate" >/dev/null && new_enough "$candidate" &&
            makes_environments "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

python_or_explain() {
    find_python && return
    "$here/debian-packages.sh" --only python3-venv >&2 || true
    find_python && return
    echo "environment: no Python 3.11 or later with the venv module here." >&2
    echo "  On Debian 12: apt-get install python3-venv" >&2
    return 1
}

if [ "${1:-}" = --which-python ]; then
    python_or_explain
    exit
fi

[ $# -ge 2 ] || { echo "usage: ${0##*/} DIRECTORY LOCK_FILE... | --which-python" >&2; exit 2; }
directory=$1
shift

if ! "$directory/bin/python" -c 'import pip' 2>/dev/null; then
    python=$(python_or_explain)
    rm -rf -- "$directory"
    "$python" -m venv "$directory"
fi

requirements=()
for lock in "$@"; do requirements+=(--requirement "$lock"); done
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --require-hashes "${requirements[@]}"
"$directory/bin/python" "$here/check_environment.py" "$@"
