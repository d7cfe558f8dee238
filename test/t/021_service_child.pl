# The child process of a device: what it may touch, and what happens when it dies.

use strict;
use warnings;

use DeviceService;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = preload('child', driver(), "gpuscan.device_timeout = '2s'", 'shared_buffers = 64MB', 'log_statement = none');
need_device($node);

ok(wait_ready($node, 60), 'the device is ready');
like($node->safe_psql('postgres', q{SELECT coalesce(name, ''), generation, reason IS NULL FROM gpuscan.devices WHERE device = 0}),
	qr/^.+\|1\|t$/, '... has a name, the first generation, and no reason');
is(log_count($node, qr/LOG:  CUDA device 0/), 1, 'one line of the log says what was found');

# --- contained

my $child = child_pid($node);
my $supervisor = supervisor_pid($node);
like(slurp_file("/proc/$child/cmdline"), qr/gpuscan device 0/, 'the process has a title');
like(slurp_file("/proc/$child/status"), qr/^PPid:\s+$supervisor$/m, 'and the supervisor is its parent');

# Shared mappings that are the supervisor's too; a driver may add its own.
my %mapped;
for my $line (split /\n/, slurp_file("/proc/$supervisor/maps"))
{
	$mapped{$1} = 1 if $line =~ /^(\S+) rw-s/;
}
my (@writable, @readonly);
for my $line (split /\n/, slurp_file("/proc/$child/maps"))
{
	next unless $line =~ /^((\S+)-(\S+)) (r.-s)/ && $mapped{$1};
	no warnings 'portable';
	my $size = hex($3) - hex($2);
	if ($4 eq 'rw-s') { push @writable, $size }
	else { push @readonly, $size }
}
is(scalar(@writable), 1, 'one mapping of shared memory is writable: the region')
  or diag(slurp_file("/proc/$child/maps"));
ok(scalar(grep { $_ > 64 * 1024 * 1024 } @readonly), q{PostgreSQL's main segment is read-only});
unlike(slurp_file("/proc/$child/maps"), qr{/SYSV}, 'the segment that tells of living processes is not attached');

# Descriptors: /dev/null, the log, eventfds; and what the driver opened.
my $own = 0;
my @others;
for my $fd (glob("/proc/$child/fd/*"))
{
	my $target = readlink($fd) // next;
	if ($target =~ /eventfd/) { $own++ }
	elsif ($fd =~ m{/[012]$} || $target =~ m{nvidia|anon_inode|memfd|/dev/shm/cuda}i) { }
	else { push @others, $target }
}
is_deeply(\@others, [], 'the child holds no descriptor of PostgreSQL');
cmp_ok($own, '>=', 64, '... but the eventfds');

# --- dies

# A session that is there before and after.
my $psql = IPC::Run::start([ 'psql', '-XAtd', $node->connstr('postgres'), '-c', q{SELECT 'bystander', pg_sleep(600)} ],
	'>', \my $output, '2>', \my $errors);
my $bystander = q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT ''bystander''%' AND wait_event = 'PgSleep'};
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($bystander) b"), 'another session');
my $bystander_pid = $node->safe_psql('postgres', $bystander);

sub survives
{
	my ($name, $kill, $how) = @_;
	my $before = generation($node);
	my $pid = child_pid($node);

	$kill->($pid);
	ok(until_true(sub { generation($node) > $before }), "$name: the generation is raised");
	ok(wait_gone($pid), '... the process is gone');
	like($node->safe_psql('postgres', 'SELECT reason FROM gpuscan.devices WHERE device = 0 AND reason IS NOT NULL'),
		$how, '... gpuscan.devices says why');
	is($node->safe_psql('postgres', 'SELECT 1'), '1', '... the server is up');
	ok(wait_ready($node, 70), '... and there is another one');
	isnt(child_pid($node), $pid, '... another process');
	is(supervisor_pid($node), $supervisor, '... of the same supervisor');
}

my $start = time;
survives('kill -9', sub { kill 'KILL', $_[0] }, qr/signal 9/);
cmp_ok(time - $start, '>=', 1, 'it comes back after a second');
$start = time;
survives('SIGSEGV', sub { kill 'SEGV', $_[0] }, qr/signal 11/);
cmp_ok(time - $start, '>=', 2, '... and after two the next time');
is($node->safe_psql('postgres', 'SELECT deaths, last_error FROM gpuscan.stat_devices WHERE device = 0'), '2|-11',
	'gpuscan.stat_devices counts');
is(log_count($node, qr/terminating any other active server processes|was terminated by signal.*background/), 0,
	'no crash restart');
is(log_count($node, qr/LOG:  child process of CUDA device 0 \(PID \d+\) failed/), 2, 'the log has each of them');

# An administrator's restart is at once, and no death.
$start = time;
my $pid = child_pid($node);
my $before = generation($node);
$node->safe_psql('postgres', 'SELECT gpuscan.restart_device(0)');
ok(until_true(sub { generation($node) > $before + 1 && wait_ready($node) }), 'restart_device()');
isnt(child_pid($node), $pid, '... makes another process');
cmp_ok(time - $start, '<', 5, '... without waiting');
is($node->safe_psql('postgres', 'SELECT deaths FROM gpuscan.stat_devices WHERE device = 0'), '2', '... and is no death');

# Hangs: killed by the watchdog.
survives('a child that hangs', sub { kill 'STOP', $_[0] }, qr/no sign of life/);

# An administrator need not wait for one that hangs, either.
$pid = child_pid($node);
$before = generation($node);
kill 'STOP', $pid;
$node->safe_psql('postgres', 'SELECT gpuscan.restart_device()');
ok(wait_gone($pid, 6), 'restart_device() of a child that hangs');
ok(until_true(sub { generation($node) > $before + 1 && wait_ready($node) }), '... makes another one');

# Told to end by hand: the same as an administrator's restart.
$pid = child_pid($node);
kill 'TERM', $pid;
ok(wait_gone($pid), 'SIGTERM ends it');
ok(wait_ready($node), '... and there is another one');
for my $signal ('HUP', 'INT', 'USR1', 'USR2', 'PIPE', 'ALRM')
{
	kill $signal, child_pid($node);
}
usleep(200_000);
ok(is_running(child_pid($node)), 'other signals do nothing to it');

is($node->safe_psql('postgres', $bystander), $bystander_pid, 'the other session has noticed nothing of all this');
$psql->kill_kill;

$node->stop;
done_testing();
