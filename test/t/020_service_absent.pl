# A server without a device starts and works, and says why there is none.

use strict;
use warnings;

use DeviceService;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $table = 'CREATE TABLE t AS SELECT i a, i % 10 b FROM generate_series(1, 100000) i; ANALYZE t';
my $query = 'SELECT sum(a) FROM t WHERE b = 3';

# no driver
my $node = preload('absent', '/nonexistent/libcuda.so.1');
$node->safe_psql('postgres', $table);
ok(wait_state($node, 'absent'), 'without a driver the device is absent');
like($node->safe_psql('postgres', 'SELECT reason FROM gpuscan.devices'),
	qr{no CUDA driver: /nonexistent/libcuda}, '... and gpuscan.devices says why');
is(log_count($node, qr/LOG:  CUDA device/), 1, '... and one line of the log');
is($node->safe_psql('postgres', $query), '499980000', 'queries run on the CPU');
is($node->safe_psql('postgres', 'SELECT device, pid FROM gpuscan.devices'), '0|', 'no process is kept');
is($node->safe_psql('postgres', 'SELECT jobs, deaths, energy_joules FROM gpuscan.stat_devices'), '0|0|', 'gpuscan.stat_devices');
is($node->safe_psql('postgres', 'SELECT count(*) FROM gpuscan.stat_slots, gpuscan.barred_programs'), '0', 'nothing in flight, nothing barred');
ok(supervisor_pid($node), 'the supervisor is in pg_stat_activity');

# looked for again, on demand; nothing new is not said again
my $generation = generation($node);
$node->safe_psql('postgres', 'SELECT gpuscan.restart_device()');
ok(until_true(sub { generation($node) > $generation }), 'restart_device() looks for a device again');
ok(wait_state($node, 'absent'), '... and finds none again');
$generation = generation($node);
$node->reload;
ok(until_true(sub { generation($node) > $generation }), '... and so does a reload');
ok(wait_state($node, 'absent'), '... with the same result');
is(log_count($node, qr/LOG:  CUDA device/), 1, 'the log does not repeat itself');

# rights
$node->safe_psql('postgres', 'CREATE ROLE mortal; CREATE ROLE operator; GRANT USAGE ON SCHEMA gpuscan TO mortal, operator;
	GRANT EXECUTE ON FUNCTION gpuscan.restart_device(int) TO operator');
my ($ret, $out, $err) = $node->psql('postgres', 'SET ROLE mortal; SELECT gpuscan.restart_device()');
like($err, qr/permission denied for function restart_device/, 'restart_device() is for administrators');
($ret, $out, $err) = $node->psql('postgres', 'SET ROLE mortal; SELECT gpuscan.unbar_programs()');
like($err, qr/permission denied for function unbar_programs/, '... and so is unbar_programs()');
($ret, $out, $err) = $node->psql('postgres', 'SET ROLE operator; SELECT gpuscan.restart_device(0)');
is($ret, 0, '... and can be granted');
is($node->safe_psql('postgres', 'SET ROLE mortal; SELECT state FROM gpuscan.devices'), 'absent', 'everybody may look');
($ret, $out, $err) = $node->psql('postgres', 'SELECT gpuscan.restart_device(1)');
like($err, qr/there is no device 1/, 'a device that is not there');
($ret, $out, $err) = $node->psql('postgres', 'SET ROLE mortal; SET gpuscan.device_role_limit = 0');
like($err, qr/permission denied/, 'a role cannot lift its limit');
($ret, $out, $err) = $node->psql('postgres', 'SET ROLE mortal; SHOW gpuscan.cuda_library');
isnt($ret, 0, '... nor see which library is opened');

# a library that is no driver
$node->append_conf('postgresql.conf', "gpuscan.cuda_library = 'libc.so.6'");
$node->restart;
ok(wait_state($node, 'absent'), 'a library that is no driver');
like($node->safe_psql('postgres', 'SELECT reason FROM gpuscan.devices'), qr/too old: it has no cu/, '... is told from one');

# settings beyond what the machine has
$node->append_conf('postgresql.conf', "gpuscan.device_connections = 2000\ngpuscan.device_buffer_size = '64GB'");
$node->restart;
is($node->safe_psql('postgres', $query), '499980000', 'a large region is not paid for before it is used');
is(log_count($node, qr/files suffice for \d+ only/), 1, '... and descriptors are left for PostgreSQL');

# the worker finds no place
$node->append_conf('postgresql.conf', "gpuscan.device_connections = 64\ngpuscan.device_buffer_size = '128MB'\nmax_worker_processes = 0");
$node->restart;
is($node->safe_psql('postgres', 'SELECT state, reason FROM gpuscan.devices'),
	'absent|the device service has not started', 'no place for the supervisor');
is($node->safe_psql('postgres', $query), '499980000', '... and queries run');

# switched off
$node->append_conf('postgresql.conf', "max_worker_processes = 8\ngpuscan.use_devices = off");
$node->restart;
is($node->safe_psql('postgres', 'SELECT device, state, reason FROM gpuscan.devices'),
	'|absent|gpuscan.use_devices is off', 'gpuscan.use_devices = off');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ 'gpuscan'}), '0', '... starts no worker');
($ret, $out, $err) = $node->psql('postgres', 'SELECT gpuscan.restart_device()');
like($err, qr/there is no device service.*gpuscan.use_devices is off/s, '... and there is nothing to restart');

# not preloaded by the postmaster
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = ''\nsession_preload_libraries = 'gpuscan'\ngpuscan.use_devices = on\ngpuscan.device_buffer_size = '64MB'");
$node->restart;
($ret, $out, $err) = $node->psql('postgres', 'SELECT device, state, reason FROM gpuscan.devices');
is($out, '|absent|gpuscan is not in shared_preload_libraries', 'with session_preload_libraries there is no service');
is($err, '', '... and its settings in postgresql.conf are no news');
is($node->safe_psql('postgres', $query), '499980000', '... and queries run');

$node->stop;
done_testing();
