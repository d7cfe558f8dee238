# Scans by our nodes on a hot standby: the same answers, and recovery conflicts
# end them as they end PostgreSQL's own, with the same SQLSTATE.

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', <<'CONF');
session_preload_libraries = 'gpuscan'
autovacuum = off
synchronize_seqscans = off
max_prepared_transactions = 2
max_standby_streaming_delay = 50ms
max_parallel_workers_per_gather = 0
gpuscan.startup_cost = 0
wal_receiver_status_interval = 1
CONF
$primary->start;
$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION gpuscan;
CREATE TABLE t (id int, g int, n numeric(10,2)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, i % 5, i / 4.0 FROM generate_series(1, 20000) i;
CREATE TABLE idle (a int) WITH (autovacuum_enabled = off);
VACUUM ANALYZE t;
SQL
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

my $ours = 'SET gpuscan.require = require';
my $theirs = 'SET gpuscan.enabled = off';
my $rows = 'SELECT ctid, * FROM t WHERE g = 3 AND id % 7 = 1';
my $groups = 'SELECT g, count(*), sum(n), min(id) FROM t WHERE id > 10 GROUP BY g ORDER BY g';

sub same
{
	my $label = shift;

	$primary->wait_for_catchup($standby);
	for my $query ($rows, $groups)
	{
		is($standby->safe_psql('postgres', "$ours; $query"), $standby->safe_psql('postgres', "$theirs; $query"), $label);
	}
}

is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'a hot standby');
same('all-visible pages');
$primary->safe_psql('postgres', 'UPDATE t SET n = n + 1 WHERE id % 3 = 0; DELETE FROM t WHERE id % 11 = 0');
same('changed rows');
$primary->safe_psql('postgres', 'BEGIN; INSERT INTO t SELECT i, 3, 1 FROM generate_series(1, 99) i; PREPARE TRANSACTION \'p\'');
same('a prepared transaction');
$primary->safe_psql('postgres', 'COMMIT PREPARED \'p\'');
same('... committed');
$primary->safe_psql('postgres', 'VACUUM t');
same('after VACUUM');

# A session on the standby that goes on in the background, and what it said.
sub background
{
	my $script = shift;
	my %session = (out => '', err => '');
	my $file = "$PostgreSQL::Test::Utils::tmp_check/background.sql";

	unlink $file;
	append_to_file($file, $script);
	$session{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $standby->connstr('postgres'), '-f', $file ],
		'>', \$session{out}, '2>', \$session{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

sub said
{
	my $session = shift;

	$session->{run}->finish;
	my ($error) = $session->{err} =~ /((?:ERROR|FATAL):\s+\w{5}: [^\n]*(?:\n(?:DETAIL):[^\n]*)?)/;
	return $error // "no error: $session->{out}";
}

sub until_asleep
{
	$standby->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query ~ '^SELECT')")
		or die 'the session never slept';
}

# Each conflict with our nodes and without.  prepare: on the primary, before the
# session starts; cause: what the primary does then.
my %last;
sub conflict
{
	my ($label, $expected, $prepare, $before, $query, $cause) = @_;

	for my $kind ('theirs', 'ours')
	{
		$primary->safe_psql('postgres', $prepare) if $prepare ne '';
		$primary->wait_for_catchup($standby);
		my $session = background(($kind eq 'ours' ? $ours : $theirs) . ";\n$before;\n$query;\n");
		until_asleep();
		$primary->safe_psql('postgres', $cause);
		my $said = said($session);
		like($said, $expected, "$label: $kind");
		$last{$kind} = $said;
	}
	is($last{ours}, $last{theirs}, "$label: the same words");
}

my $fill = 'TRUNCATE t; INSERT INTO t SELECT i, i % 5, 1 FROM generate_series(1, 20000) i; VACUUM t;';

conflict('a snapshot, filtering', qr/ERROR:\s+40001: canceling statement due to conflict with recovery/,
	$fill, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t WHERE g = 9',
	'SELECT id FROM t WHERE g > 3 AND pg_sleep(0.1) IS NOT NULL', 'DELETE FROM t WHERE id < 15000; VACUUM t');
conflict('a snapshot, grouping', qr/ERROR:\s+40001: canceling statement due to conflict with recovery/,
	$fill, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t WHERE g = 9',
	'SELECT count(*) FROM t WHERE g > 3 AND pg_sleep(0.1) IS NOT NULL', 'DELETE FROM t WHERE id < 15000; VACUUM t');
conflict('a table that is truncated', qr/ERROR:\s+40001: canceling statement due to conflict with recovery\nDETAIL:\s+User was holding a relation lock for too long/,
	$fill, 'SELECT 1', 'SELECT id FROM t WHERE g > 3 AND pg_sleep(0.1) IS NOT NULL', 'TRUNCATE t');

# A pin: the rows that are removed, behind those on the last page, were never
# there for the snapshot.  (Without an xid's commit nothing would be flushed.)
conflict('a pinned page', qr/ERROR:\s+40001: canceling statement due to conflict with recovery\nDETAIL:\s+User was holding shared buffer pin for too long/,
	"$fill BEGIN; INSERT INTO t SELECT 1, 9, 9 FROM generate_series(1, 300); ROLLBACK; BEGIN; LOCK TABLE idle; COMMIT;",
	'BEGIN; DECLARE c CURSOR FOR SELECT id FROM t WHERE g = 3 AND id > 19990; FETCH 1 FROM c',
	'SELECT pg_sleep(20) FROM t WHERE g = 3 AND id = 3', 'VACUUM t');

# Whoever only waits inside a transaction loses his connection, as ever.
for my $kind ('theirs', 'ours')
{
	$primary->safe_psql('postgres', $fill);
	$primary->wait_for_catchup($standby);
	my $session = background(($kind eq 'ours' ? $ours : $theirs) .
		";\nBEGIN ISOLATION LEVEL REPEATABLE READ;\nDECLARE c CURSOR FOR SELECT id FROM t WHERE g = 3;\nFETCH 2 FROM c;\n" .
		"\\! sleep 3\nFETCH 2 FROM c;\n");
	$standby->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction')") or die;
	$primary->safe_psql('postgres', 'DELETE FROM t WHERE id > 100; VACUUM t');
	$last{$kind} = said($session);
	like($last{$kind}, qr/(FATAL|ERROR):\s+40001: (terminating connection|canceling statement) due to conflict with recovery/, "an idle cursor: $kind");
}
is($last{ours}, $last{theirs}, 'an idle cursor: the same words');

# Promotion under an open cursor
$primary->safe_psql('postgres', $fill);
$primary->wait_for_catchup($standby);
my $session = background("$ours;\nBEGIN ISOLATION LEVEL REPEATABLE READ;\nDECLARE c CURSOR FOR SELECT id FROM t WHERE g = 3;\nFETCH 1 FROM c;\n" .
	"SELECT pg_sleep(3) FROM t WHERE id = 1;\nFETCH 1 FROM c;\nMOVE 3000 FROM c;\nFETCH BACKWARD 1 FROM c;\n$groups;\n");
until_asleep();
$standby->promote;
$standby->safe_psql('postgres', 'DELETE FROM t WHERE id < 19000');
$session->{run}->finish;
is($session->{err}, '', 'promoted under a cursor');
like($session->{out}, qr/^3\n\n8\n15003\n0\|3998\|3998\.00\|15\n/m, '... which goes on') or diag($session->{out});
is($standby->safe_psql('postgres', "$ours; $groups"), $standby->safe_psql('postgres', "$theirs; $groups"), 'and the new primary answers');

$standby->stop;
$primary->stop;
done_testing();
