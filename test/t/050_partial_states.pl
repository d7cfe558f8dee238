# The transition states that a partial GpuAgg hands on are those of PostgreSQL's
# own Partial Aggregate, byte for byte.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TestModule;

# It keeps what Finalize Aggregate is given.
my $spy = build_module('partial_spy');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
autovacuum = off
max_parallel_workers_per_gather = 0
synchronize_seqscans = off
gpuscan.startup_cost = 0
});
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION gpuscan;
	CREATE FUNCTION spy_int8(bytea, internal) RETURNS internal AS '$spy', 'spy_int8_avg_deserialize' LANGUAGE C STRICT PARALLEL SAFE;
	CREATE FUNCTION spy_numeric(bytea, internal) RETURNS internal AS '$spy', 'spy_numeric_avg_deserialize' LANGUAGE C STRICT PARALLEL SAFE;
	CREATE FUNCTION spy_taken() RETURNS text AS '$spy' LANGUAGE C;
	UPDATE pg_aggregate SET aggdeserialfn = 'spy_int8(bytea, internal)'::regprocedure
		WHERE aggfnoid IN ('sum(int8)'::regprocedure, 'avg(int8)'::regprocedure);
	UPDATE pg_aggregate SET aggdeserialfn = 'spy_numeric(bytea, internal)'::regprocedure
		WHERE aggfnoid IN ('sum(numeric)'::regprocedure, 'avg(numeric)'::regprocedure);
	CREATE TABLE parts (id int, g int, b bigint, n numeric, m numeric(12,2), w numeric) PARTITION BY RANGE (id);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1000) TO (2000);
	CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (2000) TO (3000);
	CREATE TABLE parts_4 PARTITION OF parts FOR VALUES FROM (3000) TO (4000);
	INSERT INTO parts SELECT i, i % 11, (i - 1500)::bigint * 10000, i * 10000, (i * 7919 % 100000) / 100.0 - 300, i * 1e30
	FROM generate_series(0, 2999) i WHERE i % 11 < 9;
	-- all NULL, zeros with a scale, -0, large and tiny, what only the host can hold
	INSERT INTO parts SELECT 10, 20, NULL, NULL, NULL, NULL FROM generate_series(1, 3);
	INSERT INTO parts VALUES (1010, 21, 0, 0.000, 0.00, 0), (1011, 21, 0, 0.000, 0, 0),
		(2010, 22, 9223372036854775807, 99999999999999999999.99, 1, 1e37), (2011, 22, 9223372036854775807, 0.01, 1, 1e37),
		(2012, 23, -9223372036854775808, -1e-20, -1, 'NaN'), (2013, 23, -1, -1e-20, -1, 'Infinity'), (2014, 23, 1, -1e-20, 0, 1),
		(2015, 24, 1, 5, 0, 1e60), (2016, 24, 10000, 5, 0, -1e60), (2017, 24, 100000000, 5, 0, 12);
	VACUUM ANALYZE parts;
});

# the states and the answers, sorted: groups come in no order
sub states
{
	my ($query, $settings) = @_;
	my $out = $node->safe_psql('postgres', qq{
		SET enable_partitionwise_aggregate = on;
		$settings
		SELECT spy_taken() IS NULL;
		SELECT 'answer: ' || q::text FROM ($query) q;
		SELECT 'states: ' || spy_taken();
	});
	my @answers = sort grep { /^answer/ } split /\n/, $out;
	my ($states) = $out =~ /^states: *(.*)$/m;
	my @states = sort split / /, $states // '';

	# Of numerics how many had the largest scale: only moving aggregates ask
	# (numeric.c do_numeric_discard), and a GpuAgg does not know (partial.c).
	s/^(numeric:.*).{16}(.{48})$/$1$2/ for @states;
	return (join("\n", @answers), join("\n", @states));
}

for my $query (
	'SELECT sum(b), avg(b) FROM parts',
	'SELECT g, sum(b), avg(b) FROM parts GROUP BY g',
	'SELECT g, sum(n), avg(n) FROM parts GROUP BY g',
	'SELECT g, sum(m), avg(m) FROM parts GROUP BY g',
	'SELECT sum(n), avg(m), sum(m) FROM parts',
	'SELECT g, sum(w), avg(w) FROM parts GROUP BY g',
	'SELECT sum(w) FROM parts',
	'SELECT sum(n * 2 + b) FROM parts WHERE g < 5',
	'SELECT g, sum(b) FILTER (WHERE g < 4), avg(m * m) FROM parts WHERE id > 5 OR g < 5 GROUP BY g')
{
	my ($answers, $states) = states($query, 'SET gpuscan.enabled = off;');
	my ($ours, $our_states) = states($query, 'SET gpuscan.require = require;');
	cmp_ok(length $states, '>', 0, "the spy has seen states: $query");
	is($our_states, $states, "states: $query");
	is($ours, $answers, "answers: $query");
}

$node->stop;
done_testing();
