# shellcheck shell=bash
# What every suite starts with: the server, the cluster's connection, a
# directory for its files. Sourced by test/suites/*, which test/run calls; by
# hand, after `KEEP=1 make test SUITES=...`.
#
#   TEST_CLUSTER   another cluster than test/run's (test/other_server.sh)
#   TEST_OUT       another folder for the suites' files
set -eu
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
. "$top/test/tap.sh"

suite=$(basename "$0")
suite=${suite#[0-9][0-9]-}
out=${TEST_OUT:-$work/test}/$suite
mkdir -p "$out"

cluster=${TEST_CLUSTER:-$work/test/cluster}
if [ -f "$cluster/bindir" ]; then
	eval "$("$top/scripts/cluster" env "$cluster")"
	PG_CONFIG=$(cat "$cluster/bindir")/pg_config
fi
pgxs_tests=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")/test

fresh_database() {
	dropdb --if-exists "$1" 2>/dev/null
	createdb "$1"
	export PGDATABASE=$1
}

# with_expected FOLDER SUFFIX EXPECTED: the names in FOLDER that have an expected
# output, into $names. pg_regress stops at the first that has none; here it is
# a failure, and the others run. Returns 1 if there was one.
with_expected() {
	local file name missing=0
	names=()
	for file in "$1"/*."$2"; do
		[ -e "$file" ] || continue
		name=$(basename "$file" ".$2")
		if [ -e "$3/$name.out" ]; then
			names+=("$name")
		else
			echo "not ok - $name: no $name.out in ${3#"$top"/}"
			missing=$((missing + 1))
		fi
	done
	[ $missing -gt 0 ] || return 0
	echo "1..$missing"
	return 1
}
