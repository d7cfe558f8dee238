# Models: registering and using them, rights, files that are not what they should
# be, memory and interrupts.

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
$node->safe_psql('postgres', 'CREATE EXTENSION gpuscan');

my ($code, $out, $err);
($code, $out, $err) = $node->psql('postgres', q{CREATE SERVER m FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm'); SELECT gpuscan.embed('m', 'x')});
plan skip_all => 'this build has no models' if $err =~ /has no models/;
like($err, qr/could not open the file of model "m": No such file or directory\nHINT/, 'a model whose files are not there');

# A folder with the fixture's files, by copies or as links to another folder
sub make_model
{
	my ($name, $from) = @_;
	make_path("$models/$name/1_Pooling");
	for my $file (qw(config.json model.safetensors modules.json sentence_bert_config.json tokenizer_config.json vocab.txt 1_Pooling/config.json))
	{
		unlink "$models/$name/$file";
		if ($from) { symlink("$from/$file", "$models/$name/$file") or die $! }
		else { copy("$fixture/$file", "$models/$name/$file") or die "$file: $!" }
	}
}

sub sql { return $node->safe_psql('postgres', shift) }

# What a query fails with, as "SQLSTATE: message"
sub failure
{
	my ($query, %how) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query", %how);
	return $err =~ /ERROR:  (\w{5}): ([^\n]*)/ ? "$1: $2" : "none: $out";
}

make_model('m');

# --- what it gives

# the fixture's first text, with its tokens and its embedding
open(my $file, '<:raw', "$fixture.bin") or die $!;
my $bytes = do { local $/; <$file> };
my ($text, @ids) = unpack('V/a V/V', $bytes);
@ids = unpack('x' . (4 + length $text) . 'V/V', $bytes);
my @expected = unpack('x' . (8 + length($text) + 4 * @ids) . 'f<40', $bytes);

my $worst = sql(qq{SELECT max(abs(a - b)) FROM unnest(gpuscan.embed('m', '$text'), ARRAY[} . join(',', @expected) . q{]) u(a, b)});
cmp_ok($worst, '<=', 1e-5, 'a component of an embedding is as near to the reference as it should be');
is(sql(qq{SELECT gpuscan.tokenize('m', '$text')}), '{' . join(',', @ids[1 .. $#ids - 1]) . '}', 'tokens');
is(sql(q{SELECT gpuscan.count_tokens('m', 'select a table'), gpuscan.count_tokens('m', ''), gpuscan.tokenize('m', '')}), '5|0|{}', 'numbers of tokens')
	or diag('the vocabulary of the fixture has changed?');
is(sql(q{SELECT gpuscan.embed('m', NULL) IS NULL AND gpuscan.embed(NULL::text, 'x') IS NULL AND gpuscan.tokenize('m', NULL) IS NULL}), 't', 'NULL of NULL');
is(sql(q{
	WITH x AS (SELECT array_agg(CASE WHEN i % 7 <> 0 THEN repeat('row ', i % 30 + 1) || i END ORDER BY i) AS texts FROM generate_series(1, 600) i)
	SELECT count(*), count(e), bool_and(e IS NOT DISTINCT FROM gpuscan.embed('m', t))
	FROM x, LATERAL ROWS FROM (unnest(texts), gpuscan.embed('m', texts)) u(t, e)}),
	'600|515|t', 'an array: in order, the same to the bit as one by one, NULL of NULL');
is(sql(q{SELECT count(*) FROM gpuscan.embed('m', '{}'::text[])}), '0', 'an empty array');
is(sql(q{SELECT gpuscan.embed('m', repeat('a ', 100), options => '{"truncate": true}') = gpuscan.embed('m', repeat('a ', 46))}), 't', 'a long text is cut off');
like(failure(q{SELECT gpuscan.embed('m', repeat('a ', 100))}), qr/^22001: model "m": the text has 100 tokens, of which the model takes 46/, '... or refused');
like(failure(q{SELECT gpuscan.embed('m', '')}), qr/^22023: cannot embed an empty text/, 'an empty text');
like(failure(q{SELECT gpuscan.embed('m', 'x', 'title')}), qr/^22023: invalid input type "title"/, 'an unknown input type');
like(failure(q{SELECT gpuscan.embed('m', 'x', options => '{"truncate": 1}')}), qr/^22023: option "truncate" is not true or false/, 'an option of a wrong type');
like(failure(q{SELECT gpuscan.embed('m', 'x', options => '{"Truncate": true}')}), qr/^22023: unknown option "Truncate"/, 'an unknown option');
like(failure(q{SELECT gpuscan.embed('m', 'x', options => '[]')}), qr/^22023: options are not a JSON object/, 'options that are none');
like(failure(q{SELECT gpuscan.embed('n', 'x')}), qr/^42704: model "n" does not exist/, 'an unknown model');

# the same text with each row: one pass; another statement: another one
is($node->safe_psql('postgres', q{
	CREATE TABLE docs AS SELECT i, gpuscan.embed('m', 'row ' || i) AS e FROM generate_series(1, 50) i;
	SELECT gpuscan.unload_model('m');
	SELECT i FROM docs ORDER BY e OPERATOR(gpuscan.<=>) gpuscan.embed('m', 'row 17') LIMIT 1;
	SELECT passes, loaded, usable FROM gpuscan.models WHERE name = 'm'}),
	"t\n17\n1|t|t", 'the nearest text, with one pass through the network');
is($node->safe_psql('postgres', q{
	PREPARE near(text) AS SELECT i FROM docs ORDER BY e OPERATOR(gpuscan.<=>) gpuscan.embed('m', $1) LIMIT 1;
	EXECUTE near('row 3'); EXECUTE near('row 4'); EXECUTE near('row 4');
	SELECT gpuscan.embed('m', t) IS NOT NULL FROM unnest('{a,a,b,a}'::text[]) t;
	SELECT passes FROM gpuscan.models WHERE name = 'm'}),
	"3\n4\n4\nt\nt\nt\nt\n6", 'a prepared statement; texts that change');

# prefixes, pooling, normalisation
sql(q{
	CREATE SERVER p FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm', query_prefix 'select ', document_prefix 'row ');
	CREATE SERVER c FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm', provider 'local', task 'embed', pooling 'cls', normalize 'off', max_tokens '10')});
is(sql(q{SELECT gpuscan.embed('p', 'a', 'query') = gpuscan.embed('m', 'select a'), gpuscan.embed('p', 'a') = gpuscan.embed('m', 'row a')}), 't|t', 'prefixes');
is(sql(q{SELECT gpuscan.embed('c', 'a') <> gpuscan.embed('m', 'a'), abs(gpuscan.inner_product(e, e) - 1) > 0.01 FROM gpuscan.embed('c', 'a') e}), 't|t', 'pooling and length');
is($node->safe_psql('postgres', q{
	SELECT gpuscan.load_model('c');
	SELECT architecture, dimensions, context, max_tokens, pooling, normalized, passes FROM gpuscan.models WHERE name = 'c'}), "\nbert|40|64|10|cls|f|0", 'what the view says');

# --- distances

is(sql(q{SELECT gpuscan.l2_distance('{1,2}', '{4,6}'), gpuscan.inner_product('{1,2,3}', '{4,5,6}'), gpuscan.cosine_distance('{1,0}', '{0,2}'),
	'{1,2}'::real[] OPERATOR(gpuscan.<->) '{1,2}', '{1}'::real[] OPERATOR(gpuscan.<#>) '{3}', '{1,1}'::real[] OPERATOR(gpuscan.<=>) '{-3,-3}',
	gpuscan.cosine_distance('{0,0}', '{1,1}'), gpuscan.l2_distance('{}', '{}')}), '5|32|1|0|-3|2|NaN|0', 'distances');
is(sql(q{SELECT bool_and(abs(gpuscan.inner_product(a, b) - s) < 1e-3) FROM (SELECT array_agg(x::real) AS a, array_agg((x % 7)::real) AS b, sum(x * (x % 7)) AS s, n
	FROM generate_series(1, 70) n, generate_series(1, n) x GROUP BY n) t}), 't', 'of vectors of every length');
like(failure(q{SELECT gpuscan.l2_distance('{1}', '{1,2}')}), qr/^22000: different vector dimensions 1 and 2/, 'of different lengths');
like(failure(q{SELECT gpuscan.l2_distance('{1,NULL}', '{1,2}')}), qr/^22004: /, 'with NULL');
like(failure(q{SELECT gpuscan.l2_distance('{{1},{2}}', '{1,2}')}), qr/^2202E: /, 'of a matrix');

# --- options

like(failure(q{CREATE SERVER x FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm', colour 'red')}), qr/^HV00D: invalid option "colour"/, 'an unknown option of a model');
like(failure(q{CREATE SERVER x FOREIGN DATA WRAPPER gpuscan_model}), qr/^HV00J: a model needs the option "file"/, 'no file');
for (['provider', 'else'], ['task', 'dance'], ['pooling', 'max'], ['max_tokens', '2'], ['max_tokens', '9x'])
{
	my ($name, $value) = @$_;
	like(failure(qq{CREATE SERVER x FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm', $name '$value')}), qr/^HV024: invalid $name "$value"/, "$name '$value'");
}
like(failure(q{CREATE USER MAPPING FOR postgres SERVER m OPTIONS (api_key 'x')}), qr/^HV00D: invalid option "api_key"/, 'an option of a user');
for my $path ('../m', 'a/../../m', '')
{
	like(failure(qq{CREATE SERVER x FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file '$path')}), qr/^22023: invalid file of a model/, "file '$path'");
}

# --- rights

sql(q{CREATE ROLE user1; CREATE ROLE owner1; GRANT USAGE ON FOREIGN DATA WRAPPER gpuscan_model TO owner1; GRANT CREATE ON DATABASE postgres TO owner1});
like(failure(q{SET ROLE user1; SELECT gpuscan.embed('m', 'x')}), qr/^42501: permission denied for foreign server m/, 'a model that one may not use');
like(failure(q{SET ROLE user1; SELECT gpuscan.unload_model('m')}), qr/^42501: /, '... or unload');
is(sql(q{GRANT USAGE ON FOREIGN SERVER m TO user1; SET ROLE user1; SELECT cardinality(gpuscan.embed('m', 'x'))}), '40', 'one that one may');
is(sql(q{SET ROLE user1; SELECT name, usable FROM gpuscan.models ORDER BY 1}), "c|f\nm|t\np|f", 'the list of models');
like(failure(qq{SET ROLE owner1; CREATE SERVER x FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file '$models/m')}), qr/^42501: permission denied for the file/, 'an absolute path');
sql(qq{GRANT pg_read_server_files TO owner1; SET ROLE owner1; CREATE SERVER abs FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file '$models/m')});
is(sql(q{SELECT cardinality(gpuscan.embed('abs', 'x'))}), '40', '... of an owner that may read files');
like(failure(q{REVOKE pg_read_server_files FROM owner1; SELECT gpuscan.embed('abs', 'x')}), qr/^42501: permission denied for the file of model "abs"/, '... and may no longer');

# --- files

my $outside = PostgreSQL::Test::Utils::tempdir();
make_path("$outside/1_Pooling");
copy("$models/m/$_", "$outside/$_") for qw(config.json model.safetensors modules.json sentence_bert_config.json tokenizer_config.json vocab.txt 1_Pooling/config.json);
make_model('inside', "$models/m");
make_model('away', $outside);
symlink($outside, "$models/linked") or die $!;
sql(qq{CREATE SERVER $_ FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file '$_')}) for qw(inside away linked);
is(sql(q{SELECT cardinality(gpuscan.embed('inside', 'x'))}), '40', 'symbolic links within the directory');
like(failure(qq{SELECT gpuscan.embed('$_', 'x')}), qr/^42501: could not open the file of model "$_": Permission denied/, "symbolic links out of it: $_") for qw(away linked);

# replaced, and cut short, while a session has it loaded
open(my $weights, '+<:raw', "$outside/model.safetensors") or die $!;
seek($weights, -4000, 2);
print $weights "\0" x 4000;
close $weights;
my $replace = "\\! cp $outside/model.safetensors $models/m/new && mv $models/m/new $models/m/model.safetensors";
($code, $out, $err) = $node->psql('postgres', qq{
	CREATE TEMP TABLE before AS SELECT gpuscan.embed('m', 'x') AS e;
	$replace
	SELECT e <> gpuscan.embed('m', 'x') FROM before;
	\\! head -c 10000 $outside/model.safetensors > $models/m/model.safetensors
	SELECT gpuscan.embed('m', 'x');
	$replace
	SELECT cardinality(gpuscan.embed('m', 'x'));
}, on_error_stop => 0);
is($out, "t\n40", 'a file that is replaced is read anew');
like($err, qr/ERROR:  model "m": .*leave the file/, 'one that is cut short is an error, and the session goes on');

# weights are in memory once: a file of the server's that sessions map
is(sql(q{SELECT gpuscan.load_model('p'); SELECT loaded, shared FROM gpuscan.models WHERE name = 'p'}), "\nt|t", 'weights are shared');
like(sql(q{SELECT string_agg(name, ',') FROM pg_ls_dir('base/pgsql_tmp') name}), qr/^pgsql_tmp_gpuscan_[0-9a-f_]+(,pgsql_tmp_gpuscan_[0-9a-f_]+)*$/, '... in whole files');
is(sql(q{SELECT gpuscan.embed('p', 'select') = (SELECT gpuscan.embed('p', 'select') FROM (SELECT gpuscan.unload_model('p')) x)}), 't', '... which give the same');
$node->restart;
is(sql(q{SELECT count(*) FROM pg_ls_dir('base/pgsql_tmp')}), '0', '... and are gone with the server');
chmod(0500, $node->data_dir . '/base/pgsql_tmp');
is(sql(q{SELECT cardinality(gpuscan.embed('m', 'x')); SELECT shared FROM gpuscan.models WHERE name = 'm'}), "40\nf", 'where none can be written, they are the session\'s own');
chmod(0700, $node->data_dir . '/base/pgsql_tmp');

# --- memory and interrupts

like(failure(q{SET gpuscan.model_memory = '1MB'; SELECT gpuscan.load_model(m) FROM unnest('{c,p,m,inside}'::text[]) m; SELECT 1 / (count(*) FILTER (WHERE loaded) - 4) FROM gpuscan.models}),
	qr/^22012/, 'four small models have room');
like(failure(q{SET ROLE user1; SET gpuscan.model_memory = '1MB'}), qr/^42501: /, 'how much they may take is not for all to say');

my $large = q{SELECT count(*) FROM gpuscan.embed('m', (SELECT array_agg(repeat('a ', 40)) FROM generate_series(1, 60000)))};
my $start = time;
like(failure("SET statement_timeout = '300ms'; $large"), qr/^57014: canceling statement due to statement timeout/, 'a timeout while texts are embedded');
note(sprintf 'over after %.0f ms', 1000 * (time - $start));
is(sql(q{SELECT cardinality(gpuscan.embed('m', 'x'))}), '40', 'and the model is as good as before');

# --- dump and restore

my $dump = $node->backup_dir . '/models.sql';
$node->command_ok(['pg_dump', '--file', $dump, '--dbname', $node->connstr('postgres')], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '--dbname', $node->connstr('restored')], 'its restore');
is($node->safe_psql('restored', q{SELECT cardinality(gpuscan.embed('p', 'x')), has_server_privilege('user1', 'm', 'USAGE')}), '40|t', 'models and rights are there');

# another encoding
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
is($node->safe_psql('latin', q{CREATE EXTENSION gpuscan; CREATE SERVER m FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm'); SELECT gpuscan.tokenize('m', 'a' || chr(233) || 't' || chr(233))}),
	sql(q{SELECT gpuscan.tokenize('m', 'a' || chr(233) || 't' || chr(233))}), 'a text in another encoding');

$node->stop;
done_testing();
