# Many sessions and one device: all make progress, waits can be cancelled, and
# who ends early leaves nothing behind.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $double = $ENV{CUDA_DOUBLE_LIBRARY};
plan skip_all => 'no CUDA double' unless defined $double && -e $double;

my $control = PostgreSQL::Test::Utils::tempdir() . '/control';
my $told = 0;

sub tell_double
{
	my ($text) = @_;
	open(my $file, '>', "$control.new") or die $!;
	print $file "# " . ++$told . "\n$text\n";
	close($file);
	rename("$control.new", $control) or die $!;
}

tell_double('');
$ENV{CUDA_DOUBLE_CONTROL} = $control;

my $node = PostgreSQL::Test::Cluster->new('sessions');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'gpuscan'
max_connections = 120
gpuscan.cuda_library = '$double'
gpuscan.device_job_size = '768kB'
gpuscan.device_buffer_size = '6MB'
gpuscan.device_connections = 40
gpuscan.device_timeout = '60s'
gpuscan.device = cuda
gpuscan.startup_cost = 0
gpuscan.device_startup_cost = 0
enable_seqscan = off
max_parallel_workers_per_gather = 0
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION gpuscan;
CREATE TABLE t AS SELECT i AS id, i % 10 AS g, (i / 7.0)::numeric(12, 2) AS x FROM generate_series(1, 40000) i;
VACUUM ANALYZE t;
CREATE ROLE limited LOGIN;
GRANT SELECT ON t TO limited;
SQL
$node->poll_query_until('postgres', "SELECT state = 'ready' FROM gpuscan.devices LIMIT 1");

my $right = $node->safe_psql('postgres',
	'SET gpuscan.enabled = off; SET enable_seqscan = on; SELECT sum(x) FROM t WHERE id > 7');

# 100 sessions, each more than once
my $script = $node->basedir . '/sum.sql';
append_to_file($script, "SELECT 1 / (sum(x) = $right)::int FROM t WHERE id > 7;\n");
my $jobs = $node->safe_psql('postgres', 'SELECT sum(jobs) FROM gpuscan.stat_devices');
$node->command_ok([ 'pgbench', '-n', '-c', 100, '-j', 4, '-t', 5, '-f', $script, 'postgres' ],
	'100 sessions get the right answer');
cmp_ok($node->safe_psql('postgres', 'SELECT sum(jobs) FROM gpuscan.stat_devices') - $jobs, '>', 100,
	'the device took part');

sub slots_in_use
{
	return $node->safe_psql('postgres', 'SELECT count(*) FROM gpuscan.stat_slots');
}
is(slots_in_use(), '0', 'nothing is left behind');

# a cursor that is left open holds no more than its share; the others go on
my $cursor = $node->safe_psql('postgres', <<SQL);
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t WHERE x > 10;
FETCH 1 FROM c;
DECLARE d CURSOR FOR SELECT id FROM t WHERE x > 11;
FETCH 2 FROM d;
SAVEPOINT s;
DECLARE e CURSOR FOR SELECT id FROM t WHERE x > 12;
FETCH 2 FROM e;
ROLLBACK TO s;
SELECT sum(x) = $right FROM t WHERE id > 7;
FETCH 1 FROM c;
COMMIT;
SQL
like($cursor, qr/^t$/m, 'beside open cursors');
is(slots_in_use(), '0', 'closed cursors leave nothing behind');

# waits are cancelled at once, while the device does not answer
tell_double('fail=cuLaunchKernel:2:hang');
my $start = time();
my ($rc, $out, $err) = $node->psql('postgres', 'SET statement_timeout = 500; SELECT sum(x) FROM t WHERE id > 7');
my $took = time() - $start;
like($err, qr/statement timeout/, 'a wait is ended by statement_timeout');
cmp_ok($took, '<', 5, 'in time');
tell_double('');
$node->safe_psql('postgres', 'SELECT gpuscan.restart_device()');
$node->poll_query_until('postgres', "SELECT state = 'ready' FROM gpuscan.devices LIMIT 1");
is(slots_in_use(), '0', 'a cancelled query leaves nothing behind');
is($node->safe_psql('postgres', 'SELECT sum(x) FROM t WHERE id > 7'), $right, 'and the device is there again');

# errors on the way: the transaction goes on
is($node->safe_psql('postgres', <<SQL), "caught\n$right", 'an error in a subtransaction');
CREATE FUNCTION try() RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	PERFORM sum(10 / (id - 39999)) FROM t WHERE id > 0;
	RETURN 'no error';
EXCEPTION WHEN division_by_zero THEN
	RETURN 'caught';
END \$\$;
BEGIN;
SELECT try();
SELECT sum(x) FROM t WHERE id > 7;
COMMIT;
SQL
is(slots_in_use(), '0', 'and leaves nothing behind');

# limits of a role
$node->safe_psql('postgres', "ALTER SYSTEM SET gpuscan.device_role_limit = '1600kB'");
$node->reload;
is($node->safe_psql('postgres', 'SELECT sum(x) FROM t WHERE id > 7', extra_params => [ '-U', 'limited' ]), $right,
	'a role with little room gets the right answer');

$node->stop;
done_testing();
