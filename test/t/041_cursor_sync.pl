# Cursors that turn back in a scan that began midway (synchronize_seqscans): the
# rows before are those that came before, whatever their place in the table.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
session_preload_libraries = 'gpuscan'
shared_buffers = 2MB
max_parallel_workers_per_gather = 0
gpuscan.startup_cost = 0
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION gpuscan;
CREATE TABLE t (id int, g int, filler text);
INSERT INTO t SELECT i, i % 7, repeat('x', 100) FROM generate_series(1, 60000) i;
VACUUM ANALYZE t;
SQL

for my $setting ('SET gpuscan.require = require', 'SET gpuscan.enabled = off')
{
	my $begin = 0;

	for my $turn (1, 50, 4000, 8572)
	{
		# leaves a place in the middle for the next scan
		my $out = $node->safe_psql('postgres', <<"SQL");
$setting;
BEGIN;
DECLARE first CURSOR FOR SELECT id FROM t WHERE g = 3;
MOVE 4000 FROM first;
DECLARE c SCROLL CURSOR FOR SELECT id FROM t WHERE g = 3;
DECLARE d CURSOR FOR SELECT id FROM t WHERE g = 3;
\\echo turned
FETCH $turn FROM c;
\\echo back
FETCH BACKWARD ALL FROM c;
\\echo all
FETCH ALL FROM c;
\\echo other
MOVE $turn FROM d;
FETCH BACKWARD 3 FROM d;
FETCH FORWARD 3 FROM d;
COMMIT;
SQL
		my %part = map { my ($name, @ids) = split /\n/; ($name => \@ids) } split /(?=turned|back|all|other)/, $out;
		my @all = @{ $part{all} };
		my $label = "$setting, turned after $turn rows";
		$begin = $all[0] if $all[0] != 3;
		is(scalar @all, 8572, "$label: all rows");
		ok("@{ $part{turned} }" eq "@all[0 .. $turn - 1]", "$label: the first ones");
		ok("@{ $part{back} }" eq join(' ', reverse @all[0 .. $turn - 2]), "$label: back");
		ok((join ' ', sort { $a <=> $b } @all) eq (join ' ', map { 7 * $_ - 4 } 1 .. 8572), "$label: each once");
	}
	isnt($begin, 0, "$setting: a scan began midway");
}
$node->stop;
done_testing();
