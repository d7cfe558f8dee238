# gpuscan.stat_refusals: of the server where the library is preloaded, of the
# session where it is not.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'gpuscan'
max_parallel_workers_per_gather = 0
gpuscan.startup_cost = 0
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION gpuscan;
CREATE TABLE t AS SELECT i AS a, i::float8 AS r, i::text AS s FROM generate_series(1, 5000) i;
ANALYZE t;
SQL

my $all = 'SELECT reason, count, scope FROM gpuscan.stat_refusals';
my $refused = 'SELECT max(r + random()) IS NULL FROM t';
sub all { return $node->safe_psql('postgres', $all) }

$node->safe_psql('postgres', 'SELECT gpuscan.stat_refusals_reset()');
is(all(), '', 'nothing is refused yet');
$node->safe_psql('postgres', "$refused; $refused; SELECT count(*) FROM t WHERE a > 10");
$node->safe_psql('postgres', 'SELECT max(clock_timestamp()) > now() FROM t');
is(all(), "volatile function random()|2|server\nvolatile function clock_timestamp()|1|server", 'two sessions, most frequent first');
$node->safe_psql('postgres', "PREPARE p AS $refused; SET plan_cache_mode = force_generic_plan; EXECUTE p; EXECUTE p; EXECUTE p");
like(all(), qr/^volatile function random\(\)\|3\|server$/m, 'plans are counted, not executions');
$node->safe_psql('postgres', "SET gpuscan.enabled = off; $refused");
like(all(), qr/^volatile function random\(\)\|3\|server$/m, '... and only those that we were asked for');
$node->safe_psql('postgres', "CREATE DATABASE other");
$node->safe_psql('other', "CREATE EXTENSION gpuscan; CREATE TABLE t AS SELECT i::float8 AS r FROM generate_series(1, 5000) i; ANALYZE t; $refused");
like(all(), qr/^volatile function random\(\)\|4\|server$/m, 'all databases together');

# many sessions at once lose nothing
$node->safe_psql('postgres', 'SELECT gpuscan.stat_refusals_reset()');
append_to_file($node->data_dir . '/many.sql', "$refused;\n");
$node->command_ok([ 'pgbench', '-n', '-c', '8', '-t', '50', '-f', $node->data_dir . '/many.sql', 'postgres' ], 'eight sessions');
is(all(), 'volatile function random()|400|server', '... are all counted');

# rights
$node->safe_psql('postgres', 'CREATE ROLE nobody LOGIN; CREATE ROLE keeper LOGIN; GRANT USAGE ON SCHEMA gpuscan TO PUBLIC; GRANT EXECUTE ON FUNCTION gpuscan.stat_refusals_reset() TO keeper');
is($node->safe_psql('postgres', $all, extra_params => [ '-U', 'nobody' ]), 'volatile function random()|400|server', 'everybody may look');
my ($ret, $out, $err) = $node->psql('postgres', 'SELECT gpuscan.stat_refusals_reset()', extra_params => [ '-U', 'nobody' ]);
like($err, qr/permission denied for function stat_refusals_reset/, '... but not reset');
$node->safe_psql('postgres', 'SELECT gpuscan.stat_refusals_reset()', extra_params => [ '-U', 'keeper' ]);
is(all(), '', '... unless it was granted');

# reasons that are too long are cut between characters, and too many are one
my $long = 'f' . ("\x{c3}\x{a4}" x 31);
$node->safe_psql('postgres', "CREATE TYPE \"t$long\" AS ENUM ('a'); CREATE FUNCTION \"$long\"(\"t$long\", \"t$long\") RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END'; " .
	"CREATE TABLE l AS SELECT 'a'::\"t$long\" AS e FROM generate_series(1, 5000); SELECT count(*) FROM l WHERE \"$long\"(e, e) > 0");
my $cut = $node->safe_psql('postgres', "SELECT octet_length(reason), reason LIKE 'function \"f%' FROM gpuscan.stat_refusals WHERE reason LIKE 'function%'");
like($cut, qr/^15[89]\|t$/, 'a long reason is cut');
$node->safe_psql('postgres', <<'SQL');
DO $$
BEGIN
	FOR i IN 1 .. 300 LOOP
		EXECUTE format('CREATE FUNCTION f%s(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS ''BEGIN RETURN 1; END''', i);
		EXECUTE format('EXPLAIN SELECT count(*) FROM t WHERE f%s(a) > 0', i);
	END LOOP;
END $$;
SQL
is($node->safe_psql('postgres', "SELECT count(*), sum(count) FROM gpuscan.stat_refusals WHERE reason ~ '^function f[0-9]+[(]' OR reason = 'other'"),
	'256|300', 'no room for all');
like($node->safe_psql('postgres', "$all WHERE reason = 'other'"), qr/^other\|45\|server$/, '... the rest together');

# a start begins anew
$node->restart;
is(all(), '', 'since the start of the server');

# the session's own
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\nsession_preload_libraries = 'gpuscan'");
$node->restart;
is($node->safe_psql('postgres', "$refused; $all"), $node->safe_psql('postgres', $refused) . "\nvolatile function random()|1|session", 'the session\'s own');
is(all(), '', '... and no other\'s');
is($node->safe_psql('postgres', "SET client_min_messages = error; EXPLAIN $refused; SELECT gpuscan.stat_refusals_reset(); $all") =~ /volatile function/ ? 1 : 0, 0, '... can be reset');

# a setting that keeps everything off
SKIP:
{
	skip 'old_snapshot_threshold is gone', 2 if $node->pg_version >= 17;
	$node->append_conf('postgresql.conf', 'old_snapshot_threshold = 1min');
	$node->restart;
	is($node->safe_psql('postgres', 'SELECT count(*) FROM t WHERE a > 10'), '4990', 'old_snapshot_threshold is set');
	like($node->safe_psql('postgres', 'SET gpuscan.explain_refusals = on; EXPLAIN SELECT count(*) FROM t WHERE a > 10'),
		qr/Seq Scan on t.*Not Offloaded: t: old_snapshot_threshold is set/s, '... and is named');
}

$node->stop;
done_testing();
