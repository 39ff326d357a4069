#!/usr/bin/env bash
# Resolves pyproject.toml into the three lock files: to run, to build, to develop.
#
#   lock.sh [--upgrade]     without it, versions that still fit stay as they are
#
# The resolver (uv) comes from PyPI into a scratch environment. The files carry hashes and name no
# index: where packages come from is the business of the machine that installs them.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
"$(deploy/environment.sh --which-python)" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'

compile() {
    local output=$1
    shift
    "$scratch/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-header --no-emit-index-url --no-annotate \
        "$@" --output-file "$output" pyproject.toml >/dev/null
}

compile requirements.lock "$@"
compile requirements-dev.lock --group dev --group build --constraint requirements.lock "$@"
"$scratch/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-emit-index-url --no-annotate --constraint requirements-dev.lock \
    --group build --output-file requirements-build.lock "$@" >/dev/null
"$scratch/venv/bin/python" deploy/check_environment.py requirements*.lock
