# shellcheck shell=bash
# What every suite starts with: the server, the cluster's connection, a
# directory for its files. Sourced by test/suites/*, which test/run calls; by
# hand, after `KEEP=1 make test SUITES=...`.
set -eu
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
. "$top/test/tap.sh"

suite=$(basename "$0")
suite=${suite#[0-9][0-9]-}
out=$work/test/$suite
mkdir -p "$out"

cluster=$work/test/cluster
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
