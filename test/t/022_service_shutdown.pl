# However a server ends, or crashes, no process of the device service stays
# behind, and the next one has a new one.

use strict;
use warnings;

use DeviceService;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = preload('shutdown', driver(), 'restart_after_crash = on');
need_device($node);

# Kill the postmaster; returns when it is no more, not even a zombie.
sub kill_postmaster
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	$node->kill9;
	return sub { until_true(sub { !-e "/proc/$pid" }) };
}

for my $mode ('fast', 'smart', 'immediate')
{
	ok(wait_ready($node, 60), 'the device is ready');
	my $child = child_pid($node);
	my $supervisor = supervisor_pid($node);
	my $start = time;
	$node->stop($mode);
	cmp_ok(time - $start, '<', 5, "stop -m $mode: soon");
	ok(wait_gone($child, 1), '... the child is gone');
	ok(wait_gone($supervisor, 1), '... and the supervisor');
	$node->start;
}

# With a child that does not answer, and with a stopped one.
ok(wait_ready($node, 60), 'ready');
my $child = child_pid($node);
kill 'STOP', $child;
$node->stop('fast');
ok(wait_gone($child, 1), 'a child that hangs does not hold up the server');
$node->start;

# A backend dies: crash restart.
ok(wait_ready($node, 60), 'ready');
$child = child_pid($node);
my $supervisor = supervisor_pid($node);
my $psql = IPC::Run::start([ 'psql', '-XAtd', $node->connstr('postgres'), '-c', q{SELECT 'victim', pg_sleep(100)} ],
	'>', \my $output, '2>', \my $errors);
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT ''victim''%' AND wait_event = 'PgSleep'}), 'a victim');
my $victim = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT ''victim''%'});
kill 'KILL', $victim;
$psql->finish;
ok(wait_gone($child), 'kill -9 of a backend: the child is gone');
ok(wait_ready($node, 60), '... and another is ready');
isnt(child_pid($node), $child, '... another process');
isnt(supervisor_pid($node), $supervisor, '... of another supervisor');
is(generation($node), '1', '... and the region is a new one');

# The supervisor dies: the same.
$child = child_pid($node);
$supervisor = supervisor_pid($node);
kill 'KILL', $supervisor;
ok(wait_gone($child), 'kill -9 of the supervisor: the child is gone');
ok(until_true(sub { my ($ret, $out) = $node->psql('postgres', 'SELECT state, generation FROM gpuscan.devices'); $ret == 0 && $out eq 'ready|1' }, 60),
	'... and all of it comes back');

# Or is told to end: it comes back alone, with what it had known.
$child = child_pid($node);
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . supervisor_pid($node) . ')');
ok(wait_gone($child), 'pg_terminate_backend of the supervisor: the child is gone');
ok(wait_state($node, 'absent'), '... and there is no device');
ok(wait_ready($node, 20), '... until the supervisor comes back');
cmp_ok(generation($node), '>', 1, '... with the same region');
is(log_count($node, qr/all server processes terminated; reinitializing/), 2, 'two crash restarts in all');

# The postmaster dies.
$child = child_pid($node);
$supervisor = supervisor_pid($node);
my $reaped = kill_postmaster();
ok(wait_gone($child, 1), 'kill -9 of the postmaster: the child is gone within a second');
ok(wait_gone($supervisor, 1), '... and the supervisor');
$reaped->();
ok($node->start(fail_ok => 1), 'the next postmaster starts');
ok(wait_ready($node, 60), '... with a device');

# And with a child that hangs.
$child = child_pid($node);
kill 'STOP', $child;
$reaped = kill_postmaster();
ok(wait_gone($child, 1), 'a child that hangs dies with the postmaster, too');
$reaped->();
ok($node->start(fail_ok => 1), '... and does not keep the next one from starting');

# System V shared memory
$node->append_conf('postgresql.conf', "shared_memory_type = sysv\nshared_buffers = 16MB\nmax_connections = 20\nmax_wal_senders = 0");
$node->restart;
ok(wait_ready($node, 60), 'shared_memory_type = sysv: ready');
unlike(slurp_file('/proc/' . child_pid($node) . '/maps'), qr/rw-s.*SYSV/, '... and nothing of it is writable');

$node->stop;
done_testing();
