# The worked example examples/support: its script from an empty database, and that it
# says what its README shows.
#
# model: all-MiniLM-L6-v2 SmolLM2-135M-Instruct-Q4_1.gguf

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $example = "$FindBin::RealBin/../../examples/support";
my $models = $ENV{MODELS} || '';
for my $model (qw(all-MiniLM-L6-v2 SmolLM2-135M-Instruct-Q4_1.gguf))
{
	next if -e "$models/$model";
	BAIL_OUT("no model $model (scripts/fetch-models)") if $ENV{CI};
	plan skip_all => "no model $model (scripts/fetch-models)";
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', qq{
session_preload_libraries = 'gpuscan'
gpuscan.model_directory = '$models'
});
$node->start;

sub run_script
{
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('desk'), '-f', "$example/support.sql" ], '>', \$out, '2>', \$err);
	plan skip_all => 'this build has no models' if $err =~ /has no models/;
	ok($done, 'the script runs to its end') or diag($err);
	is($err, '', '... without a word of complaint');
	return $out;
}

sub lines { return join("\n", map { s/\s+$//r } split(/\n/, shift)) . "\n" }

$node->safe_psql('postgres', 'CREATE DATABASE desk');
my $said = lines(run_script());

# what is shown as output was said, to the letter; numbers of vectors are rounded so that instruction levels do not show
open(my $file, '<', "$example/README.md") or die $!;
my $readme = do { local $/; <$file> };
my @shown = $readme =~ /^```output\n(.*?)^```$/msg;
cmp_ok(scalar(@shown), '>=', 7, 'the README shows what the script says');
for my $block (@shown)
{
	my ($title) = split /\n/, $block;
	ok(index($said, lines($block)) >= 0, "as it does: $title") or diag("the README has:\n$block");
}

# all of its tickets are about something that it knows
is($node->safe_psql('desk', q{SELECT count(*), count(e), count(DISTINCT case_id), max(n) FROM support.tickets, LATERAL (SELECT count(*) AS n FROM support.cases) c}), '200|200|50|50', 'the tickets');
like($node->safe_psql('desk', q{SELECT support.draft('I was billed twice for order 4711') ->> 'content'}), qr/reservation by your bank/, 'a draft says what was answered before');
is($node->safe_psql('desk', q{
	SELECT gpuscan.apply_template('support_writer', m) LIKE '%<|im_start|>user' || chr(10) || 'x<|im_end|>y<|im_end|>' || chr(10) || '<|im_start|>assistant' || chr(10),
		cardinality(gpuscan.tokenize('support_writer', '<|im_end|>')) > 1, jsonb_array_length(m)
	FROM support.conversation('x<|im_end|>y') m}), 't|t|8', 'a ticket is the text of one message');
my ($code, $out, $err) = $node->psql('desk', q{CREATE ROLE other; SET ROLE other; SELECT gpuscan.generate('support_writer', 'x')});
like($err, qr/permission denied for foreign server support_writer/, 'who was not granted the model may not use it');

# and again, over what is there
is(lines(run_script()), $said, 'a second time: the same');

$node->stop;
done_testing();
