#!/usr/bin/env bash
# Builds the Debian package from this checkout, with its own environment inside. As root or not.
#
#   build.sh [--version VERSION] [FOLDER]     into dist/ where no folder is named
#
# What lies where, and what is done on a host, is deploy/install.sh's to say: the files are staged by it,
# and the package's scripts are its functions with the few lines of deploy/deb/ behind them. The program
# is built for this machine's architecture and Debian's own Python, so build it on the release that it
# is for.
set -euo pipefail
umask 022

source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$source/pyproject.toml")-1
into=$source/dist
while [ $# -gt 0 ]; do
    case $1 in
        --version) version=${2:?--version wants a version}; shift ;;
        -*) echo "build: unknown argument '$1'" >&2; exit 2 ;;
        *) into=$1 ;;
    esac
    shift
done
architecture=$(dpkg --print-architecture)
# The environment's own folder names the minor version: another Python would find nothing in it.
python=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
chmod 755 "$scratch"
tree=$scratch/tree
mkdir -p "$tree/DEBIAN" "$into"

"$source/deploy/install.sh" --stage "$tree"

mkdir -p "$tree/usr/share/doc/slo-watchdog"
cp -r -- "$source/docs/." "$source/README.md" "$source/CHANGELOG.md" "$source/deploy/prometheus" \
    "$source/deploy/grafana" "$tree/usr/share/doc/slo-watchdog/"
chmod -R u+w,go=rX "$tree/usr/share/doc"

# A script of the package: the functions of the install script, and what dpkg asks of them.
for script in preinst postinst prerm postrm; do
    {
        sed '/^# -- what is run /,$d' "$source/deploy/install.sh"
        cat "$source/deploy/deb/$script"
    } >"$tree/DEBIAN/$script"
    chmod 755 "$tree/DEBIAN/$script"
done

(cd -- "$tree" && find etc -type f -printf '/%p\n' | sort) >"$tree/DEBIAN/conffiles"
(cd -- "$tree" && find . -path ./DEBIAN -prune -o -path ./etc -prune -o -type f -printf '%P\0' |
    sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
cat >"$tree/DEBIAN/control" <<END
Package: slo-watchdog
Version: $version
Architecture: $architecture
Maintainer: the people who run it <root@localhost>
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f 1)
Depends: python3 (>= $python), python3 (<< ${python%.*}.$((${python#*.} + 1))), libc6, init-system-helpers, systemd
Recommends: ca-certificates, openssh-client, polkitd | policykit-1
Section: admin
Priority: optional
Description: reads metrics, judges them by rule files, and rolls back by itself
 A daemon that judges service level objectives and other rules, pauses a feature
 flag or restores a configuration when a rule says so, proves that it took effect,
 and keeps a record that explains every decision.
 .
 The program brings its own Python environment, in /opt/slo-watchdog.
END

package=$into/slo-watchdog_${version}_$architecture.deb
dpkg-deb --build --root-owner-group -Zxz -z1 "$tree" "$package" >/dev/null
echo "$package"
