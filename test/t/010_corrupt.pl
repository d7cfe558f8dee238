# A tuple whose lengths lead out of its bounds raises XX001 with relation,
# block and offset, and never crashes the server.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
autovacuum = off
max_parallel_workers_per_gather = 0
enable_seqscan = off
gpuscan.startup_cost = 0
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION gpuscan');

# id, then the varlena; in 'huge' no number has a form in the engine, so that
# most batches are left to the host, and nobody else has looked at them
$node->safe_psql('postgres', q{
	CREATE TABLE bad (id int, x numeric, t text);
	INSERT INTO bad SELECT i, i / 4.0, 'text ' || i FROM generate_series(1, 500) i;
	CREATE TABLE huge (id int, x numeric, t text);
	INSERT INTO huge SELECT i, i * 1e45, 'text ' || i FROM generate_series(1, 20000) i;
	VACUUM (FREEZE, ANALYZE) bad, huge;
	CREATE TABLE good AS SELECT * FROM bad;
	VACUUM (FREEZE, ANALYZE) good;
	CHECKPOINT;
});
my $right = $node->safe_psql('postgres', 'SET gpuscan.enabled = off; SELECT sum(x) FROM bad');
my %path = map { $_ => $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_')") }
	('bad', 'huge');
my %block = (bad => 1, huge => 100);
my $offset = 3;

# Change bytes of one tuple in the stopped cluster; returns what stood there.
sub damage
{
	my ($table, $where, $bytes) = @_;    # position in the tuple, or 'line pointer'
	my ($line, $buf);

	$node->stop;
	open my $file, '+<:raw', $path{$table} or die "cannot open $path{$table}: $!";
	my $page = 8192 * $block{$table};
	my $itemid = $page + 24 + 4 * ($offset - 1);
	sysseek $file, $itemid, 0;
	sysread $file, $line, 4;
	my $at = $where eq 'line pointer' ? $itemid : $page + (unpack('V', $line) & 0x7fff) + $where;
	sysseek $file, $at, 0;
	sysread $file, $buf, length $bytes;
	sysseek $file, $at, 0;
	syswrite $file, $bytes;
	close $file;
	$node->start;
	return $buf;
}

my %query = (
	scan => 'SELECT id FROM %s WHERE x > 3',
	aggregate => 'SELECT sum(x) FROM %s',
	groups => 'SELECT t, count(*) FROM %s GROUP BY t');

# [table, what, query, level of the engine, position, bytes]
my @cases = (
	[ 'bad', 'short varlena beyond the tuple', 'scan', 'base', 28, "\xff" ],
	[ 'bad', 'short varlena beyond the tuple', 'scan', 'auto', 28, "\xff" ],
	[ 'bad', 'short varlena beyond the tuple', 'aggregate', 'auto', 28, "\xff" ],
	[ 'bad', 'four-byte varlena beyond the tuple', 'aggregate', 'base', 28, "\xfc\xff\xff\xff" ],
	[ 'bad', 'header offset beyond the tuple', 'aggregate', 'auto', 22, "\xf8" ],
	[ 'bad', 'header offset beyond the tuple', 'groups', 'auto', 22, "\xf8" ],
	[ 'bad', 'length beyond the page', 'aggregate', 'auto', 'line pointer', pack('V', 8160 | 1 << 15 | 4000 << 17) ],
	[ 'bad', 'offset beyond the page', 'groups', 'base', 'line pointer', pack('V', 32760 | 1 << 15 | 60 << 17) ],
	[ 'huge', 'short varlena beyond the tuple', 'scan', 'auto', 28, "\xff" ],
	[ 'huge', 'header offset beyond the tuple', 'aggregate', 'auto', 22, "\xf8" ],
	[ 'huge', 'offset beyond the page', 'aggregate', 'auto', 'line pointer', pack('V', 32760 | 1 << 15 | 60 << 17) ]);

for my $case (@cases)
{
	my ($table, $what, $name, $level, $where, $bytes) = @$case;
	my $was = damage($table, $where, $bytes);
	my $query = sprintf $query{$name}, $table;
	my ($rc, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSET gpuscan.require = require; SET gpuscan.cpu_level = '$level'; $query;");

	is($rc == 0 ? 'no error' : $err =~ /ERROR:  (\w{5})/ ? $1 : $err, 'XX001', "$table, $what: $name raises, $level");
	like($err, qr/"$table", block $block{$table}, offset $offset/, "$table, $what: $name tells the place, $level");
	is($node->safe_psql('postgres', 'SELECT sum(x) FROM good'), $right, "$table, $what: the server goes on, $level");
	damage($table, $where, $was);
}
is($node->safe_psql('postgres', 'SET gpuscan.require = require; SELECT sum(x) FROM bad'), $right, 'mended');

done_testing();
