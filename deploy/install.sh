#!/usr/bin/env bash
# Installs the watchdog on this host, or takes it off again. As root, from a checkout:
#
#   deploy/install.sh                        install, or bring up to date
#   deploy/install.sh --uninstall            remove program and units; keep settings, rules and journal
#   deploy/install.sh --uninstall --purge    remove these as well, and the user
#
# May be run again at any time. Settings and rules on the host are the operator's: a file that differs
# from ours stays, ours is put beside it as NAME.new; one that was deleted stays deleted. The journal
# is created once, by the first installation. Nothing is started or restarted: the last lines say what
# is left to do.
set -euo pipefail
umask 022

user=slo-watchdog
opt=/opt/slo-watchdog
etc=/etc/slo-watchdog
state=/var/lib/slo-watchdog
# The privileged helper's: root's, and what it says is the daemon's to read.
restores=/var/lib/slo-watchdog-restore
polkit=/etc/polkit-1/rules.d
units=/usr/local/lib/systemd/system
command=/usr/local/bin/slo-watchdog
# What the script once put into $etc, and whether the journal was created: one path or word a line.
record=$etc/.installed

source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { echo "install: $*"; }
systemd_runs() { [ -d /run/systemd/system ]; }
recorded() { [ -f "$record" ] && grep -qxF -- "$1" "$record"; }
remember() { recorded "$1" || printf '%s\n' "$1" >>"$record"; }

create_user() {
    getent passwd "$user" >/dev/null ||
        useradd --system --user-group --home-dir "$state" --no-create-home \
            --shell /usr/sbin/nologin --comment "SLO watchdog" "$user"
}

# The name of the environment that this source, with these libraries, makes: of all that the wheel
# is built from, so that a change of any of it is a change of the name.
environment_name() {
    local digest
    digest=$(cd -- "$source" &&
        { /usr/bin/python3 --version
          find watchdog rules -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum
          sha256sum requirements.lock requirements-build.lock pyproject.toml README.md
        } | sha256sum)
    echo "env-${digest:0:12}"
}

# A new environment is made beside the present one; `current` moves when it is complete.
install_environment() {
    local name previous scratch
    name=$(environment_name)
    previous=$(readlink "$opt/current" 2>/dev/null || true)
    if [ "$previous" = "$name" ] && [ -e "$opt/$name/.complete" ]; then
        say "program is up to date ($opt/$name)"
        return
    fi
    say "building $opt/$name"
    mkdir -p "$opt"
    rm -rf -- "${opt:?}/$name"
    # Debian's own Python: the service cannot see homes, so none that lives in one will do.
    PYTHON=/usr/bin/python3 "$source/deploy/environment.sh" "$opt/$name" "$source/requirements.lock"

    # The build tools stay out of the environment that runs.
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064  # the name of now, not of later
    trap "rm -rf -- '$scratch'" EXIT
    PYTHON=/usr/bin/python3 "$source/deploy/environment.sh" "$scratch/build" \
        "$source/requirements-build.lock"
    "$scratch/build/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-input \
        --no-deps --no-index --no-build-isolation --wheel-dir "$scratch" "$source"
    "$opt/$name/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --no-deps --no-index "$scratch"/slo_watchdog-*.whl
    "$opt/$name/bin/python" "$source/deploy/check_environment.py"
    # The service cannot write here, so what it would cache is made now.
    "$opt/$name/bin/python" -m compileall -q "$opt/$name/lib" >/dev/null || true
    touch "$opt/$name/.complete"

    ln -sfn "$name" "$opt/current.new"
    mv -T "$opt/current.new" "$opt/current"
    # The one before stays, for a daemon that still runs from it.
    local other
    for other in "$opt"/env-*; do
        case ${other##*/} in "$name" | "$previous") ;; *) rm -rf -- "$other" ;; esac
    done
    changed=yes
}

# One file of settings or rules, from $1 to $2; never over what the operator made of it.
install_config() {
    local from=$1 to=$2
    if [ ! -e "$to" ]; then
        if recorded "$to"; then
            say "$to was deleted here; left so"
        else
            install -D -m 0644 -- "$from" "$to"
        fi
    elif cmp -s -- "$from" "$to"; then
        rm -f -- "$to.new"
    else
        install -m 0644 -- "$from" "$to.new"
        say "$to differs from ours and stays; ours is $to.new"
    fi
    remember "$to"
}

install_all_config() {
    install -d -m 0755 "$etc" "$etc/rules"
    install -d -m 0750 -o root -g "$user" "$etc/secrets"
    install_config "$source/deploy/watchdog.toml" "$etc/watchdog.toml"
    local file
    while IFS= read -r -d '' file; do
        install_config "$source/rules/$file" "$etc/rules/$file"
    done < <(cd -- "$source/rules" && find . -type f -name '*.yaml' -printf '%P\0' | sort -z)
}

install_units() {
    install -D -m 0644 -t "$units" "$source"/systemd/*.service
    install -D -m 0644 -t "$polkit" "$source"/systemd/*.rules
    install -d -m 0750 -o root -g "$user" "$restores"
    if systemd_runs; then systemctl daemon-reload; fi
    systemctl enable --quiet slo-watchdog.service
}

# A journal that vanished later is a matter for a person, not for a second installation.
create_journal() {
    install -d -m 0700 -o "$user" -g "$user" "$state"
    if [ -n "$(ls -A "$state")" ]; then
        say "journal in $state kept"
    elif recorded "journal created"; then
        say "the journal in $state is gone. Restore it, or begin anew, knowing that the record is lost:"
        say "  runuser -u $user -- slo-watchdog init --config $etc/watchdog.toml"
        return
    else
        runuser -u "$user" -- "$command" init --config "$etc/watchdog.toml" </dev/null
    fi
    remember "journal created"
}

report() {
    say "done. Settings: $etc/watchdog.toml   rules: $etc/rules   journal: $state"
    if ! systemd_runs; then
        say "systemd does not run here; the unit is enabled for the next boot"
    elif ! systemctl is-active --quiet slo-watchdog.service; then
        say "next: slo-watchdog check $etc/rules && systemctl start slo-watchdog"
    elif [ "$changed" = yes ]; then
        say "the running daemon is still the one before; next: systemctl restart slo-watchdog"
    fi
}

uninstall() {
    if systemd_runs; then
        systemctl disable --now --quiet slo-watchdog.service 2>/dev/null || true
    else
        systemctl disable --quiet slo-watchdog.service 2>/dev/null || true
    fi
    local unit
    for unit in "$source"/systemd/*.service; do rm -f -- "$units/${unit##*/}"; done
    for unit in "$source"/systemd/*.rules; do rm -f -- "$polkit/${unit##*/}"; done
    if systemd_runs; then
        systemctl daemon-reload
        systemctl reset-failed slo-watchdog.service 2>/dev/null || true
    fi
    rm -f -- "$command"
    rm -rf -- "$opt"
    if [ "$purge" = yes ]; then
        rm -rf -- "$etc" "$state" "$restores"
        if getent passwd "$user" >/dev/null; then userdel "$user"; fi
        say "removed, with settings, rules and journal"
    else
        say "removed. Kept: $etc and $state (--purge removes them as well)"
    fi
}

action=install
purge=no
changed=no
for argument in "$@"; do
    case $argument in
        --uninstall) action=uninstall ;;
        --purge) purge=yes ;;
        -h | --help) sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) echo "install: unknown argument '$argument'; see --help" >&2; exit 2 ;;
    esac
done
if [ "$purge" = yes ] && [ "$action" != uninstall ]; then
    echo "install: --purge goes with --uninstall" >&2
    exit 2
fi
[ "$(id -u)" -eq 0 ] || { echo "install: run as root" >&2; exit 1; }

if [ "$action" = uninstall ]; then
    uninstall
else
    create_user
    install_environment
    ln -sfn "$opt/current/bin/slo-watchdog" "$command"
    install_all_config
    create_journal
    install_units
    report
fi
