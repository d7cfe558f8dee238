# Texts as tokens of a model, and back; texts that are cut; documents in order.

use strict;
use warnings;

use File::Copy qw(copy);
use File::Path qw(make_path);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $fixture = "$FindBin::RealBin/../model/fixtures/encoder";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $models = $node->data_dir . '/gpuscan_models';
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
log_min_messages = panic
});
$node->start;

sub sql { return $node->safe_psql('postgres', shift) }

# What a query fails with, as "SQLSTATE: message"
sub failure
{
	my ($query, %how) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query", %how);
	return $err =~ /ERROR:  (\w{5}): ([^\n]*)/ ? "$1: $2" : "none: $out";
}

make_path("$models/m/1_Pooling");
copy("$fixture/$_", "$models/m/$_") or die "$_: $!"
	for qw(config.json model.safetensors modules.json sentence_bert_config.json tokenizer_config.json vocab.txt 1_Pooling/config.json);
sql(q{
	CREATE EXTENSION gpuscan;
	CREATE SERVER m FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm');
	CREATE SERVER p FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm', query_prefix 'select ', document_prefix 'row table ')});
if (failure(q{SELECT gpuscan.tokenize('m', 'x')}) =~ /has no models/)
{
	for my $call (q{detokenize('m', '{1}')}, q{truncate_tokens('m', 'x', 1)}, q{chunk('m', 'x')}, q{rerank('m', 'x', '{x}')})
	{
		like(failure("SELECT gpuscan.$call"), qr/^0A000: this build of gpuscan has no models/, "$call without models");
	}
	done_testing();
	exit;
}

# --- tokens and back

my $texts = q{(VALUES ('select a table'), (''), ('Row, (table); select.'), ('unbelievable words are there'), ('zzzz qqq xkcd'), ('a' || chr(233) || 't' || chr(233))) t(t)};
is(sql(qq{SELECT bool_and(gpuscan.tokenize('m', gpuscan.detokenize('m', x)) = x), count(*) > 3 FROM $texts, gpuscan.tokenize('m', t) x
	WHERE gpuscan.detokenize('m', x) !~ 'UNK'}), 't|t', 'the text of a text\'s tokens has the same tokens');
is(sql(q{SELECT gpuscan.detokenize('m', gpuscan.tokenize('m', 'Select A  TABLE.')), gpuscan.detokenize('m', '{}'), gpuscan.detokenize('m', '{2}')}),
	'select a table .||[CLS]', 'what is dropped is lost; none; a special one');
is(sql(q{SELECT gpuscan.detokenize('m', gpuscan.tokenize('m', '日本 a'))}), '[UNK] [UNK] a', 'what the vocabulary does not have is lost')
	or diag('the vocabulary of the fixture has changed?');
is(sql(q{SELECT gpuscan.detokenize(NULL, '{1}') IS NULL, gpuscan.detokenize('m', NULL) IS NULL, gpuscan.detokenize('m', (ARRAY[5, NULL])[1:1]) IS NOT NULL}), 't|t|t', 'NULL of NULL');
like(failure(qq{SELECT gpuscan.detokenize('m', '{1,$_}')}), qr/^22023: model "m": there is no token $_/, "token $_") for (-1, 1000000, 2147483647);
like(failure(q{SELECT gpuscan.detokenize('m', '{1,NULL}')}), qr/^22004: tokens must not contain nulls/, 'NULL among tokens');
like(failure(q{SELECT gpuscan.detokenize('m', '{{1},{2}}')}), qr/^2202E: /, 'a matrix of tokens');
like(failure(q{SELECT gpuscan.detokenize('n', '{1}')}), qr/^42704: model "n" does not exist/, 'an unknown model');

# --- the beginning of a text

is(sql(q{SELECT gpuscan.truncate_tokens('m', '  Select  a table', n) FROM generate_series(0, 4) n}), "  \n  Se\n  Sele\n  Select  \n  Select  a ",
	'so many tokens') or diag('the vocabulary of the fixture has changed?');
is(sql(q{SELECT gpuscan.truncate_tokens('m', 'x', NULL) IS NULL, gpuscan.truncate_tokens('m', NULL, 1) IS NULL, gpuscan.truncate_tokens('m', '', 0) = ''}), 't|t|t', 'NULL of NULL, nothing of nothing');
like(failure(q{SELECT gpuscan.truncate_tokens('m', 'x', -1)}), qr/^22023: max_tokens must not be negative: -1/, 'fewer than none');

# against all beginnings, tried one by one
sql(q{
	CREATE TABLE parts AS SELECT * FROM unnest(ARRAY['a', 'select', 'Tables', 'unbelievably', 'xqz', ' ', E'\n', '.', ',', chr(233), 'e' || chr(769), chr(12290), chr(26085), chr(54620), chr(8203), 'row ', 'x. ']) WITH ORDINALITY p(part, i);
	CREATE TABLE texts AS SELECT n, string_agg(part, '' ORDER BY k) AS t
	FROM (SELECT n, k, (hashint8(n * 1000 + k) & 65535) % 17 + 1 AS i FROM generate_series(1, 120) n, generate_series(1, 1 + n % 25) k) r JOIN parts USING (i) GROUP BY n});
is(sql(q{
	SELECT count(*), count(*) FILTER (WHERE got IS DISTINCT FROM best), count(DISTINCT got) > 300
	FROM texts, generate_series(0, 9) most, gpuscan.truncate_tokens('m', t, most) got,
		 LATERAL (SELECT left(t, max(l)) AS best FROM generate_series(0, length(t)) l WHERE gpuscan.count_tokens('m', left(t, l)) <= most) b}),
	'1200|0|t', 'the longest beginning of so many tokens');

# --- pieces

is(sql(q{SELECT * FROM gpuscan.chunk('m', E' A table.  Select a row.\n\nRow row row.  ', 6, 0)}), "1|2|A table.\n2|12|Select a row.\n3|27|Row row row.", 'sentences');
is(sql(q{SELECT chunk_no, start_pos, chunk FROM gpuscan.chunk('m', 'row a row a row a', max_tokens => 3, overlap => 1)}), "1|1|row a row\n2|7|row a row\n3|13|row a", 'words, of which one is repeated');
is(sql(q{SELECT count(*) FROM gpuscan.chunk('m', '')}) . sql(q{SELECT count(*) FROM gpuscan.chunk('m', E' \n ')}) . sql(q{SELECT count(*) FROM gpuscan.chunk('m', NULL)}), '000', 'no pieces of nothing, blanks and NULL');
is(sql(q{
	WITH long AS (SELECT string_agg(t, ' ' ORDER BY n) AS t FROM texts),
	cases AS (SELECT t, most, overlap FROM long, (VALUES (5, 0), (5, 4), (20, 0), (20, 7), (46, 32), (46, 45)) c(most, overlap)),
	chunks AS (SELECT most, overlap, t, c.*, start_pos + length(chunk) AS stop,
		lag(start_pos + length(chunk), 1, 1) OVER w AS before, lag(start_pos, 1, 0) OVER w AS begun, row_number() OVER w AS row
		FROM cases, gpuscan.chunk('m', t, most, overlap) c WINDOW w AS (PARTITION BY most, overlap ORDER BY chunk_no))
	SELECT most, overlap, bool_and(row = chunk_no), bool_and(gpuscan.count_tokens('m', chunk) <= most), bool_and(substr(t, start_pos, length(chunk)) = chunk),
		bool_and(start_pos <= before OR substr(t, before, start_pos - before) ~ '^\s+$'), bool_and(start_pos > begun AND stop > before),
		bool_and(gpuscan.count_tokens('m', substr(t, start_pos, greatest(before - start_pos, 0))) <= overlap), bool_and(chunk !~ '^\s|\s$'),
		bool_or(start_pos < before), substr(max(t), max(stop)) ~ '^\s*$'
	FROM chunks GROUP BY 1, 2 ORDER BY 1, 2}),
	join("\n", map { "$_->[0]|$_->[1]|t|t|t|t|t|t|t|" . ($_->[1] ? 't' : 'f') . '|t' } [5, 0], [5, 4], [20, 0], [20, 7], [46, 32], [46, 45]),
	'each piece has at most so many tokens, nothing is left out, and no more is repeated than was said');
is(sql(q{SELECT max(gpuscan.count_tokens('m', chunk)), count(gpuscan.embed('m', chunk)) = count(*) FROM gpuscan.chunk('m', repeat('a ', 1000))}), '46|t', 'pieces that the model takes');
is(sql(q{SELECT max(gpuscan.count_tokens('p', chunk)), count(gpuscan.embed('p', chunk)) = count(*) FROM gpuscan.chunk('p', repeat('a ', 1000))}), '44|t', '... with what it wants before a document');
like(failure(qq{SELECT gpuscan.chunk('m', 'x', $_->[0], $_->[1])}), qr/^22023: $_->[2]/, "chunk of $_->[0], $_->[1]")
	for [0, 0, 'max_tokens must be greater than zero'], [-5, 0, 'max_tokens must be'], [5, -1, 'overlap must not be negative'], [5, 5, 'overlap must be less than max_tokens'],
		[1000, 46, 'overlap must be less than max_tokens'];

# --- documents

is(sql(q{
	WITH d AS (SELECT ARRAY['a table', 'row', NULL, 'select a row', 'row', 'the words are there'] AS docs),
	theirs AS (SELECT i, 1 - gpuscan.cosine_distance(gpuscan.embed('p', 'select row', 'query'), gpuscan.embed('p', doc)) AS s FROM d, unnest(docs) WITH ORDINALITY u(doc, i) WHERE doc IS NOT NULL)
	SELECT array_agg(ordinal ORDER BY n) = (SELECT array_agg(i::int ORDER BY round(s::numeric, 12) DESC, i) FROM theirs), max(abs(score - s)) < 1e-6, count(*)
	FROM d, gpuscan.rerank('p', 'select row', docs) WITH ORDINALITY r(ordinal, score, n) JOIN theirs ON i = ordinal}), 't|t|5',
	'documents by the cosine of their embeddings with the query\'s, ties in order, NULL left out');
is(sql(q{SELECT count(*), bool_and(s <= before), count(DISTINCT o) FROM (SELECT ordinal AS o, score AS s, lag(score, 1, 2.0) OVER (ORDER BY n) AS before
	FROM gpuscan.rerank('m', 'row 17', (SELECT array_agg(CASE WHEN i % 9 > 0 THEN 'row ' || i END ORDER BY i) FROM generate_series(1, 700) i)) WITH ORDINALITY r(ordinal, score, n)) x}), '623|t|623', 'many documents');
is(sql(q{SELECT ordinal FROM gpuscan.rerank('m', 'row 17', (SELECT array_agg('row ' || i ORDER BY i) FROM generate_series(1, 300) i)) LIMIT 1}), '17', 'the same text is the nearest');
is(sql(q{SELECT (SELECT count(*) FROM gpuscan.rerank('m', 'x', '{}')), (SELECT count(*) FROM gpuscan.rerank('m', 'x', '{NULL}')), (SELECT count(*) FROM gpuscan.rerank('m', NULL, '{a}')), (SELECT count(*) FROM gpuscan.rerank('m', 'x', NULL))}), '0|0|0|0', 'none');
like(failure(q{SELECT gpuscan.rerank('m', '', '{a}')}), qr/^22023: cannot embed an empty text/, 'an empty query');
like(failure(q{SELECT gpuscan.rerank('m', 'x', '{a,""}')}), qr/^22023: cannot embed an empty text/, 'an empty document');
like(failure(q{SELECT gpuscan.rerank('m', 'x', ARRAY[repeat('a ', 100)])}), qr/^22001: /, 'a long document');
is(sql(q{SELECT ordinal FROM gpuscan.rerank('m', 'x', ARRAY[repeat('a ', 100)], '{"truncate": true}')}), '1', '... is cut off');
like(failure(q{SELECT gpuscan.rerank('m', 'x', '{a}', '{"top": 3}')}), qr/^22023: unknown option "top"/, 'an unknown option');

# --- rights, interrupts, encodings

sql('CREATE ROLE user1');
like(failure("SET ROLE user1; SELECT gpuscan.$_"), qr/^42501: permission denied for foreign server m/, "$_ of a model that one may not use")
	for q{detokenize('m', '{1}')}, q{truncate_tokens('m', 'x', 1)}, q{chunk('m', 'x')}, q{rerank('m', 'x', '{x}')};
my $start = time;
is(sql(q{SET statement_timeout = '60s'; SELECT length(gpuscan.truncate_tokens('m', repeat('a table. ', 1200000), 3000000))}), '9000000', 'a long text is cut');
note(sprintf 'in %.0f ms', 1000 * (time - $start));
$start = time;
is(sql(q{SET statement_timeout = '60s'; SELECT sum(length(chunk)) FROM gpuscan.chunk('m', repeat('a,table.', 1200000), 46, 0)}), '9600000', '... and in pieces, without a blank');
note(sprintf 'in %.0f ms', 1000 * (time - $start));
like(failure(qq{SET statement_timeout = '50ms'; SELECT $_}), qr/^57014: /, "a timeout: $_")
	for q{length(gpuscan.truncate_tokens('m', repeat('a table. ', 20000000), 300000000))}, q{count(*) FROM gpuscan.chunk('m', repeat('a table. ', 20000000))};
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
is($node->safe_psql('latin', q{
	CREATE EXTENSION gpuscan; CREATE SERVER m FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm');
	SELECT gpuscan.truncate_tokens('m', chr(233) || 'a a a', 3) = chr(233) || 'a a ', gpuscan.detokenize('m', gpuscan.tokenize('m', 'a'));
	SELECT start_pos, chunk = 'a a' FROM gpuscan.chunk('m', chr(233) || '. a a', 2, 0) WHERE chunk_no = 2}), "t|a\n4|t", 'another encoding');
like(sql(q{SELECT string_agg(concat(proname, ' ', provolatile, proparallel, proisstrict), ' ' ORDER BY proname) FROM pg_proc
	WHERE pronamespace = 'gpuscan'::regnamespace AND proname IN ('detokenize', 'truncate_tokens', 'chunk', 'rerank')}),
	qr/^chunk sst detokenize sst rerank sst truncate_tokens sst/, 'labels');

$node->stop;
done_testing();
