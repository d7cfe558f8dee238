# Parallel workers that end before their work is done, or never start.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
autovacuum = off
max_parallel_workers_per_gather = 2
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
gpuscan.startup_cost = 0
enable_seqscan = off
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION gpuscan;
	CREATE TABLE facts AS SELECT i AS id, i % 7 AS g, i / 4.0 AS x FROM generate_series(1, 40000) i;
	VACUUM ANALYZE facts;
	-- a condition that stays on the host, and takes its time
	CREATE FUNCTION slow(int) RETURNS bool LANGUAGE plpgsql PARALLEL SAFE COST 1 AS
	$$ BEGIN PERFORM pg_sleep(0.002); RETURN $1 > 0; END $$;
});

my $grouped = 'SELECT g, sum(x), count(*) FROM facts WHERE id > 5 GROUP BY g ORDER BY g';
my $right = $node->safe_psql('postgres', "SET gpuscan.enabled = off; SET max_parallel_workers_per_gather = 0; $grouped");
my $plan = $node->safe_psql('postgres', "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $grouped");
like($plan, qr/Workers Launched: 2.*Parallel Custom Scan \(GpuAgg\)/s, 'a plan of three processes');
is($node->safe_psql('postgres', $grouped), $right, 'the answer of three processes');
is($node->safe_psql('postgres', "SET max_parallel_workers = 0; $grouped"), $right, 'no worker is to be had');
is($node->safe_psql('postgres', "SET parallel_leader_participation = off; $grouped"), $right, 'workers alone');

# A worker is ended: an error, as under PostgreSQL's own nodes, and nothing is left behind.
for my $query ('SELECT g, count(*) FROM facts WHERE id > 5 AND slow(id) GROUP BY g', 'SELECT id FROM facts WHERE id > 5 AND slow(id)')
{
	like($node->safe_psql('postgres', "EXPLAIN (COSTS OFF) $query"), qr/Parallel Custom Scan \(Gpu/, "our node: $query");
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $query ], '>', \$out, '2>', \$err);
	ok($node->poll_query_until('postgres', "SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
		'two workers are at work');
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'parallel worker' LIMIT 1");
	$run->finish;
	like($err, qr/due to administrator command/, 'the leader hears of it');
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
		'no worker is left');
	is($node->safe_psql('postgres', $grouped), $right, 'the next query is answered');
}

# The leader is cancelled.
{
	my ($rc, $out, $err) = $node->psql('postgres',
		"SET statement_timeout = '300ms'; SELECT g, count(*) FROM facts WHERE id > 5 AND slow(id) GROUP BY g");
	like($err, qr/canceling statement due to statement timeout/, 'a timeout ends leader and workers');
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
		'no worker is left');
}

$node->stop;
unlike(slurp_file($node->logfile), qr/leak|PANIC|terminated by signal/, 'nothing leaked');
done_testing();
