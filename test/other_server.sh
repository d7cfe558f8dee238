# shellcheck shell=bash
# Another version of the server than the one that the suites run on: builds
# with warnings as errors, and passes the SQL suites there. Sourced by suites:
#
#   other_server PACKAGE MAJOR     the Python package that has this server
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

# part SUITE [SETTING...]: one of the suites, on this server.
part() {
	local name=$1 status=0
	shift
	env TEST_CLUSTER="$other_cluster" TEST_OUT="$out" "$@" \
		timeout -k 10 1000 "$top"/test/suites/[0-9][0-9]-"$name" >"$out/$name.log" 2>&1 </dev/null || status=$?
	sum_file "$name" "$out/$name.log" $status
}

# pgTAP is SQL and PL/pgSQL alone: the files for the server that the suites
# run on do for another.
borrow_pgtap() {
	local from to
	from=$("$1" --sharedir)/extension
	to=$("$PG_CONFIG" --sharedir)/extension
	[ -e "$from/pgtap.control" ] || return 0
	cp -L --remove-destination "$from"/pgtap*.sql "$from/pgtap.control" "$to/"
}

other_server() {
	local package=$1 major=$2 ours=$PG_CONFIG sources
	PG_CONFIG=$(packaged_pg_config "$package" "$major") ||
		{ echo "1..0 # SKIP PostgreSQL $major of the Python package $package cannot be had" && exit 0; }
	export PG_CONFIG
	if [ "$(id -u)" -eq 0 ]; then
		as_server test -x "$("$PG_CONFIG" --bindir)/postgres" || { echo "1..0 # SKIP $server_user cannot reach $venv" && exit 0; }
	fi

	if build_tree "$out/build" PG_CONFIG="$PG_CONFIG" COPT=-Werror >"$out/build.log" 2>&1; then
		echo "builds for $("$PG_CONFIG" --version)"
		sum_passed=1
	else
		echo "not ok - builds for $("$PG_CONFIG" --version)"
		sum_failed=1
		grep -E -A3 'error|warning' "$out/build.log" | grep -v '^make\|^gcc ' | head -n 60 | sed 's/^/# /'
		build_tree "$out/build" PG_CONFIG="$PG_CONFIG" >"$out/build2.log" 2>&1 || { sum_end && exit 1; }
	fi
	make -s -C "$out/build" install PG_CONFIG="$PG_CONFIG"
	borrow_pgtap "$ours"

	other_cluster=$out/cluster
	"$top/scripts/cluster" remove "$other_cluster"
	trap '"$top/scripts/cluster" remove "$other_cluster"' EXIT
	"$top/scripts/cluster" start "$other_cluster" session_preload_libraries=gpuscan autovacuum=off shared_buffers=256MB \
		timezone=PST8PDT datestyle='Postgres, MDY' max_prepared_transactions=2

	part pg_regress
	part pgtap
	part isolation
	part fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-30}" FUZZ_SEED="${FUZZ_SEED:-${major}0001}"
	sources=PG_SOURCE_$major
	[ -z "${!sources:-}" ] || part core

	cp "$other_cluster/server.log" "$out/server.log"
	if grep -qE 'was terminated by signal|PANIC: ' "$out/server.log"; then
		echo "not ok - the server crashed: see $out/server.log"
		sum_failed=$((sum_failed + 1))
	fi
	sum_end
}
