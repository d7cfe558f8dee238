# Models that generate text: functions, options, conversations, texts as they come,
# prompts that begin alike, memory and interrupts.

use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $fixtures = "$FindBin::RealBin/../model/fixtures";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $models = $node->data_dir . '/gpuscan_models';
mkdir $models or die $!;
copy("$fixtures/decoder_$_.gguf", "$models/$_.gguf") or die $! for qw(llama gemma3 qwen3);
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
my $first = failure(q{SELECT gpuscan.load_model('m')});
plan skip_all => 'this build has no models' if $first =~ /has no models/;
sql(q{
	CREATE SERVER g FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'gemma3.gguf', task 'generate', provider 'local');
	CREATE SERVER q FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'qwen3.gguf', context '100');
	CREATE SERVER odd FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'llama.gguf', chat_template 'gemma')});

# --- one text

is(sql(q{SELECT gpuscan.load_model('m'); SELECT file, loaded, architecture, dimensions, context, max_tokens IS NULL, pooling IS NULL, chat_template, shared, passes
	FROM gpuscan.models WHERE name = 'm'}), "\nllama.gguf|t|llama|64|512|t|t|chatml|t|0", 'what the view says');
is(sql(q{SELECT context FROM gpuscan.models, gpuscan.load_model('q') WHERE name = 'q'; SELECT context FROM gpuscan.models WHERE name = 'q'}), "\n100", 'a shorter context');
my $text = sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20}')});
is(sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20}')}), $text, 'the likeliest text is the same every time');
is(sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "seed": 7}')}), $text, 'whatever the seed');
isnt(sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "temperature": 1, "seed": 1}')}), $text, 'a random text');
is(sql(q{SELECT count(DISTINCT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "temperature": 1, "seed": 1}')) FROM generate_series(1, 3)}), '1', 'of a seed: the same');
cmp_ok(sql(q{SELECT count(DISTINCT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "temperature": 1}')) FROM generate_series(1, 5)}), '>', 2, 'without one: others');
is(sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "temperature": 1, "top_k": 1, "top_p": 0.9, "min_p": 0.1, "repeat_penalty": 1}')}), $text, 'of one token');
isnt(sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "raw": true}')}), $text, 'a prompt as it stands');
isnt(sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "system": "Be brief."}')}), $text, 'behind a system message');
is(sql(q{SELECT gpuscan.generate('m', NULL) IS NULL AND gpuscan.generate(NULL, 'x') IS NULL AND gpuscan.chat('m', NULL) IS NULL AND gpuscan.apply_template('m', NULL) IS NULL}), 't', 'NULL of NULL');
is(sql(q{SELECT length(gpuscan.generate('m', 'hello', NULL)) > 0}), 't', 'no options');
for my $stops ('substr(t, 6, 2)', q{jsonb_build_array('never there', substr(t, 12, 2), substr(t, 6, 2))})
{
	is(sql(qq{
		WITH x AS (SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20}') AS t)
		SELECT gpuscan.generate('m', 'hello', jsonb_build_object('max_tokens', 20, 'stop', $stops)) = left(t, position(substr(t, 6, 2) IN t) - 1) FROM x}), 't', 'up to a stop string');
}

# --- options

for (['colour', '1', '22023: unknown option "colour" (Options are: max_tokens, temperature, top_k, top_p, min_p, repeat_penalty, seed, stop, raw, system.)'],
	['max_tokens', '0', '22023: option "max_tokens" is out of range'], ['max_tokens', '1.5', '22023: option "max_tokens" is not a whole number'],
	['max_tokens', '"1"', '22023: option "max_tokens" is not a number'], ['temperature', '-1', '22023: option "temperature" is out of range'],
	['temperature', '1e400', '22023: option "temperature" is out of range'], ['top_p', '2', '22023: option "top_p" is out of range'],
	['repeat_penalty', '0', '22023: option "repeat_penalty" is out of range'], ['stop', '1', '22023: option "stop" is not a string, or an array of strings'],
	['stop', '["a", []]', '22023: option "stop" is not a string, or an array of strings'], ['stop', '{"a": 1}', '22023: option "stop" is not a string'],
	['stop', '""', '22023: option "stop" has an empty string'], ['raw', 'null', '22023: option "raw" is not true or false'],
	['system', '["a"]', '22023: option "system" is not a string'], ['seed', '-1', '22023: option "seed" is out of range'])
{
	my ($name, $value, $message) = @$_;
	like(failure(qq{SELECT gpuscan.generate('m', 'x', '{"$name": $value}')}), qr/^\Q$message\E/, "option $name $value");
}
like(failure(q{SELECT gpuscan.generate('m', 'x', '{"raw": true, "system": "a"}')}), qr/^22023: options "raw" and "system" exclude each other/, 'options that exclude each other');
like(failure(q{SELECT gpuscan.chat('m', '[{"role": "user", "content": "x"}]', '{"raw": true}')}), qr/^22023: unknown option "raw"/, 'options of conversations are fewer');
for (['task', 'embed', 'task "embed" does not fit'], ['chat_template', 'other', 'invalid chat_template "other" (There are "chatml", "smollm", "qwen1.5", "qwen2", '],
	['context', '2', 'invalid context "2"'])
{
	my ($name, $value, $message) = @$_;
	like(failure(qq{CREATE SERVER x FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm.gguf', $name '$value')}), qr/^HV024: \Q$message\E/, "$name '$value'");
}
sql(q{CREATE SERVER long FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'llama.gguf', context '513')});
like(failure(q{SELECT gpuscan.load_model('long')}), qr/^22023: model "long": a context of 513 tokens is more than the 512/, 'a context longer than the model\'s');

# --- conversations

my $messages = q{[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello <|im_end|>"}]};
is(sql(qq{SELECT gpuscan.apply_template('m', '$messages')}), "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhello <|im_end|><|im_end|>\n<|im_start|>assistant\n", 'a template');
is(sql(qq{SELECT gpuscan.apply_template('m', '$messages', false)}), "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhello <|im_end|><|im_end|>\n", '... without a place for an answer');
my $answer = decode_json(sql(qq{SELECT gpuscan.chat('m', '$messages', '{"max_tokens": 15}')}));
is($answer->{usage}{total_tokens}, $answer->{usage}{prompt_tokens} + $answer->{usage}{completion_tokens}, 'an answer says what it took');
like($answer->{finish_reason}, qr/^(stop|length)$/, '... and why it ended');
is(sql(q{SELECT gpuscan.chat('m', '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]', '{"max_tokens": 20}') ->> 'content'}),
	sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20, "system": "Be brief."}')}), 'a prompt is a conversation');
for ('{}', '1', '[]', '[1]', '[[]]', '[{"role": "user"}]', '[{"content": "x"}]', '[{"role": "tool", "content": "x"}]', '[{"role": "user", "content": 1}]', '[{"role": "user", "content": "x", "name": "y"}]')
{
	like(failure(qq{SELECT gpuscan.chat('m', '$_')}), qr/^22023: messages are not as they should be: /, "messages $_");
}
like(failure(q{SELECT gpuscan.chat('odd', '[{"role": "assistant", "content": "x"}]')}), qr/^22023: model "odd": message 1 is the assistant's/, 'roles in a wrong order');
like(failure(q{SELECT gpuscan.chat('odd', '[{"role": "user", "content": "x"}]')}), qr/^0A000: model "odd": the model has no token "<start_of_turn>"/, 'a template of another model');

sql(q{
	CREATE SERVER dated FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'llama.gguf', chat_template 'llama3.1');
	CREATE SERVER nemo FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'llama.gguf', chat_template 'mistral-v3-tekken')});
is(sql(q{SELECT gpuscan.apply_template('dated', '[{"role": "user", "content": "x"}]') LIKE '%Today Date: 26 Jul 2024%<|start_header_id|>user<|end_header_id|>%'}), 't',
	'the date of a template is always the same');
is(sql(q{SELECT gpuscan.apply_template('nemo', '[{"role": "system", "content": "s"}, {"role": "user", "content": "x"}]') LIKE '%[INST]s' || chr(10) || chr(10) || 'x[/INST]'}), 't',
	'a template of Mistral\'s');
is(sql(q{SELECT chat_template FROM gpuscan.load_model('nemo'), gpuscan.models WHERE name = 'nemo'; SELECT chat_template FROM gpuscan.models WHERE name = 'nemo'}), "\nmistral-v3-tekken", '... as the view says');

# --- texts of an array

is(sql(q{SELECT string_agg(concat_ws('|', ordinal, content IS NOT NULL, finish_reason, tokens_in IS NOT NULL, tokens_out, error), E'\n' ORDER BY ordinal)
	FROM gpuscan.generate('q', array['hello', NULL, repeat('a b ', 60), ''], '{"max_tokens": 3}')}),
	"1|t|length|t|3\n2|f|f\n3|f|f|the prompt has 198 tokens, where the model takes 100, with room for an answer\n4|t|length|t|3", 'an array: in order, NULL of NULL, errors by rows')
	or diag('the fixture has changed?');
is(sql(q{
	WITH x AS (SELECT array_agg('Tell me about ' || repeat('row ', i % 9) || i ORDER BY i) AS prompts FROM generate_series(1, 40) i)
	SELECT count(*), bool_and(content = gpuscan.generate('m', prompts[ordinal], '{"max_tokens": 8}')) FROM x, gpuscan.generate('m', prompts, '{"max_tokens": 8}')}),
	'40|t', 'the same as one by one');
is(sql(q{SELECT count(*) FROM gpuscan.generate('m', '{}'::text[])}), '0', 'an empty array');
is(sql(q{SELECT count(*) FROM gpuscan.generate('m', NULL::text[])}), '0', 'no array');
is(sql(q{SET gpuscan.generation_memory = '1MB';
	SELECT md5(string_agg(content, '' ORDER BY ordinal)) FROM gpuscan.generate('m', (SELECT array_agg(repeat('a ', 40) || i ORDER BY i) FROM generate_series(1, 60) i), '{"max_tokens": 8}')}),
	sql(q{SELECT md5(string_agg(content, '' ORDER BY ordinal)) FROM gpuscan.generate('m', (SELECT array_agg(repeat('a ', 40) || i ORDER BY i) FROM generate_series(1, 60) i), '{"max_tokens": 8}')}),
	'with little memory they wait for each other');

# rows whose prompts begin alike: the same texts as of prompts that stand alone
is(sql(q{
	WITH x AS MATERIALIZED (SELECT i, repeat('Read this with care, and then answer. ', 3) || i AS prompt FROM generate_series(1, 12) i),
	y AS MATERIALIZED (SELECT i, prompt, gpuscan.generate('m', prompt, '{"max_tokens": 6}') AS t FROM x)
	SELECT count(*), bool_and(t = (SELECT content FROM gpuscan.generate('m', array[prompt], '{"max_tokens": 6}'))) FROM y}), '12|t', 'prompts that begin alike');

# --- a text as it comes

is(sql(q{SELECT string_agg(t, '') FROM gpuscan.generate_stream('m', 'hello', '{"max_tokens": 20}') t}), $text, 'its parts are the text');
is(sql(q{SELECT count(*) FROM gpuscan.generate_stream('m', NULL) t}), '0', 'of NULL');
my $passes = q{SELECT passes FROM gpuscan.models WHERE name = 'm'};
is($node->safe_psql('postgres', qq{
	SELECT gpuscan.load_model('m');
	CREATE TEMP TABLE t AS SELECT * FROM (SELECT gpuscan.generate_stream('m', 'hello', '{"max_tokens": 200}') AS part) x LIMIT 2;
	SELECT passes < 20 FROM gpuscan.models WHERE name = 'm'}), "\nt", 'who takes two parts stops the model');
is($node->safe_psql('postgres', qq{
	SELECT gpuscan.load_model('m');
	BEGIN;
	DECLARE c CURSOR FOR SELECT gpuscan.generate_stream('m', 'hello', '{"max_tokens": 200}');
	MOVE 2 FROM c;
	SELECT gpuscan.unload_model('m');
	MOVE 1 FROM c;
	SELECT count(*) FROM gpuscan.models WHERE name = 'm' AND loaded;
	CLOSE c;
	COMMIT;
	SELECT length(gpuscan.generate('m', 'hello')) > 0}), "\nt\n0\nt", 'so does a cursor; a model that is unloaded goes on where it is in use');

# --- the two kinds of models

like(failure(q{SELECT gpuscan.embed('m', 'x')}), qr/^42809: model "m" makes no embeddings/, 'it makes no embeddings');
is(sql(q{SELECT gpuscan.count_tokens('m', 'the'), gpuscan.tokenize('m', '<|im_end|>') = '{2}', gpuscan.tokenize('m', '')}), '2|f|{}', 'tokens')
	or diag('the fixture has changed?');

is(sql(q{SELECT gpuscan.detokenize('m', gpuscan.tokenize('m', t)) = t FROM (SELECT 'the ant, 42 ' || chr(233) || chr(128578) || ' <|im_end|>') x(t)}), 't', '... and back');
is(sql(q{SELECT gpuscan.detokenize('m', '{2}') = '', gpuscan.detokenize('m', '{}') = '', gpuscan.detokenize('m', (gpuscan.tokenize('m', chr(233)))[1:1]) = chr(65533)}), 't|t|t',
	'tokens that are no text, none, a part of a character');
like(failure(q{SELECT gpuscan.detokenize('m', '{100000}')}), qr/^22023: model "m": there is no token 100000/, 'no token');
like(failure(q{SELECT gpuscan.detokenize('m', '{1,NULL}')}), qr/^22004: /, 'NULL among them');

# --- files

like(failure(q{CREATE SERVER none FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'none.gguf'); SELECT gpuscan.load_model('none')}),
	qr/^58P01: could not open the file of model "none": No such file or directory \(A GGUF file belongs at "none.gguf"/, 'a file that is not there');
open(my $bad, '>:raw', "$models/bad.gguf") or die $!;
print $bad "GGUF what is this";
close $bad;
like(failure(q{CREATE SERVER bad FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'bad.gguf'); SELECT gpuscan.generate('bad', 'x')}), qr/^(XX001|0A000): model "bad": /, 'one that is none');
my ($code, $out, $err) = $node->psql('postgres', qq{
	SELECT length(gpuscan.generate('g', 'x', '{"max_tokens": 2}')) >= 0;
	\\! head -c 100000 $fixtures/decoder_gemma3.gguf > $models/gemma3.gguf
	SELECT gpuscan.generate('g', 'x');
	\\! cp $fixtures/decoder_gemma3.gguf $models/new && mv $models/new $models/gemma3.gguf
	SELECT length(gpuscan.generate('g', 'x', '{"max_tokens": 2}')) >= 0;
}, on_error_stop => 0);
is($out, "t\nt", 'a file that is replaced is read anew');
like($err, qr/ERROR:  model "g": /, 'one that is cut short is an error, and the session goes on');

# --- rights, memory, interrupts

sql(q{CREATE ROLE user1});
like(failure(q{SET ROLE user1; SELECT gpuscan.generate('m', 'x')}), qr/^42501: permission denied for foreign server m/, 'a model that one may not use');
like(failure(q{SET ROLE user1; SET gpuscan.generation_memory = '1GB'}), qr/^42501: /, 'how much texts may take is not for all to say');
like(failure(q{SET gpuscan.generation_memory = '1MB'; SELECT gpuscan.generate('m', repeat('a', 480))}), qr/^none: /, 'a text that has room');
my $start = time;
like(failure(q{SET statement_timeout = '300ms'; SELECT count(*) FROM gpuscan.generate('m', (SELECT array_agg('x' || i) FROM generate_series(1, 20000) i), '{"max_tokens": 400}')}),
	qr/^57014: canceling statement due to statement timeout/, 'a timeout while texts are generated');
note(sprintf 'over after %.0f ms', 1000 * (time - $start));
is(sql(q{SELECT gpuscan.generate('m', 'hello', '{"max_tokens": 20}')}), $text, 'and the model is as good as before');

# another encoding
$node->safe_psql('postgres', q{CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0});
is($node->safe_psql('ascii', q{CREATE EXTENSION gpuscan; CREATE SERVER m FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'llama.gguf'); SELECT gpuscan.tokenize('m', 'hello')}),
	sql(q{SELECT gpuscan.tokenize('m', 'hello')}), 'a text of no encoding');

$node->stop;
done_testing();
