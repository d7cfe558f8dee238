# The library is in a session in each of its ways: shared_preload_libraries,
# session_preload_libraries, CREATE EXTENSION or first use. A session without
# it does not plan our nodes, and CREATE EXTENSION says how new ones get it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_parallel_workers_per_gather = 0');
$node->start;

my $query = 'EXPLAIN (COSTS OFF) SELECT b, count(*), sum(a) FROM t WHERE a > 10 GROUP BY b';
my $ours = qr/Custom Scan \(GpuAgg\) on t/;

sub plan_of
{
	my ($database, $before) = @_;

	return $node->safe_psql($database, ($before // '') . ';' . $query);
}

$node->safe_psql('postgres', 'CREATE DATABASE "a b"');
for my $database ('postgres', 'a b')
{
	$node->safe_psql($database,
		'CREATE TABLE t AS SELECT i a, i % 10 b FROM generate_series(1, 200000) i; VACUUM ANALYZE t');
}

# neither list has it
my ($ret, $stdout, $stderr) = $node->psql('postgres', "CREATE EXTENSION gpuscan; $query");
is($ret, 0, 'CREATE EXTENSION works without preloading');
like($stderr, qr/WARNING:.*not preloaded/, '... warns');
like($stderr, qr/HINT:\s+ALTER DATABASE postgres SET session_preload_libraries = 'gpuscan'/, '... and names the command');
like($stdout, $ours, '... and this session uses it at once');
unlike(plan_of('postgres'), $ours, 'a fresh session does not');
like(plan_of('postgres', 'SELECT gpuscan.version()'), $ours, 'a session does after first use');
like(plan_of('postgres', "LOAD 'gpuscan'"), $ours, '... or LOAD');

# the very command of the hint
my ($command) = $stderr =~ /HINT:\s+(ALTER DATABASE [^\n]*)/;
$node->safe_psql('postgres', $command);
like(plan_of('postgres'), $ours, 'after the command of the hint a fresh session does');

# a name to be quoted, and a list that has something already
$node->safe_psql('postgres', q{ALTER DATABASE "a b" SET session_preload_libraries = 'auto_explain'});
($ret, $stdout, $stderr) = $node->psql('a b', 'CREATE EXTENSION gpuscan');
($command) = $stderr =~ /HINT:\s+(ALTER DATABASE [^\n]*)/;
like($command, qr/"a b".*auto_explain.*gpuscan/, 'the hint appends to what is set');
$node->safe_psql('postgres', $command);
like(plan_of('a b'), $ours, '... and works');
is($node->safe_psql('a b', 'SHOW session_preload_libraries'), 'auto_explain, gpuscan', '... and keeps the other one');

# the server's list
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET session_preload_libraries');
unlike(plan_of('postgres'), $ours, 'without it again');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'gpuscan'");
$node->restart;
like(plan_of('postgres'), $ours, 'shared_preload_libraries');
($ret, $stdout, $stderr) = $node->psql('postgres', 'DROP EXTENSION gpuscan; CREATE EXTENSION gpuscan');
unlike($stderr, qr/WARNING/, '... and no warning then');

# settings
($ret, $stdout, $stderr) = $node->psql('postgres', 'SET gpuscan.nonsense = 1');
like($stderr, qr/gpuscan/, 'a setting that does not exist is refused');
($ret, $stdout, $stderr) = $node->psql('postgres', "SET gpuscan.cpu_level = 'mmx'");
isnt($ret, 0, 'so is a level that does not exist');
like(plan_of('postgres', "SET gpuscan.device = 'cuda'; SET gpuscan.explain_refusals = on"),
	qr/Not on Device: \S/, 'gpuscan.device = cuda says what is missing, and the query works');

# our nodes end at statement_timeout, and the session goes on
($ret, $stdout, $stderr) = $node->psql('postgres', q{
	CREATE TABLE big AS SELECT i a, i % 1000 b FROM generate_series(1, 3000000) i;
	SET gpuscan.require = 'require';
	SET statement_timeout = 20;
	SELECT count(*) FROM (SELECT a, sum(b) FROM big GROUP BY a) x;
	SET statement_timeout = 0;
	SELECT 'alive', count(*) FROM big;
}, on_error_stop => 0);
like($stderr, qr/canceling statement due to statement timeout/, 'statement_timeout');
like($stdout, qr/alive\|3000000/, '... leaves the session in order');

$node->stop;
done_testing();
