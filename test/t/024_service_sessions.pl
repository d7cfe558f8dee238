# Sessions on a device: what they share, how they wait, and what a fault in the
# middle of a query does to it. The faults are the CUDA double's.

use strict;
use warnings;

use DeviceService;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $control = PostgreSQL::Test::Utils::tempdir() . '/control';

sub double
{
	my $settings = shift;

	open(my $file, '>', "$control.new") or die $!;
	print $file "$settings\n";
	close($file);
	rename("$control.new", $control) or die $!;
}

double('');
$ENV{CUDA_DOUBLE_CONTROL} = $control;

my $node = preload('sessions', driver(),
	'shared_buffers = 64MB',
	'max_connections = 130',
	'autovacuum = off',
	'log_statement = none',
	'max_parallel_workers_per_gather = 0',
	'gpuscan.device_connections = 128',
	'gpuscan.device_buffer_size = 8MB',
	'gpuscan.device_job_size = 1MB',
	"gpuscan.device_timeout = '1s'");
need_device($node);
plan(skip_all => 'not the CUDA double') if $node->safe_psql('postgres', 'SELECT name FROM gpuscan.devices LIMIT 1') !~ /double/i;

$node->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT i AS a, i % 7 AS b, i % 1000 AS c FROM generate_series(1, 200000) i;
	VACUUM ANALYZE t;
	ALTER DATABASE postgres SET gpuscan.device = 'cuda';
	ALTER DATABASE postgres SET gpuscan.require = 'require';
});

# The table of rows below the aggregate is the device's: OFFSET keeps the aggregate out of it.
my $query = q{SELECT md5(string_agg(a::text, ',')) FROM (SELECT a FROM t WHERE c < 500 OFFSET 0) q};
my $expected = $node->safe_psql('postgres', "SET gpuscan.require = 'allow'; SET gpuscan.enabled = off; $query");

sub stat_of { return $node->safe_psql('postgres', "SELECT $_[0] FROM gpuscan.stat_devices WHERE device = 0") }
sub slots { return $node->safe_psql('postgres', 'SELECT count(*) FROM gpuscan.stat_slots') }

sub device_answers
{
	my ($name, $sql, $answer) = @_;
	my $before = stat_of('jobs');

	is($node->safe_psql('postgres', $sql // $query), $answer // $expected, "$name: the answer");
	cmp_ok(stat_of('jobs'), '>', $before, '... of the device');
}

device_answers('at first');
is(slots(), '0', 'nothing is left behind');

# --- shared

# Each of a hundred sessions gets done, what is on its way stays in the region.
my $script = PostgreSQL::Test::Utils::tempdir() . '/script.sql';
append_to_file($script, "SELECT 1 / (md5(string_agg(a::text, ',')) = '$expected')::int FROM (SELECT a FROM t WHERE c < 500 OFFSET 0) q;\n");
my ($before, $failures) = (stat_of('jobs'), stat_of('failures'));
my $most = 0;
my $bench = IPC::Run::start([ 'pgbench', '-n', '-f', $script, '-c', '100', '-j', '2', '-t', '2', '-d', 'postgres',
		'-h', $node->host, '-p', $node->port ], '>', \my $bench_out, '2>', \my $bench_err);
for (1 .. 20)
{
	my $n = slots();
	$most = $n if $n > $most;
	usleep(50_000);
}
$bench->finish;
like($bench_out, qr{number of transactions actually processed: 200/200}, 'a hundred sessions: each gets done')
  or diag($bench_err);
cmp_ok(stat_of('jobs'), '>', $before, '... and the device has a part in it');
is(stat_of('failures'), $failures, '... without a failure');
cmp_ok($most, '<=', 8, '... and what is queued stays within the region');
is(slots(), '0', '... and nothing is left behind');

# A role has its share.
$node->safe_psql('postgres', q{
	CREATE ROLE small LOGIN;
	GRANT SELECT ON t TO small;
	GRANT USAGE ON SCHEMA gpuscan TO small;
	ALTER ROLE small SET gpuscan.device_role_limit = '1MB';
});
double('slow=20000');
for my $role ('small', 'postgres')
{
	my $user = $role eq 'small' ? 'small' : $node->safe_psql('postgres', 'SELECT current_user');
	my $session = IPC::Run::start([ 'psql', '-XAtd', $node->connstr('postgres') . " user=$user", '-c', $query ],
		'>', \my $result, '2>', \my $errors);
	my $held = 0;

	for (1 .. 20)
	{
		my $n = slots();
		$held = $n if $n > $held;
		usleep(10_000);
	}
	$session->finish;
	is($result, "$expected\n", "$role: the answer") or diag($errors);
	if ($role eq 'small') { cmp_ok($held, '<=', 1, '... with a slot at most') }
	else { cmp_ok($held, '>', 1, '... with several slots') }
}
double('');

# --- waits

# A job that does not come back: the wait can be cancelled, and it is named.
$node->safe_psql('postgres', 'ALTER SYSTEM SET gpuscan.device_timeout = 0');
$node->reload;
double('fail=cuLaunchKernel:1:hang');
my $session = IPC::Run::start([ 'psql', '-XAtd', $node->connstr('postgres'), '-c', $query ],
	'>', \my $result, '2>', \my $errors);
my $waiting = q{FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND query LIKE 'SELECT md5%'};
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting"), 'a session waits for the device');
like($node->safe_psql('postgres', "SELECT wait_event $waiting"), qr/^(GpuscanDevice|Extension)$/, '... as its wait event says');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE pid = (SELECT pid $waiting) AND mode NOT IN ('AccessShareLock', 'ExclusiveLock')"),
	'0', '... and holds no lock but its query\'s');
my $start = time;
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) $waiting");
$session->finish;
my $took = time - $start;
like($errors, qr/canceling statement due to user request/, 'the wait is cancelled');
cmp_ok($took, '<', 1, '... soon');

# How soon, by the session's own clock: least of three.
my $least = 1e9;
for (1 .. 3)
{
	my ($ret, $stdout, $stderr) = $node->psql('postgres', q{
		SET statement_timeout = 300;
		DO $$ DECLARE began timestamptz := statement_timestamp();
		BEGIN
			PERFORM md5(string_agg(a::text, ',')) FROM (SELECT a FROM t WHERE c < 600 OFFSET 0) q;
			RAISE NOTICE 'not cancelled';
		EXCEPTION WHEN query_canceled THEN
			RAISE NOTICE 'cancelled after % ms', extract(epoch FROM clock_timestamp() - began) * 1000;
		END $$});
	$least = $1 if $stderr =~ /cancelled after ([\d.]+) ms/ && $1 < $least;
}
cmp_ok($least, '>=', 300, 'the wait was for the device');
cmp_ok($least, '<', 350, '... and ended within 50 ms');
cmp_ok(slots(), '>', 0, 'the job that hangs keeps its slot');
cmp_ok(slots(), '<=', 2, '... and it alone');

double('');
my $generation = generation($node);
$node->safe_psql('postgres', 'SELECT gpuscan.restart_device()');
ok(until_true(sub { generation($node) > $generation + 1 && wait_ready($node) }), 'restart_device()');
is(slots(), '0', '... frees it');
is($node->safe_psql('postgres', 'SELECT count(*) FROM gpuscan.barred_programs'), '0', '... and blames no program');
device_answers('afterwards');

# --- faults in the middle of a query

$node->safe_psql('postgres', 'ALTER SYSTEM RESET gpuscan.device_timeout');
$node->reload;

sub in_the_middle
{
	my ($name, $fault) = @_;
	my ($deaths, $lost) = (stat_of('deaths'), stat_of('lost_jobs'));
	my ($ret, $stdout, $stderr);

	ok(wait_ready($node, 70), "$name: a device");
	double("fail=$fault");
	($ret, $stdout, $stderr) = $node->psql('postgres', $query);
	is($stdout, $expected, '... fails, and the query answers');
	like($stderr, qr/WARNING:  CUDA device 0 failed, the query goes on on the CPU/, '... with a warning');
	double('');
	ok(until_true(sub { stat_of('deaths') > $deaths }), '... gpuscan.stat_devices counts the death');
	cmp_ok(stat_of('lost_jobs'), '>', $lost, '... and the jobs that were lost');
	is(slots(), '0', '... and nothing is left behind');
}

in_the_middle('a child that is killed', 'cuLaunchKernel:3:kill');
is($node->safe_psql('postgres', 'SELECT deaths, barred FROM gpuscan.barred_programs'), '1|f', 'the program is under suspicion');
in_the_middle('a job that hangs', 'cuLaunchKernel:2:hang');

# the same program twice: barred
is($node->safe_psql('postgres', 'SELECT deaths, barred FROM gpuscan.barred_programs'), '2|t', 'the program is barred');
ok(wait_ready($node, 70), 'there is a device again');
my $jobs = stat_of('jobs');
my ($ret, $stdout, $stderr) = $node->psql('postgres', $query);
is("$stdout$stderr", $expected, 'it runs without a warning');
is(stat_of('jobs'), $jobs, '... and without the device');
like($node->safe_psql('postgres', "EXPLAIN (ANALYZE) $query"), qr/the program is barred/, '... as EXPLAIN says');
$node->safe_psql('postgres', $query =~ s/500/400/r);
is(stat_of('jobs'), $jobs, '... whatever its parameters');
device_answers('another program', q{SELECT string_agg(b::text, ',') FROM (SELECT b FROM t WHERE a < 4 OFFSET 0) q}, '1,2,3');
is($node->safe_psql('postgres', 'SELECT gpuscan.unbar_programs()'), '1', 'unbar_programs()');
device_answers('the program');

# A warning a minute in a session.
ok(wait_ready($node, 70), 'a device');
($ret, $stdout, $stderr) = $node->psql('postgres', "$query; SELECT pg_sleep(0.1); $query");
is($stderr, '', 'no warning without a fault');

$node->stop;
done_testing();
