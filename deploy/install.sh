#!/usr/bin/env bash
# Installs the watchdog on this host, or takes it off again. As root, from a checkout:
#
#   deploy/install.sh                        install, or bring up to date
#   deploy/install.sh --uninstall            remove program and units; keep settings, rules and journal
#   deploy/install.sh --uninstall --purge    remove these as well, and the user
#   deploy/install.sh --image                for a container image: files and user, no units, no journal
#   deploy/install.sh --stage FOLDER         only the files, below a folder, where a package has them
#
# May be run again at any time. Settings and rules on the host are the operator's: a file that differs
# from ours stays, ours is put beside it as NAME.new; one that was deleted stays deleted. The journal
# is created once, by the first installation. Nothing is started or restarted: the last lines say what
# is left to do.
#
# This is the one place that says what lies where. A package's own scripts (deploy/deb) begin with all
# of it above the line "what is run". $WATCHDOG_ENVIRONMENT names an environment that was built before.
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
sysusers=/usr/local/lib/sysusers.d
command=/usr/local/bin/slo-watchdog
# Below which everything is put; empty but for --stage.
root=
# Whether --uninstall takes what it else keeps, and whether a new program was put here.
purge=no
changed=no
# What the script once put into $etc, and whether the journal was created: one path or word a line.
record=$etc/.installed

source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { echo "install: $*"; }
systemd_runs() { [ -d /run/systemd/system ]; }
recorded() { [ -f "$record" ] && grep -qxF -- "$1" "$record"; }
remember() { recorded "$1" || printf '%s\n' "$1" >>"$record"; }

# A package's files lie where Debian has them, and not where an administrator has their own.
as_package() {
    polkit=/usr/share/polkit-1/rules.d
    units=/usr/lib/systemd/system
    sysusers=/usr/lib/sysusers.d
    command=/usr/bin/slo-watchdog
}

# Two installations beside each other would run one unit on the program of the other.
refuse_beside_package() {
    if [ "$(dpkg-query -W -f '${db:Status-Status}' slo-watchdog 2>/dev/null)" = installed ]; then
        echo "install: the package slo-watchdog is installed here. Update that one, or first:" >&2
        echo "  apt-get remove slo-watchdog     (keeps settings, rules and journal)" >&2
        exit 1
    fi
}

# What is run by it: the file in $sysusers; or, where that tool is missing, the same by hand.
create_user() {
    getent passwd "$user" >/dev/null && return
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers "$sysusers/slo-watchdog.conf"
    else
        useradd --system --user-group --home-dir "$state" --no-create-home \
            --shell /usr/sbin/nologin --comment "SLO watchdog" "$user"
    fi
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

# Debian's own Python: the service cannot see homes, so none that lives in one will do.
build_environment() {
    local into=$1 scratch
    PYTHON=/usr/bin/python3 "$source/deploy/environment.sh" "$into" "$source/requirements.lock"

    # The build tools stay out of the environment that runs.
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064  # the name of now, not of later
    trap "rm -rf -- '$scratch'" EXIT
    PYTHON=/usr/bin/python3 "$source/deploy/environment.sh" "$scratch/build" \
        "$source/requirements-build.lock"
    "$scratch/build/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-input \
        --no-deps --no-index --no-build-isolation --wheel-dir "$scratch" "$source"
    "$into/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --no-deps --no-index "$scratch"/slo_watchdog-*.whl
    "$into/bin/python" "$source/deploy/check_environment.py"
    rm -rf -- "$scratch"
}

# What was built below $root will be run from /: its scripts name their interpreter by its whole path.
forget_root() {
    local into=$1 file
    [ -n "$root" ] || return 0
    { grep -rlIF -- "$root$opt" "$into/bin" "$into/pyvenv.cfg" || true; } |
        while IFS= read -r file; do sed -i "s,$root$opt,$opt,g" "$file"; done
}

# A new environment is made beside the present one; `current` moves when it is complete.
install_environment() {
    local name previous into
    name=$(environment_name)
    into=$root$opt/$name
    previous=$(readlink "$root$opt/current" 2>/dev/null || true)
    if [ "$previous" = "$name" ] && [ -e "$into/.complete" ]; then
        say "program is up to date ($into)"
        return
    fi
    say "building $into"
    mkdir -p "$root$opt"
    rm -rf -- "${into:?}"
    if [ -n "${WATCHDOG_ENVIRONMENT:-}" ]; then
        cp -a -- "$WATCHDOG_ENVIRONMENT" "$into"
    else
        build_environment "$into"
        forget_root "$into"
        # The service cannot write here, so what it would cache is made now.
        "$into/bin/python" -m compileall -q ${root:+-f} -s "${root:-/}" -p / "$into/lib" >/dev/null || true
    fi
    touch "$into/.complete"

    ln -sfn "$name" "$root$opt/current.new"
    mv -T "$root$opt/current.new" "$root$opt/current"
    remove_environments_but "$name" "$previous"
    changed=yes
}

# The one before stays, for a daemon that still runs from it.
remove_environments_but() {
    local other
    for other in "$root$opt"/env-*; do
        case ${other##*/} in "$1" | "$2") ;; *) rm -rf -- "$other" ;; esac
    done
}

install_command() {
    install -d -- "$root${command%/*}"
    ln -sfn "$opt/current/bin/slo-watchdog" "$root$command"
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

# From $source, to: one pair a line.
configuration() {
    printf '%s\t%s\n' deploy/watchdog.toml "$etc/watchdog.toml"
    (cd -- "$source/rules" && find . -type f -name '*.yaml' -printf "rules/%P\t$etc/rules/%P\n") | sort
}

install_all_config() {
    local from to
    install -d -m 0755 "$etc" "$etc/rules"
    configuration | while IFS=$'\t' read -r from to; do install_config "$source/$from" "$to"; done
}

# A package's files of configuration are dpkg's to compare and to ask about.
stage_config() {
    local from to
    configuration | while IFS=$'\t' read -r from to; do
        install -D -m 0644 -- "$source/$from" "$root$to"
    done
}

install_units() {
    install -D -m 0644 -t "$root$units" "$source"/systemd/*.service
    install -D -m 0644 -t "$root$polkit" "$source"/systemd/*.rules
}

install_sysusers() {
    install -D -m 0644 -t "$root$sysusers" "$source"/systemd/slo-watchdog.conf
}

# Folders that are there before anybody writes into them, with whose they are.
create_folders() {
    install -d -m 0750 -o root -g "$user" "$etc/secrets" "$restores"
    install -d -m 0700 -o "$user" -g "$user" "$state"
}

# What an image needs, and a host besides its units and its journal.
install_files() {
    install_sysusers
    create_user
    install_environment
    install_command
    install_all_config
    create_folders
}

enable_unit() {
    if systemd_runs; then systemctl daemon-reload; fi
    systemctl enable --quiet slo-watchdog.service
}

# A journal that vanished later is a matter for a person, not for a second installation.
create_journal() {
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
    rm -f -- "$sysusers/slo-watchdog.conf" "$command"
    forget_unit
    remove_program
    if [ "$purge" = yes ]; then
        remove_kept
        if getent passwd "$user" >/dev/null; then userdel "$user"; fi
        say "removed, with settings, rules and journal"
    else
        say "removed. Kept: $etc and $state (--purge removes them as well)"
    fi
}

forget_unit() {
    systemd_runs || return 0
    systemctl daemon-reload
    systemctl reset-failed slo-watchdog.service 2>/dev/null || true
}

remove_program() { rm -rf -- "$opt"; }

# Settings, rules, secrets, journal, and what the privileged helper keeps.
remove_kept() { rm -rf -- "$etc" "$state" "$restores"; }

# -- what is run -----------------------------------------------------------------------------------

action=install
while [ $# -gt 0 ]; do
    case $1 in
        --uninstall) action=uninstall ;;
        --purge) purge=yes ;;
        --image) action=image ;;
        --stage)
            action=stage
            root=${2:-}
            shift
            ;;
        -h | --help) sed -n '2,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) echo "install: unknown argument '$1'; see --help" >&2; exit 2 ;;
    esac
    shift
done
if [ "$purge" = yes ] && [ "$action" != uninstall ]; then
    echo "install: --purge goes with --uninstall" >&2
    exit 2
fi
if [ "$action" = stage ]; then
    case $root in
        /?*) ;;
        *) echo "install: --stage wants a folder, from / on" >&2; exit 2 ;;
    esac
elif [ "$(id -u)" -ne 0 ]; then
    echo "install: run as root" >&2
    exit 1
fi

case $action in
    uninstall) uninstall ;;
    stage)
        as_package
        install_environment
        install_command
        stage_config
        install_sysusers
        install_units
        ;;
    image) install_files ;;
    install)
        refuse_beside_package
        install_files
        create_journal
        install_units
        enable_unit
        report
        ;;
esac
