# A hundred sessions of mixed queries beside writers, every answer checked; and
# one session's memory over very many executions.
#
#   MANY_SESSIONS_SECONDS   how long (15)
#   MANY_EXECUTIONS         how many (30000)

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{MANY_SESSIONS_SECONDS} // 15;
my $executions = $ENV{MANY_EXECUTIONS} // 30000;
my $scripts = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
max_connections = 130
shared_buffers = 64MB
synchronous_commit = off
max_wal_size = 4GB
max_worker_processes = 40
max_parallel_workers = 32
max_parallel_workers_per_gather = 0
parallel_setup_cost = 0
min_parallel_table_scan_size = 0
log_statement = none
gpuscan.startup_cost = 0
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION gpuscan;
	CREATE TABLE facts (i int, k int, n numeric(12,2), f float8, s text, d date);
	INSERT INTO facts SELECT i, i % 50, i * 1.25, i / 7.0, 'text ' || i % 900, '2000-01-01'::date + i % 800 FROM generate_series(1, 20000) i;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, filler text);
	INSERT INTO accounts SELECT i, 1000, repeat('x', 100) FROM generate_series(1, 5000) i;
	CREATE TABLE parts (i int, k int) PARTITION BY RANGE (i);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (5000);
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (5000) TO (20000);
	INSERT INTO parts SELECT i, i % 9 FROM generate_series(1, 9000) i;
	VACUUM ANALYZE;

	-- fails where the answer is another
	CREATE FUNCTION must(got text, expected text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF got IS DISTINCT FROM expected THEN
			RAISE 'got %, expected %', got, expected;
		END IF;
	END $$;
});

# Each script has a weight.
my @files;

sub script
{
	my ($weight, $text) = @_;
	my $file = "$scripts/" . scalar(@files) . ".sql";

	append_to_file($file, "$text\n");
	push(@files, '-f', "$file\@$weight");
}

my @stopped;

# Tables that nobody writes to: the answer is always the same.
for my $query (
	'SELECT count(*) AS a, sum(n) AS b, max(s) AS c FROM facts WHERE k < 25 AND s LIKE \'%1%\'',
	'SELECT k AS a, sum(n) AS b, avg(f) AS c FROM facts GROUP BY k',
	'SELECT s AS a, count(*) AS b FROM facts GROUP BY s HAVING count(*) > 22',
	'SELECT i AS a, n AS b FROM facts WHERE f > 2700 AND d < \'2001-01-01\'',
	'SELECT k AS a, count(DISTINCT s) AS b FROM facts GROUP BY k',
	'SELECT k AS a, string_agg(s, \',\' ORDER BY i) AS b FROM facts WHERE i < 900 GROUP BY k',
	'SELECT k AS a, sum(i) AS b FROM parts WHERE i > 700 GROUP BY k',
	'SELECT f.k AS a, count(*) AS b FROM facts f JOIN parts p USING (i) WHERE f.n > 500 GROUP BY f.k')
{
	my $all = "SELECT md5(string_agg(q::text, ' ' ORDER BY q::text)) FROM ($query) q";
	my $expected = $node->safe_psql('postgres', "SET gpuscan.enabled = off; $all");

	like($node->safe_psql('postgres', "EXPLAIN $all"), qr/Custom Scan/, "our node: $query");
	script(4, "SELECT must(($all), '$expected');");
	script(1, "BEGIN;\nSET LOCAL max_parallel_workers_per_gather = 2;\nSELECT must(($all), '$expected');\nCOMMIT;");
	script(1, "BEGIN;\nSET LOCAL work_mem = '64kB';\nSELECT must(($all), '$expected');\nCOMMIT;");
	# for a session that is stopped somewhere, or not
	push(@stopped, "SELECT must(($all), '$expected');");
}

# Money moves, and none is lost in any snapshot.
script(12, q{\set a random(1, 5000)
\set b random(1, 5000)
\set x random(1, 100)
BEGIN;
UPDATE accounts SET balance = balance - :x WHERE id = least(:a, :b);
UPDATE accounts SET balance = balance + :x WHERE id = greatest(:a, :b);
COMMIT;});
script(4, q{SELECT must((SELECT concat(sum(balance), ' ', count(*)) FROM accounts), '5000000 5000');});
script(4, q{BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT sum(balance) AS s FROM accounts WHERE balance > 900 \gset
SELECT must((SELECT sum(balance)::text FROM accounts WHERE balance > 900), ':s');
COMMIT;});
script(1, q{SELECT must((SELECT sum(s)::text FROM (SELECT balance % 7, sum(balance) AS s FROM accounts GROUP BY 1) q), '5000000');});
# rows of its own
script(2, q{BEGIN;
CREATE TEMP TABLE own ON COMMIT DROP AS SELECT i, i % 3 AS k FROM generate_series(1, 500) i;
SAVEPOINT s;
UPDATE own SET k = k + 1;
ROLLBACK TO s;
SELECT must((SELECT string_agg(k || ':' || n, ' ' ORDER BY k) FROM (SELECT k, count(*) AS n FROM own GROUP BY k) q), '0:166 1:167 2:167');
COMMIT;});
script(2, q{BEGIN;
DECLARE c CURSOR FOR SELECT i FROM facts WHERE k = 3;
FETCH 3 FROM c;
FETCH 100 FROM c;
COMMIT;});
script(1, q{DO $$ BEGIN PERFORM sum(1 / (i - 777)) FROM facts; RAISE 'no error'; EXCEPTION WHEN division_by_zero THEN NULL; END $$;});

my $vacuum = "$scripts/vacuum.sql";
append_to_file($vacuum, "VACUUM accounts;\n\\sleep 200 ms\nANALYZE facts;\n\\sleep 200 ms\n");
my $beside = IPC::Run::start([ 'pgbench', '-n', '-f', $vacuum, '-c', '1', '-T', $seconds, $node->connstr('postgres') ], '>', \my $out, '2>', \my $err);
my $stops = "$scripts/stops.sql";
append_to_file($stops, "SET statement_timeout = '" . (1 + $_ * 7 % 30) . "ms';\n$stopped[$_ % @stopped]\n") for (1 .. 10 * $seconds);
my $stopping = IPC::Run::start([ 'psql', '-XAtq', '-f', $stops, '-d', $node->connstr('postgres') ], '>', \my $stops_out, '2>', \my $stops_err);
my ($stdout, $stderr) = run_command([ 'pgbench', '-n', @files, '-M', 'simple', '-c', '100', '-j', '2', '-T', $seconds, $node->connstr('postgres') ]);
$beside->finish;
$stopping->finish;
my $stops_n = () = $stops_err =~ /canceling statement due to statement timeout/g;
cmp_ok($stops_n, '>', 0, 'queries are stopped');
is(join("\n", grep { /ERROR|FATAL/ && !/canceling statement due to statement timeout/ } split(/\n/, $stops_err)), '', '... and those that are not answer right');
my ($transactions) = $stdout =~ /number of transactions actually processed: (\d+)/;
my ($failed) = $stdout =~ /number of failed transactions: (\d+)/;
cmp_ok($transactions // 0, '>=', 100 * $seconds / 15, 'a hundred sessions: transactions');
is($failed, 0, '... none failed');
unlike($stderr, qr/ERROR|aborted/, '... with no other error or answer') or diag(substr($stderr, 0, 2000));
is($node->safe_psql('postgres', 'SET gpuscan.enabled = off; SELECT sum(balance) FROM accounts'), '5000000', '... and no money is lost');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', '... no temporary file is left');
unlike(slurp_file($node->logfile), qr/was terminated by signal|PANIC/, '... no crash');

# --- one session

$node->safe_psql('postgres', q{
	CREATE TABLE few (a int, b numeric, s text);
	INSERT INTO few SELECT i, i * 1.5, 'text ' || i FROM generate_series(1, 40) i;
	VACUUM ANALYZE few;
	CREATE FUNCTION contexts() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts';
	CREATE FUNCTION resident() RETURNS bigint LANGUAGE sql AS
		$$ SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmRSS:\s+(\d+)')::bigint * 1024 $$;
	-- how much the second half of so many executions needs
	CREATE FUNCTION many(query text, times int, OUT contexts bigint, OUT resident bigint) LANGUAGE plpgsql AS $$
	DECLARE
		c bigint[];
		r bigint[];
	BEGIN
		EXECUTE 'PREPARE many(int) AS ' || query;
		FOR i IN 1 .. times LOOP
			-- (the first time, this itself fills caches)
			IF i IN (times / 4, times / 2, times) THEN
				c := c || contexts();
				r := r || resident();
			END IF;
			EXECUTE 'EXECUTE many(' || i % 50 || ')';
		END LOOP;
		contexts := c[3] - c[2];
		resident := r[3] - r[2];
		DEALLOCATE many;
	END $$;
});
for my $query (
	'SELECT count(*), sum(b) FROM few WHERE a < $1',
	'SELECT a, s FROM few WHERE b > $1',
	'SELECT s, max(a), string_agg(s, \',\') FROM few WHERE a <> $1 GROUP BY s',
	'SELECT x, (SELECT sum(a) FROM few WHERE b > x) FROM generate_series($1, $1 + 2) x')
{
	my ($contexts, $resident) = split(/\|/, $node->safe_psql('postgres', "SET gpuscan.require = require; SELECT contexts, resident FROM many('" . ($query =~ s/'/''/gr) . "', $executions)"));

	cmp_ok($contexts, '<=', 8192, "memory contexts stay as they are: $query");
	cmp_ok($resident, '<=', 1024 * 1024, '... and the process');
}

$node->stop;
done_testing();
