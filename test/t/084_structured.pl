# Answers of a form that is given: generate_json, classify, ask; texts in parts over
# several statements.

use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $fixtures = "$FindBin::RealBin/../model/fixtures";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $models = $node->data_dir . '/gpuscan_models';
mkdir $models or die $!;
copy("$fixtures/decoder_$_.gguf", "$models/$_.gguf") or die $! for qw(llama gemma3);
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
log_min_messages = panic
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION gpuscan');

sub sql { return $node->safe_psql('postgres', shift) }

# What a query fails with, as "SQLSTATE: message", and its hint
sub failure
{
	my ($query, %how) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query", %how);
	return $err =~ /ERROR:  (\w{5}): ([^\n]*)(?:\n(?:DETAIL|HINT):  ([^\n]*))?/ ? "$1: $2" . ($3 ? " ($3)" : '') : "none: $out";
}

sql(q{CREATE SERVER m FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'llama.gguf')});
plan skip_all => 'this build has no models' if failure(q{SELECT gpuscan.load_model('m')}) =~ /has no models/;
sql(q{CREATE SERVER g FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'gemma3.gguf', task 'generate')});

# --- values of a schema

my $schema = q{'{"type": "object", "properties": {"z": {"type": "string", "maxLength": 8}, "a": {"type": "integer"},
	"kind": {"enum": ["bug", "question"]}}, "required": ["z", "a", "kind"]}'};
for my $m (qw(m g))
{
	is(sql(qq{SELECT jsonb_typeof(v->'z'), length(v->>'z') <= 8, (v->'a')::numeric % 1, v->>'kind' IN ('bug', 'question'), (SELECT count(*) FROM jsonb_object_keys(v))
		FROM gpuscan.generate_json('$m', 'hello', $schema, '{"max_tokens": 450}') v}), 'string|t|0|t|3', "$m writes a value of the schema");
	is(sql(qq{SELECT count(DISTINCT v), bool_and(v->>'kind' IN ('bug', 'question')) FROM generate_series(1, 5) i,
		gpuscan.generate_json('$m', 'hello', $schema, jsonb_build_object('max_tokens', 450, 'temperature', 1.3, 'top_p', 0.95, 'seed', i)) v}) =~ /^([2-5])\|t$/, 1, "... random ones, too");
}
is(sql(q{SELECT gpuscan.generate_json('m', 'x', '{"const": {"b": [1, "\u00e9"], "a": null}}')}), '{"a": null, "b": [1, "é"]}', 'a constant');
is(sql(q{SELECT jsonb_typeof(gpuscan.generate_json('m', 'x', '{"type": "boolean"}'))}), 'boolean', 'of a type');
is(sql(q{SELECT gpuscan.generate_json(NULL, 'x', 'true') IS NULL AND gpuscan.generate_json('m', NULL, 'true') IS NULL AND gpuscan.generate_json('m', 'x', NULL) IS NULL}), 't', 'NULL of NULL');
is(sql(q{SELECT gpuscan.generate_json('m', 'x' || i, format('{"const": %s}', i % 2)::json) FROM generate_series(1, 4) i}), "1\n0\n1\n0", 'a schema for each row');
like(failure(q{SELECT gpuscan.generate_json('m', 'x', '{"type": "string", "pattern": "a"}')}), qr/^0A000: keyword "pattern" of a JSON schema is not supported: there are type, /, 'a keyword that there is not');
like(failure(q{SELECT gpuscan.generate_json('m', 'x', '{"type": "text"}')}), qr/^22023: "type" of a JSON schema /, 'a schema that is none');
like(failure(q[SELECT gpuscan.generate_json('m', 'x', '{')]), qr/^22P02: invalid input syntax for type json/, 'JSON that is none');
like(failure(qq{SELECT gpuscan.generate_json('m', 'x', $schema, '{"max_tokens": 3}')}),
	qr/^22001: model "m": the value was not complete after 3 tokens \(Raise the option "max_tokens"/, 'a value that has no room');
like(failure(q{SELECT gpuscan.generate_json('m', 'x', 'true', '{"stop": "x"}')}), qr/^22023: .*"stop"/, 'an option of texts');
like(failure(q{SELECT gpuscan.generate('m', 'x', '{"instruction": "x"}')}), qr/^22023: .*"instruction"/, 'an option of labels');

# --- which of some answers

is(sql(q{SELECT count(*), round(sum(probability)::numeric, 9), bool_and(label IN ('bug', 'question', 'praise')), bool_and(probability BETWEEN 0 AND 1)
	FROM gpuscan.classify('m', 'it broke', ARRAY['bug', 'question', 'praise'])}), '3|1.000000000|t|t', 'probabilities of labels');
is(sql(q{SELECT bool_and(p >= n OR n IS NULL) FROM (SELECT probability AS p, lead(probability) OVER () AS n FROM gpuscan.classify('m', 'it broke', ARRAY['bug', 'question', 'praise'])) x}),
	't', 'the likeliest comes first');
is(sql(q{SELECT count(*) FROM (SELECT * FROM gpuscan.classify('m', 'it broke', ARRAY['bug', 'question', 'praise'])
	EXCEPT SELECT * FROM gpuscan.classify('m', 'it broke', ARRAY['bug', 'question', 'praise'])) x}), '0', 'the same every time');
my $one = q{SELECT string_agg(label || ' ' || probability, ', ') FROM gpuscan.classify('m', 'text ' || %s, ARRAY['bug', 'question'])};
is(sql('SELECT (' . sprintf($one, 'i') . ') FROM generate_series(1, 4) i'), join("\n", map { sql(sprintf($one, $_)) } 1 .. 4), 'many rows are as one');
is(sql(q{SELECT count(*) FROM gpuscan.classify('m', NULL, ARRAY['a', 'b'])}), '0', 'of NULL');
isnt(sql(q{SELECT string_agg(probability::text, ' ') FROM gpuscan.classify('m', 'x', ARRAY['a', 'b'], '{"instruction": "Which letter?"}')}),
	sql(q{SELECT string_agg(probability::text, ' ') FROM gpuscan.classify('m', 'x', ARRAY['a', 'b'])}), 'an instruction of one\'s own');
isnt(sql(q{SELECT string_agg(probability::text, ' ') FROM gpuscan.classify('m', 'x', ARRAY['a', 'b'], '{"raw": true}')}),
	sql(q{SELECT string_agg(probability::text, ' ') FROM gpuscan.classify('m', 'x', ARRAY['a', 'b'])}), 'without a template');
is(sql(q{SELECT count(*) FROM gpuscan.classify('g', 'x', ARRAY['a', 'b', 'a b'])}), '3', 'a model without one');
like(failure(q{SELECT gpuscan.classify('m', 'x', ARRAY['a'])}), qr/^22023: there must be at least two labels/, 'one label');
like(failure(q{SELECT gpuscan.classify('m', 'x', '{}')}), qr/^22023: there must be at least two labels/, 'none');
like(failure(q{SELECT gpuscan.classify('m', 'x', ARRAY['a', NULL])}), qr/^22004: a label is null/, 'a label that is null');
like(failure(q{SELECT gpuscan.classify('m', 'x', ARRAY['a', ''])}), qr/^22023: a label is empty/, 'an empty one');
like(failure(q{SELECT gpuscan.classify('m', 'x', ARRAY['a', 'b', 'a'])}), qr/^22023: a label is there twice \(It is "a"\.\)/, 'one that is there twice');
like(failure(q{SELECT gpuscan.classify('m', 'x', ARRAY['a', 'b'], '{"max_tokens": 1}')}), qr/^22023: .*"max_tokens"/, 'an option of texts');
like(failure(q{SELECT gpuscan.classify('m', repeat('word ', 600), ARRAY['a', 'b'])}), qr/^22001: model "m": the prompt and an answer have \d+ tokens/, 'a text that is too long');

like(sql(q{SELECT gpuscan.ask('m', 'Is it so?')}), qr/^[tf]$/, 'a question');
is(sql(q{SELECT count(gpuscan.ask('m', 'Is it so?', 'row ' || i)) FROM generate_series(1, 5) i}), '5', 'about rows');
is(sql(q{SELECT gpuscan.ask('m', NULL) IS NULL AND gpuscan.ask('m', 'x', NULL) IS NULL AND gpuscan.ask(NULL, 'x', 'y') IS NULL}), 't', 'NULL of NULL');

# --- texts in parts, over several statements

my $text = sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20}')});
is(sql(q{
	SELECT gpuscan.generate_start('m', 'hello', '{"max_tokens": 20}') AS id \gset
	CREATE TEMP TABLE parts (n int GENERATED ALWAYS AS IDENTITY, part text);
	DO $$ DECLARE part text; BEGIN
		LOOP part := gpuscan.generate_next(1); EXIT WHEN part IS NULL; INSERT INTO parts (part) VALUES (part); COMMIT; END LOOP; END $$;
	SELECT string_agg(part, '' ORDER BY n) FROM parts WHERE :id = 1}), $text, 'its parts are the text');
is(sql(q{SELECT gpuscan.generate_start('m', NULL) IS NULL AND gpuscan.generate_next(NULL) IS NULL AND gpuscan.generate_stop(NULL) IS NULL}), 't', 'NULL of NULL');
is(sql(q{SELECT gpuscan.generate_start('m', 'hello'), gpuscan.generate_start('m', 'hello'); SELECT gpuscan.generate_next(2) = gpuscan.generate_next(1), gpuscan.generate_stop(1), gpuscan.generate_stop(1), gpuscan.generate_stop(2)}),
	"1|2\nt|t|f|t", 'two of them');
like(failure(q{SELECT gpuscan.generate_next(1)}), qr/^42704: no text 1 has been started in this session/, 'one that there is not');
like(failure(q{SELECT gpuscan.generate_start('m', 'hello', '{"max_tokens": 1}'); SELECT gpuscan.generate_next(1), gpuscan.generate_next(1); SELECT gpuscan.generate_next(1)}),
	qr/^42704: .*\(It may have come to its end/, 'one that has ended');
like(failure(q{SELECT gpuscan.generate_start('m', 'hello') FROM generate_series(1, 65)}), qr/^53400: 64 texts have been started and not ended in this session/, 'too many');
like(failure(q{SELECT gpuscan.generate_start('m', repeat('word ', 600))}), qr/^22001: /, 'a prompt that is too long');
sql(q{CREATE ROLE user1; CREATE ROLE user2; GRANT USAGE ON FOREIGN SERVER m TO user1; GRANT USAGE ON SCHEMA gpuscan TO user1, user2});
like(failure(q{SET ROLE user1; SELECT gpuscan.generate_start('m', 'hello'); RESET ROLE; SET ROLE user2; SELECT gpuscan.generate_next(1)}), qr/^42704: /, 'another user\'s');
like(failure(q{SET ROLE user2; SELECT gpuscan.generate_start('m', 'hello')}), qr/^42501: /, 'without the right to use it');
like(failure(q{SET ROLE user2; SELECT gpuscan.generate_json('m', 'hello', 'true')}), qr/^42501: /, 'generate_json, too');
like(failure(q{SET ROLE user2; SELECT gpuscan.classify('m', 'hello', ARRAY['a', 'b'])}), qr/^42501: /, 'classify, too');
like(failure(q{SET ROLE user2; SELECT gpuscan.ask('m', 'hello')}), qr/^42501: /, 'ask, too');
is(sql(q{SELECT gpuscan.generate_start('m', 'hello', '{"max_tokens": 20}'); SELECT gpuscan.unload_model('m'); SELECT length(gpuscan.generate_next(1)) > 0; SELECT gpuscan.generate_stop(1)}),
	"1\nt\nt\nt", 'a model that is unloaded stays as long as it is needed');

$node->stop;
done_testing();
