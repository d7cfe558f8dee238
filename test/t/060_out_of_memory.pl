# Every allocation of a query fails once: a clean error or the right answer, and
# the session is as good as before.

use strict;
use warnings;

use DeviceService;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TestModule;

my $fault = build_module('alloc_fault');

# how many allocations of a query are tried; more than that, they are spread
my $most = $ENV{OUT_OF_MEMORY_MOST} // 250;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
autovacuum = off
max_parallel_workers_per_gather = 0
synchronize_seqscans = off
log_min_messages = panic
gpuscan.startup_cost = 0
gpuscan.require = require
});
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION gpuscan;
	CREATE FUNCTION alloc_fault_install() RETURNS text AS '$fault' LANGUAGE C;
	CREATE FUNCTION alloc_fault_arm(bool, bigint) RETURNS void AS '$fault' LANGUAGE C;
	CREATE FUNCTION alloc_fault_seen() RETURNS bigint AS '$fault' LANGUAGE C;
} . q{
	CREATE TABLE t (i int, k int, n numeric, f float8, s text, d date, ts timestamptz, j jsonb);
	INSERT INTO t SELECT i, i % 50, i * 1.25, i / 7.0, 'text ' || i % 900, '2000-01-01'::date + i % 800, '2000-01-01'::timestamptz + i * interval '1 hour',
		jsonb_build_object('a', i % 3) FROM generate_series(1, 4000) i;
	INSERT INTO t SELECT 0, 7, 1e60, 'NaN', repeat('long', 2000), NULL, NULL, NULL FROM generate_series(1, 3);
	CREATE TABLE parts (i int, k int) PARTITION BY RANGE (i);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1000) TO (9000);
	INSERT INTO parts SELECT i, i % 9 FROM generate_series(1, 4000) i;
	VACUUM ANALYZE t, parts;

	CREATE TABLE queries (id serial, query text, settings text);
	INSERT INTO queries (query, settings) VALUES
		('SELECT count(*), sum(i), max(s), min(d) FROM t WHERE k < 25 AND s LIKE ''%1%''', ''),
		('SELECT i, s, n * 2 FROM t WHERE f > 500 AND n < 1e6', ''),
		('SELECT k, count(*), sum(n), avg(f), stddev(i) FROM t GROUP BY k', ''),
		('SELECT s, count(*), max(ts) FROM t GROUP BY s', ''),
		('SELECT n, s, sum(i) FROM t GROUP BY n, s', 'work_mem = ''64kB'''),
		('SELECT k, count(DISTINCT s), sum(DISTINCT n) FROM t GROUP BY k', ''),
		('SELECT k, s, count(DISTINCT i), avg(i) FROM t GROUP BY ROLLUP (k, s)', 'work_mem = ''64kB'''),
		('SELECT DISTINCT d, k FROM t WHERE i > 100', ''),
		('SELECT k, string_agg(s, '','' ORDER BY i), array_agg(s ORDER BY i DESC), percentile_cont(0.5) WITHIN GROUP (ORDER BY f) FROM t GROUP BY k', ''),
		('SELECT s, string_agg(s, '','') FROM t GROUP BY s', 'work_mem = ''64kB'''),
		('SELECT j->>''a'', sum((j->>''a'')::int), count(*) FROM t WHERE j @> ''{"a": 1}'' GROUP BY 1', ''),
		('SELECT k, count(*) FROM parts WHERE i > 500 GROUP BY k', ''),
		('SELECT i FROM parts WHERE k = 3', ''),
		('SELECT x, (SELECT sum(n) FROM t WHERE k = x) FROM generate_series(1, 3) x', ''),
		('SELECT k, max(upper(s) || left(s, 2)), count(*) FILTER (WHERE extract(year FROM ts) = 2000) FROM t GROUP BY k HAVING sum(i) > 10', ''),
		('SELECT count(*) FROM t WHERE i IN (SELECT i FROM parts WHERE k < 4) AND k = ANY (ARRAY[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15])', ''),
		('SELECT k, max(f) FROM t GROUP BY k ORDER BY 2 DESC LIMIT 3', 'gpuscan.explain_refusals = on');

	-- The answer, or the error; allocation n fails, if n is not 0. seen: how many there were.
	CREATE FUNCTION answer(query text, whole_blocks bool, n bigint, OUT answer text, OUT error text, OUT seen bigint) LANGUAGE plpgsql AS $$
	DECLARE
		statement text := format('SELECT md5(string_agg(q::text, '' '' ORDER BY q::text)) FROM (%s OFFSET 0) q', query);
	BEGIN
		PERFORM alloc_fault_arm(whole_blocks, n);
		EXECUTE statement INTO answer;
		seen := alloc_fault_seen();
	EXCEPTION WHEN OTHERS THEN
		seen := alloc_fault_seen();
		error := SQLSTATE || ' ' || SQLERRM;
	END $$;

	-- What went wrong: a line each.
	CREATE FUNCTION faults(query text, expected text, whole_blocks bool, most int, OUT tried int, OUT failed int, OUT wrong text)
	LANGUAGE plpgsql AS $$
	DECLARE
		total bigint;
		n bigint;
		got record;
	BEGIN
		-- caches are filled
		PERFORM answer(query, whole_blocks, 0);
		total := (answer(query, whole_blocks, 0)).seen;
		tried := 0;
		failed := 0;
		FOR i IN 1 .. least(total, most) LOOP
			n := CASE WHEN total <= most THEN i ELSE 1 + (i - 1) * (total - 1) / (most - 1) END;
			got := answer(query, whole_blocks, n);
			tried := tried + 1;
			IF got.error IS NOT NULL AND got.error LIKE '53200 out of memory%' THEN
				failed := failed + 1;
			ELSIF got.error IS NOT NULL OR got.answer IS DISTINCT FROM expected THEN
				wrong := concat_ws(E'\n', wrong, format('allocation %s: %s %s', n, got.answer, got.error));
			END IF;
			got := answer(query, whole_blocks, 0);
			IF got.error IS NOT NULL OR got.answer IS DISTINCT FROM expected THEN
				wrong := concat_ws(E'\n', wrong, format('after allocation %s: %s %s', n, got.answer, got.error));
			END IF;
		END LOOP;
	END $$;
});

is($node->safe_psql('postgres', 'SELECT alloc_fault_install()'), 'own blocks', 'allocations can be made to fail');

# Queries (those of a condition) on an engine: so many allocations of each fail,
# gpuscan's own or blocks of memory contexts.
sub sweep
{
	my ($engine, $which, $most) = @_;

	for my $blocks ('false', 'true')
	{
		my $failed_of_all = 0;
		my $kind = $engine . ', ' . ($blocks eq 'true' ? 'memory for contexts' : 'allocations');

		for my $line (split(/\n/, $node->safe_psql('postgres', qq{
			SET gpuscan.require = allow;
			SELECT id || E'\\t' || settings || E'\\t' || query FROM queries WHERE $which ORDER BY id})))
		{
			my ($id, $settings, $query) = split(/\t/, $line);
			my $set = $settings eq '' ? '' : "SET $settings;";
			my $expected = $node->safe_psql('postgres', qq{
				SET gpuscan.require = allow;
				SET gpuscan.enabled = off;
				SELECT answer FROM answer((SELECT query FROM queries WHERE id = $id), false, 0)});
			my ($ret, $stdout, $stderr) = $node->psql('postgres', qq{
				SELECT alloc_fault_install();
				$set
				SELECT tried, failed, wrong FROM faults((SELECT query FROM queries WHERE id = $id), '$expected', $blocks, $most)});
			my ($tried, $failed, $wrong) = $stdout =~ /^(\d+)\|(\d+)\|(.*)\z/ms ? ($1, $2, $3) : (0, 0, "$stdout$stderr");

			$failed_of_all += $failed;
			is($wrong, '', "$kind: $query");
			is($stderr, '', '... without a warning');
			cmp_ok($failed, '>', $tried / 2, "... $failed of $tried failed") if $blocks eq 'false';
		}
		# a query may find room in the blocks that there are; not all of them
		cmp_ok($failed_of_all, '>', 0, "$kind: $failed_of_all failed") if $blocks eq 'true';
	}
}

sweep('cpu', 'true', $most);

# What failed left nothing behind.
my $sizes = $node->safe_psql('postgres', q{
	SELECT alloc_fault_install();
	CREATE TEMP TABLE sizes (round int, bytes bigint);
	DO $$
	BEGIN
		FOR round IN 1 .. 3 LOOP
			PERFORM faults(query, '', false, 60) FROM queries WHERE id IN (1, 3, 6, 9, 11, 12, 14);
			INSERT INTO sizes SELECT round, sum(total_bytes) FROM pg_backend_memory_contexts;
		END LOOP;
	END $$;
	SELECT max(bytes) FILTER (WHERE round = 3) - max(bytes) FILTER (WHERE round = 2) FROM sizes;
});
$sizes =~ s/.*\n//s;
cmp_ok($sizes, '<', 100_000, 'memory contexts do not grow');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no temporary files are left');

# Jobs of a device: what a session holds of the service goes back.
SKIP:
{
	skip('CUDA_LIBRARY is not set', 1) unless $ENV{CUDA_LIBRARY};
	$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'gpuscan'
gpuscan.cuda_library = '$ENV{CUDA_LIBRARY}'
gpuscan.device = cuda
gpuscan.device_startup_cost = 0
gpuscan.device_job_size = 1MB
log_min_messages = fatal
});
	$node->restart;
	skip('no device', 1) unless wait_ready($node, 60);
	my $jobs = $node->safe_psql('postgres', 'SELECT sum(jobs) FROM gpuscan.stat_devices');
	sweep('device', q{query !~ 'string_agg|->>'}, $most / 5);
	cmp_ok($node->safe_psql('postgres', 'SELECT sum(jobs) FROM gpuscan.stat_devices'), '>', $jobs, 'the device took part');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM gpuscan.stat_slots'), '0', '... and nothing is left there');
	is($node->safe_psql('postgres', 'SELECT sum(deaths) FROM gpuscan.stat_devices'), '0', '... and no child died');
}

$node->stop;
done_testing();
