# Every driver call fails in turn, and every way a device can be lost: the
# answer is PostgreSQL's, and no row comes twice.
#
# The CUDA double (test/double) is told by a file which call is to fail.
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $double = $ENV{CUDA_DOUBLE_LIBRARY};
plan skip_all => 'no CUDA double' unless defined $double && -e $double;

my $control = PostgreSQL::Test::Utils::tempdir() . '/control';
my $told = 0;

# Tell the double; each line is different, so that the same fault fires again.
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

my $node = PostgreSQL::Test::Cluster->new('faults');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'gpuscan'
gpuscan.cuda_library = '$double'
gpuscan.device_job_size = '768kB'
gpuscan.device_buffer_size = '12MB'
gpuscan.device_timeout = '1500ms'
gpuscan.checkpoint_size = '1MB'
gpuscan.device_groups = 64
gpuscan.device = cuda
gpuscan.require = require
gpuscan.startup_cost = 0
gpuscan.device_startup_cost = 0
enable_seqscan = off
max_parallel_workers_per_gather = 0
synchronize_seqscans = off
autovacuum = off
jit = off
CONF
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION gpuscan;
CREATE TABLE t (id int NOT NULL, g int NOT NULL, x numeric(12, 2), y numeric, s text);
INSERT INTO t SELECT i, i % 100, i / 7.0, CASE WHEN i % 1000 = 0 THEN 'NaN' ELSE i / 3.0 END, 'row ' || i
	FROM generate_series(1, 60000) i;
VACUUM ANALYZE t;
SQL

my %query = (
	groups => 'SELECT g, count(*), sum(x), avg(y), min(y), max(x) FROM t WHERE id > 5 GROUP BY g ORDER BY g',
	one => 'SELECT count(*), sum(x), min(id), max(y) FROM t WHERE id > 10',
	rows => 'SELECT id, s FROM t WHERE x > 100 AND id < 50000',
	cursor => "BEGIN;\nDECLARE c CURSOR FOR SELECT id FROM t WHERE x > 10;\nFETCH 3000 FROM c;\nFETCH ALL FROM c;\nCOMMIT");
my %right;
foreach my $name (sort keys %query)
{
	$right{$name} = $node->safe_psql('postgres',
		"SET gpuscan.enabled = off; SET gpuscan.require = allow; SET enable_seqscan = on;\n$query{$name};");
}

sub ready
{
	$node->poll_query_until('postgres', "SELECT state = 'ready' FROM gpuscan.devices LIMIT 1")
	  or die 'the device does not come back';
}

# Programs that were in flight at two deaths are barred; here they are innocent.
sub again_ready
{
	tell_double('');
	$node->safe_psql('postgres', 'SELECT gpuscan.unbar_programs()');
	my $state = $node->safe_psql('postgres', 'SELECT state FROM gpuscan.devices LIMIT 1');
	$node->safe_psql('postgres', 'SELECT gpuscan.restart_device()') if $state ne 'ready';
	ready();
}

sub log_size { return -s $node->logfile; }

sub fired
{
	my ($from) = @_;
	return slurp_file($node->logfile, $from) =~ /CUDA double: fault/;
}

ready();
foreach my $name (sort keys %query)
{
	is($node->safe_psql('postgres', "$query{$name};"), $right{$name}, "$name: the device's answer");
}
my $jobs = $node->safe_psql('postgres', 'SELECT sum(jobs) FROM gpuscan.stat_devices');
cmp_ok($jobs, '>', 10, 'the device ran jobs');

# Every call of a query in turn fails, until there is no such call any more.
foreach my $error ([ 'out of memory', 2 ], [ 'launch failure', 719 ])
{
	my ($what, $code) = @$error;
	foreach my $name (sort keys %query)
	{
		my $wrong = '';
		my $n = 1;
		my $step = $code == 2 ? 3 : 5;
		my $fired = 0;
		for (;; $n += $n < 12 ? 1 : $step)
		{
			again_ready();
			my $from = log_size();
			tell_double("fail=*:$n:$code");
			my ($rc, $out, $err) = $node->psql('postgres', "$query{$name};");
			if ($rc != 0 || $out ne $right{$name})
			{
				$wrong .= " $n ($err)";
			}
			last unless fired($from);
			$fired++;
			last if length($wrong) > 300 || $n > 2000;
		}
		tell_double('');
		is($wrong, '', "$name: $what at every call");
		cmp_ok($fired, '>', 10, "$name: $what fired");
	}
}

# Other ends, each early and late in the query.
foreach my $error ([ 'ECC error', 214 ], [ 'illegal address', 700 ], [ 'killed', 'kill' ],
	[ 'segmentation fault', 'segv' ], [ 'hung', 'hang' ])
{
	my ($what, $code) = @$error;
	foreach my $name (sort keys %query)
	{
		my $wrong = '';
		foreach my $n ($code eq 'hang' ? (7) : (1, 9, 40))
		{
			again_ready();
			tell_double("fail=*:$n:$code");
			my ($rc, $out, $err) = $node->psql('postgres', "$query{$name};");
			$wrong .= " $n ($err)" if $rc != 0 || $out ne $right{$name};
		}
		tell_double('');
		is($wrong, '', "$name: $what");
	}
}

# It is told: a warning, and statistics.
again_ready();
tell_double('fail=cuLaunchKernel:3:719');
my ($rc, $out, $err) = $node->psql('postgres', "$query{groups};");
like($err, qr/WARNING:.*device/, 'a warning says so');
tell_double('');
again_ready();
cmp_ok($node->safe_psql('postgres', 'SELECT sum(deaths) FROM gpuscan.stat_devices'), '>', 20, 'deaths are counted');

# A cursor that has returned rows when the child is killed.
again_ready();
my $session = $node->background_psql('postgres') if $node->can('background_psql');
SKIP:
{
	skip 'no background_psql', 1 unless defined $session;
	$session->query_safe('SET client_min_messages = error');
	$session->query_safe("BEGIN; DECLARE c CURSOR FOR $query{rows}");
	my $first = $session->query_safe('FETCH 5000 FROM c');
	my $pid = $node->safe_psql('postgres', 'SELECT pid FROM gpuscan.devices LIMIT 1');
	kill 'KILL', $pid;
	my $rest = $session->query_safe('FETCH ALL FROM c');
	is("$first\n$rest", $right{rows}, 'cursor: rows that were returned do not come again');
	$session->query_safe('COMMIT');
	$session->quit;
}

# A program that was in flight at two deaths is barred, for all sessions.
$node->safe_psql('postgres', 'SELECT gpuscan.unbar_programs()');
foreach (1 .. 2)
{
	tell_double('');
	$node->safe_psql('postgres', 'SELECT gpuscan.restart_device()')
	  if $node->safe_psql('postgres', 'SELECT state FROM gpuscan.devices LIMIT 1') ne 'ready';
	ready();
	tell_double('fail=cuLaunchKernel:2:719');
	$node->psql('postgres', "$query{groups};");
	tell_double('');
}
$node->safe_psql('postgres', 'SELECT gpuscan.restart_device()')
  if $node->safe_psql('postgres', 'SELECT state FROM gpuscan.devices LIMIT 1') ne 'ready';
ready();
like($node->safe_psql('postgres', "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) $query{groups}"),
	qr/Off Device: .*barred/, 'the program is barred');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM gpuscan.barred_programs WHERE deaths >= 2'),
	'>=', 1, 'and shown');
is($node->safe_psql('postgres', "$query{groups};"), $right{groups}, 'and answers');

$node->stop;
done_testing();
