# backfill: what it fills and what it leaves, rows that fail, rights and privacy,
# runs that are cancelled or killed, others at the same table.

use strict;
use warnings;

use File::Copy qw(copy);
use File::Path qw(make_path);
use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $fixture = "$FindBin::RealBin/../model/fixtures/encoder";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $models = $node->data_dir . '/gpuscan_models';
$node->append_conf('postgresql.conf', q{
session_preload_libraries = 'gpuscan'
log_min_messages = panic
autovacuum = off
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

# A query in a session of its own, whose output comes when it is finished
sub start_query
{
	my ($query) = @_;
	my %query = (out => '', err => '');
	$query{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $query ], '<', \undef, '>', \$query{out}, '2>', \$query{err},
		IPC::Run::timeout(180));
	return \%query;
}

sub finish_query
{
	my ($query) = @_;
	$query->{run}->finish;
	return $query->{out} . $query->{err};
}

make_path("$models/m/1_Pooling");
copy("$fixture/$_", "$models/m/$_") or die "$_: $!"
	for qw(config.json model.safetensors modules.json sentence_bert_config.json tokenizer_config.json vocab.txt 1_Pooling/config.json);
sql(q{
	CREATE EXTENSION gpuscan;
	CREATE SERVER m FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file 'm', document_prefix 'row ');
	CREATE TABLE docs (id int PRIMARY KEY, body text, e real[]);
	INSERT INTO docs SELECT i, CASE WHEN i % 10 > 0 THEN 'row ' || i END FROM generate_series(1, 1000) i;
	UPDATE docs SET e = '{1}' WHERE id % 10 = 5});
if (failure(q{SELECT gpuscan.tokenize('m', 'x')}) =~ /has no models/)
{
	like(failure(q{CALL gpuscan.backfill('docs', 'body', 'e', 'm')}), qr/^0A000: this build of gpuscan has no models/, 'without models');
	done_testing();
	exit;
}

# --- what it fills

is(sql(q{CALL gpuscan.backfill('docs', 'body', 'e', 'm', 64)}), '', 'a table is filled');
is(sql(q{SELECT count(*) FILTER (WHERE e IS NULL), count(*) FILTER (WHERE e IS NULL AND body IS NULL), count(*) FILTER (WHERE e = '{1}'),
	count(*) FILTER (WHERE e = gpuscan.embed('m', body)) FROM docs}), '100|100|100|800', '... where there is a text and no vector, and with embed\'s vectors');
is(sql(q{SELECT relation, source, target, model, state, rows_total, rows_done, rows_failed, rows_skipped, last_commit > started, role FROM gpuscan.backfill_runs}),
	'docs|body|e|m|finished|800|800|0|0|t|postgres', '... and what is said of it');
is(sql(q{SELECT count(DISTINCT xmin::text) FROM docs WHERE e <> '{1}'}), '13', 'a batch is a transaction') or diag(sql('SELECT xmin, count(*) FROM docs GROUP BY 1'));
is(sql(q{CALL gpuscan.backfill('docs', 'body', 'e', 'm'); SELECT rows_total, rows_done FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1}), '0|0', 'nothing to do');
is(sql(q{SELECT count(*) FROM gpuscan.backfill_progress}), '0', 'none is at work');

# keys of other kinds, names that need quotes, partitions, children
sql(q{
	CREATE SCHEMA "Odd one";
	CREATE TYPE "Odd one".colour AS ENUM ('red', 'green');
	CREATE TABLE "Odd one"."T ""1""" ("select" "Odd one".colour, "Key 2" varchar(20), at timestamptz, "The Text" varchar, "E " real[], PRIMARY KEY (at, "select", "Key 2"));
	INSERT INTO "Odd one"."T ""1""" SELECT (ARRAY['red', 'green'])[i % 2 + 1]::"Odd one".colour, 'k' || i % 7, timestamptz '2020-01-01' + i % 3 * interval '1 day', 'row ' || min(i)
		FROM generate_series(1, 500) i GROUP BY 1, 2, 3;
	CREATE TABLE parts (id bigint, tenant text COLLATE "C", body text, e real[], PRIMARY KEY (tenant, id)) PARTITION BY LIST (tenant);
	CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
	CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b', 'c');
	INSERT INTO parts SELECT i, (ARRAY['a', 'b', 'c'])[i % 3 + 1], 'row ' || i FROM generate_series(1, 300) i;
	CREATE TABLE child () INHERITS (docs);
	INSERT INTO child VALUES (1, 'a child'), (5000, 'another')});
is(sql(q{CALL gpuscan.backfill('"Odd one"."T ""1"""', 'The Text', 'E ', 'm', 3);
	SELECT count(*), count("E "), bool_and("E " = gpuscan.embed('m', "The Text")) FROM "Odd one"."T ""1"""}), '42|42|t', 'a key of three columns, of which one has a type of another schema');
is(sql(q{CALL gpuscan.backfill('parts', 'body', 'e', 'm', 7); SELECT count(e), bool_and(e = gpuscan.embed('m', body)) FROM parts}), '300|t', 'partitions');
is(sql(q{CALL gpuscan.backfill('docs', 'body', 'e', 'm'); SELECT count(*), count(e) FROM child}), '2|0', 'tables that inherit are left');

# another type of vectors, as pgvector's is: a dimension that is checked, an assignment cast
sql(q{
	CREATE TYPE vec AS (v real[]);
	CREATE FUNCTION to_vec(real[]) RETURNS vec LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1)::vec';
	CREATE CAST (real[] AS vec) WITH FUNCTION to_vec(real[]) AS ASSIGNMENT;
	CREATE DOMAIN vec3 AS real[] CHECK (cardinality(VALUE) = 3);
	CREATE TABLE vecs (id int PRIMARY KEY, body text, e vec, d float8[], three vec3, t text);
	INSERT INTO vecs SELECT i, 'row ' || i FROM generate_series(1, 10) i});
is(sql(q{CALL gpuscan.backfill('vecs', 'body', 'e', 'm'); SELECT count(*) FROM vecs WHERE (e).v = gpuscan.embed('m', body)}), '10', 'a type with an assignment cast');
is(sql(q{CALL gpuscan.backfill('vecs', 'body', 'd', 'm'); SELECT count(*) FROM vecs WHERE d::real[] = gpuscan.embed('m', body)}), '10', 'float8[]');
like(failure(q{CALL gpuscan.backfill('vecs', 'body', 'three', 'm')}), qr/^23514: value for domain vec3/, 'a dimension that does not fit is found before there is any work');
is(sql(q{SELECT count(*) FROM gpuscan.backfill_errors}), '0', '... and is no error of rows');

# --- wrong use

like(failure("CALL gpuscan.backfill($_->[0])"), qr/^$_->[1]/, "CALL backfill($_->[0])") for
	[q{'vecs', 'body', 't', 'm'}, '42804: column "t" is of type text, to which real\[\] cannot be assigned'],
	[q{'vecs', 'id', 'd', 'm'}, '42804: column "id" is of type integer, which is no text'],
	[q{'vecs', 'nobody', 'd', 'm'}, '42703: column "nobody" of relation "vecs" does not exist'],
	[q{'vecs', 'body', 'ctid', 'm'}, '0A000: cannot use system column "ctid"'],
	[q{'vecs', 'body', 'd', 'n'}, '42704: model "n" does not exist'],
	[q{'nothing', 'body', 'd', 'n'}, '42P01: '],
	[q{'gpuscan.models', 'file', 'size', 'm'}, '42809: "models" is not a table'],
	[q{'vecs', 'body', 'd', 'm', 0}, '22023: batch_rows must be from 1 to 10000: 0'],
	[q{'vecs', 'body', 'd', 'm', 10001}, '22023: batch_rows must be'],
	[q{'vecs', 'body', 'd', NULL}, '22004: model must not be null'],
	[q{NULL, 'body', 'd', 'm'}, '22004: relation must not be null'],
	[q{'vecs', 'body', 'd', 'm', options => '{"max_attempts": 0}'}, '22023: option "max_attempts" is (out of range|not a number|not a whole number)'],
	[q{'vecs', 'body', 'd', 'm', options => '{"max_attempts": 1.5}'}, '22023: option "max_attempts" is not'],
	[q{'vecs', 'body', 'd', 'm', options => '{"max_attempts": "3"}'}, '22023: option "max_attempts" is not'],
	[q{'vecs', 'body', 'd', 'm', options => '{"where": "true"}'}, '22023: unknown option "where"'];
sql(q{CREATE TABLE nokey (id int UNIQUE, body text, e real[])});
my (undef, undef, $err) = $node->psql('postgres', q{\set VERBOSITY verbose
CALL gpuscan.backfill('nokey', 'body', 'e', 'm')});
like($err, qr/55000: table "nokey" has no primary key.*HINT:  Use ALTER TABLE ... ADD PRIMARY KEY/s, 'no primary key');
(undef, undef, $err) = $node->psql('postgres', q{\set VERBOSITY verbose
BEGIN; CALL gpuscan.backfill('docs', 'body', 'e', 'm')});
like($err, qr/2D000: gpuscan.backfill cannot run inside a transaction block.*HINT:  CALL it by itself/s, 'in a transaction block');
like(failure(q{CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN CALL gpuscan.backfill('docs', 'body', 'e', 'm'); END$$; SELECT f()}), qr/^2D000: /, 'in a function');
is(sql(q{UPDATE docs SET e = NULL WHERE id = 1; DO $$BEGIN CALL gpuscan.backfill('docs', 'body', 'e', 'm'); END$$; SELECT e IS NOT NULL FROM ONLY docs WHERE id = 1}), 't', 'in a block of code, outside a transaction');

# --- rows that fail

sql(q{
	CREATE TABLE bad (id int PRIMARY KEY, body text, e real[], CHECK (id <> 40 OR e IS NULL));
	INSERT INTO bad SELECT i, CASE WHEN i IN (10, 20) THEN '' WHEN i = 30 THEN repeat('a ', 100) ELSE 'row ' || i END FROM generate_series(1, 50) i});
is(sql(q{CALL gpuscan.backfill('bad', 'body', 'e', 'm', 16); SELECT count(e), count(*) FROM bad}), '46|50', 'rows that fail do not stop the others');
is(sql(q{SELECT relation, target, row_key, model, sqlstate, attempts, error FROM gpuscan.backfill_errors ORDER BY row_key}), <<'EOT' =~ s/\n$//r, '... and are noted');
bad|e|10|m|22023|1|cannot embed an empty text
bad|e|20|m|22023|1|cannot embed an empty text
bad|e|30|m|22001|1|model "m": the text has 101 tokens, of which the model takes 46
bad|e|40|m|23514|1|new row for relation "bad" violates check constraint "bad_check"
EOT
is(sql(q{SELECT rows_total, rows_done, rows_failed FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1}), '50|46|4', '... and counted');
is(sql(q{UPDATE bad SET body = 'no longer empty' WHERE id = 20; CALL gpuscan.backfill('bad', 'body', 'e', 'm'); CALL gpuscan.backfill('bad', 'body', 'e', 'm');
	SELECT string_agg(row_key || ':' || attempts, ' ' ORDER BY row_key) FROM gpuscan.backfill_errors}), '10:3 30:3 40:3', 'each call tries again, and what succeeds is forgotten');
is(sql(q{CALL gpuscan.backfill('bad', 'body', 'e', 'm'); SELECT string_agg(row_key || ':' || attempts, ' ' ORDER BY row_key), (SELECT rows_failed FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1) FROM gpuscan.backfill_errors}),
	'10:3 30:3 40:3|0', '... three times');
is(sql(q{UPDATE bad SET body = ' ' WHERE id = 10; UPDATE bad SET body = repeat('b ', 100) WHERE id = 30; CALL gpuscan.backfill('bad', 'body', 'e', 'm');
	SELECT string_agg(row_key || ':' || attempts, ' ' ORDER BY row_key) FROM gpuscan.backfill_errors}), '30:1 40:3', 'another text begins anew');
is(sql(q{CALL gpuscan.backfill('bad', 'body', 'e', 'm', options => '{"truncate": true, "max_attempts": 1000}'); SELECT string_agg(row_key || ':' || attempts, ' ') FROM gpuscan.backfill_errors}),
	'40:4', 'options: texts that are cut off, more attempts');
is(sql(q{SET datestyle = 'German'; SET timezone = 'Asia/Tokyo'; CREATE TABLE times (at timestamptz, d float8, body text, e real[], PRIMARY KEY (at, d));
	INSERT INTO times VALUES ('2020-02-03 04:05:06.789+00', 0.1, ''); CALL gpuscan.backfill('times', 'body', 'e', 'm');
	SET datestyle = 'ISO'; SET timezone = 'UTC'; SET extra_float_digits = -5; CALL gpuscan.backfill('times', 'body', 'e', 'm');
	SELECT row_key, attempts FROM gpuscan.backfill_errors WHERE relation = 'times'::regclass}), '["2020-02-03 04:05:06.789+00", "0.1"]|2', 'a key is the same text in every session');
is(sql(q{DROP TABLE times; CALL gpuscan.backfill('docs', 'body', 'e', 'm'); SELECT count(*) FROM gpuscan.backfill_errors WHERE row_key LIKE '[%'}), '0', 'errors of a table go after it has gone');

is(sql(q{CREATE TABLE lengthy (a text, b text, body text, e real[], PRIMARY KEY (a, b));
	INSERT INTO lengthy SELECT repeat('"', 1200), repeat(chr(233), 600) || i, CASE WHEN i = 2 THEN 'x' ELSE '' END FROM generate_series(1, 3) i;
	CALL gpuscan.backfill('lengthy', 'body', 'e', 'm'); CALL gpuscan.backfill('lengthy', 'body', 'e', 'm');
	SELECT count(*), min(attempts), max(octet_length(row_key)) < 1000 FROM gpuscan.backfill_errors WHERE relation = 'lengthy'::regclass}), '2|2|t', 'long keys');

# --- rights and privacy

sql(q{
	CREATE ROLE user1; CREATE ROLE user2;
	CREATE TABLE secrets (id text PRIMARY KEY, owner name, body text, e real[]);
	INSERT INTO secrets SELECT u || i, u, CASE WHEN i = 1 THEN '' ELSE 'row ' || i END FROM unnest('{user1,user2}'::text[]) u, generate_series(1, 20) i;
	ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON secrets USING (owner = current_user)});
my $call = q{CALL gpuscan.backfill('secrets', 'body', 'e', 'm')};
like(failure("SET ROLE user1; $call"), qr/^42501: permission denied for table secrets/, 'a table that one may not change');
like(failure("GRANT UPDATE (e) ON secrets TO user1, user2; SET ROLE user1; $call"), qr/^42501: permission denied for foreign server m/, 'a model that one may not use');
like(failure("GRANT USAGE ON FOREIGN SERVER m TO user1, user2; GRANT SELECT (id, body) ON secrets TO user1, user2; SET ROLE user1; $call"), qr/^42501: permission denied for table secrets/, 'a column that one may not read');
is(sql("GRANT SELECT (e) ON secrets TO user1, user2; SET ROLE user1; $call; RESET ROLE; SELECT owner, count(e) FROM secrets GROUP BY 1 ORDER BY 1"), "user1|19\nuser2|0", 'row-level security holds');
is(sql("SET ROLE user2; $call; RESET ROLE; SELECT owner, count(e) FROM secrets GROUP BY 1 ORDER BY 1"), "user1|19\nuser2|19", '... for each');
for my $user (qw(user1 user2))
{
	is(sql(qq{SET ROLE $user; SELECT string_agg(row_key, ','), (SELECT string_agg(DISTINCT role::text, ',') FROM gpuscan.backfill_runs) FROM gpuscan.backfill_errors}),
		"${user}1|$user", "$user sees its own errors and runs alone");
}
is(sql(q{SELECT string_agg(role || ' ' || row_key, ',' ORDER BY role::text) FROM gpuscan.backfill_errors WHERE relation = 'secrets'::regclass}), 'user1 user11,user2 user21', 'a superuser sees all');
is(sql(q{SET ROLE user1; DELETE FROM gpuscan.backfill_errors; DELETE FROM gpuscan.backfill_runs; RESET ROLE; SELECT count(*) FROM gpuscan.backfill_errors WHERE relation = 'secrets'::regclass}), '1', 'one\'s own may be deleted');
like(failure(q{SET ROLE user1; INSERT INTO gpuscan.backfill_errors SELECT 'user2', 'secrets', 'e', 'x', 'm', 'x', '00000', 1, now(), 0, 0}), qr/^42501: new row violates row-level security policy/, 'none can be made for another');
like(failure(q{SET ROLE user1; INSERT INTO gpuscan.backfill_runs (role, pid, relation, source, target, target_column, model, rows_total) SELECT 'user2', 1, 'secrets', 'x', 'x', 1, 'x', 1}), qr/^42501: /, '... nor a run');
is(sql(q{SET ROLE user2; UPDATE gpuscan.backfill_errors SET role = role; SELECT count(*) FROM gpuscan.backfill_progress}), '0', 'and progress is one\'s own too');

# rows that one sees and may not change
sql(q{
	CREATE TABLE half (id int PRIMARY KEY, body text, e real[]); INSERT INTO half SELECT i, 'row ' || i FROM generate_series(1, 10) i;
	ALTER TABLE half ENABLE ROW LEVEL SECURITY; CREATE POLICY see ON half FOR SELECT USING (true); CREATE POLICY change ON half FOR UPDATE USING (id > 3) WITH CHECK (id < 8);
	GRANT SELECT, UPDATE ON half TO user1});
is(sql(q{SET client_min_messages = error; SET ROLE user1; CALL gpuscan.backfill('half', 'body', 'e', 'm'); SELECT rows_done, rows_failed, rows_skipped FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1;
	SELECT row_key, sqlstate FROM gpuscan.backfill_errors ORDER BY row_key}), "4|3|3\n10|42501\n8|42501\n9|42501", 'policies of what may be changed');

# a search_path that is hostile
sql(q{
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.trap(anyelement, anyelement) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
	CREATE FUNCTION evil.trap(text, text) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
	CREATE FUNCTION evil.trap(int, int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
	CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.trap); CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.trap);
	CREATE OPERATOR evil.> (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.trap); CREATE OPERATOR evil.> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.trap);
	CREATE OPERATOR evil.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = evil.trap);
	CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
	CREATE DOMAIN evil.text AS int; CREATE TABLE evil.docs (id int); CREATE TABLE evil.backfill_runs (id int); CREATE TABLE evil.backfill_errors (id int); CREATE TABLE evil.pg_class (id int);
	GRANT USAGE ON SCHEMA evil TO user1;
	CREATE TABLE victim (id int, k text, body text, e real[], PRIMARY KEY (id, k)); GRANT SELECT, UPDATE ON victim TO user1;
	INSERT INTO victim SELECT i, i, CASE WHEN i <> 7 THEN 'row ' || i ELSE '' END FROM generate_series(1, 20) i});
is(sql(q{SET ROLE user1; SET search_path = evil, pg_catalog, public; CALL gpuscan.backfill('public.victim', 'body', 'e', 'm', 6);
	CALL gpuscan.backfill('public.victim', 'body', 'e', 'm', 6); RESET ROLE; SET search_path = pg_catalog;
	SELECT count(e), (SELECT string_agg(row_key || ':' || attempts, ' ') FROM gpuscan.backfill_errors WHERE relation = 'public.victim'::regclass) FROM public.victim}), '19|["7", "7"]:2', 'a hostile search_path');

# --- others at the table, and ends of runs

sql(q{
	CREATE TABLE busy (id int PRIMARY KEY, body text, e real[]);
	INSERT INTO busy SELECT i, 'row ' || i FROM generate_series(1, 400) i;
	CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END$$;
	CREATE TABLE held (id int PRIMARY KEY, body text, e real[]); INSERT INTO held SELECT i, 'row ' || i FROM generate_series(1, 30) i});

# rows that are locked
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; SELECT id FROM held WHERE id IN (3, 4) FOR UPDATE');
(undef, undef, $err) = $node->psql('postgres', q{CALL gpuscan.backfill('held', 'body', 'e', 'm', 10)});
like($err, qr/NOTICE:  2 rows were locked or changed by others, and are left/, 'rows that others have locked are left');
is(sql(q{SELECT count(e), string_agg(id::text, ',') FILTER (WHERE e IS NULL) FROM held}), '28|3,4', '... and no others');
$holder->query_safe("UPDATE held SET body = 'changed' WHERE id = 3; COMMIT");
is(sql(q{CALL gpuscan.backfill('held', 'body', 'e', 'm'); SELECT bool_and(e = gpuscan.embed('m', body)) FROM held}), 't', '... and are filled by the next call, with the text that they have then');

# ... and a trigger that takes vectors away does not make it go on for ever
sql(q{
	CREATE FUNCTION take_away() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.e := NULL; RETURN NEW; END$$;
	CREATE TABLE taken (id int PRIMARY KEY, body text, e real[]); INSERT INTO taken SELECT i, 'row ' || i FROM generate_series(1, 9) i;
	CREATE TRIGGER take_away BEFORE UPDATE ON taken FOR EACH ROW EXECUTE FUNCTION take_away()});
$holder->query_safe('BEGIN; SELECT id FROM taken WHERE id = 4 FOR UPDATE');
is(sql(q{SET client_min_messages = error; SET statement_timeout = '60s'; CALL gpuscan.backfill('taken', 'body', 'e', 'm'); SELECT rows_done, rows_skipped FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1}), '16|1', 'a trigger that takes vectors away');
$holder->query_safe('COMMIT');

# a text that changes between reading and writing
sql(q{CREATE TRIGGER slow BEFORE UPDATE ON busy FOR EACH ROW EXECUTE FUNCTION slow()});
my $run = start_query(q{CALL gpuscan.backfill('busy', 'body', 'e', 'm', 100)});
$node->poll_query_until('postgres', q{SELECT rows_done >= 100 FROM gpuscan.backfill_progress});
is(sql(q{SELECT relation, rows_total, rows_done % 100, pid IN (SELECT pid FROM pg_stat_activity) FROM gpuscan.backfill_progress}), 'busy|400|0|t', 'what is said while it is at work');
is(sql(q{SET ROLE user1; SELECT count(*) FROM gpuscan.backfill_progress}), '0', '... to who called it');
like(failure(q{CALL gpuscan.backfill('busy', 'body', 'e', 'm')}), qr/^55006: column e of table "busy" is being filled by another session/, 'two sessions do not fill one column');
sql(q{UPDATE busy SET body = 'new ' || id WHERE id IN (150, 250, 390)});
like(finish_query($run), qr/^(NOTICE.*)?$/s, 'texts are changed meanwhile');
is(sql(q{CALL gpuscan.backfill('busy', 'body', 'e', 'm'); SELECT count(*) FILTER (WHERE e = gpuscan.embed('m', body) OR id IN (150, 250, 390)),
	bool_and(e = gpuscan.embed('m', body) OR e = gpuscan.embed('m', 'row ' || id)) FROM busy}), '400|t', 'a vector is of a text that the row had when it was written');

# ... while the batch that it is in waits at its first row
sql(q{
	CREATE TABLE gated (id int PRIMARY KEY, body text, e real[]);
	INSERT INTO gated SELECT i, 'row ' || i FROM generate_series(1, 30) i;
	CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END$$;
	CREATE TRIGGER gate BEFORE UPDATE ON gated FOR EACH ROW WHEN (NEW.id = 11) EXECUTE FUNCTION gate()});
$holder->query_safe('SELECT pg_advisory_lock(1)');
$run = start_query(q{CALL gpuscan.backfill('gated', 'body', 'e', 'm', 10)});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted});
sql(q{UPDATE gated SET body = 'changed' WHERE id = 15; UPDATE gated SET e = '{1}' WHERE id = 16; DELETE FROM gated WHERE id = 17; UPDATE gated SET body = NULL WHERE id = 18});
$holder->query_safe('SELECT pg_advisory_unlock(1)');
is(finish_query($run), '', 'rows change between reading and writing');
is(sql(q{SELECT count(*), count(*) FILTER (WHERE e = gpuscan.embed('m', body)), string_agg(id::text, ',' ORDER BY id) FILTER (WHERE e IS NULL OR e = '{1}') FROM gated;
	SELECT rows_total, rows_done, rows_failed, rows_skipped FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1}), "29|27|16,18\n30|27|0|0", '... none is written over, and a text that has changed is embedded as it is then');

# cancelled, out of time, killed
for (['SELECT pg_cancel_backend(pid) FROM gpuscan.backfill_progress', 'canceling statement due to user request'],
	['SELECT pg_terminate_backend(pid) FROM gpuscan.backfill_progress', 'terminating connection|server closed'])
{
	my ($end, $said) = @$_;
	sql(q{ALTER TABLE busy DISABLE TRIGGER slow; UPDATE busy SET e = NULL; ALTER TABLE busy ENABLE TRIGGER slow});
	$run = start_query(q{CALL gpuscan.backfill('busy', 'body', 'e', 'm', 20)});
	$node->poll_query_until('postgres', q{SELECT rows_done >= 60 FROM gpuscan.backfill_progress});
	sql($end);
	like(finish_query($run), qr/$said/, "$end");
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM gpuscan.backfill_progress});
	is(sql(q{SELECT count(e) >= 60, count(e) < 400, count(e) % 20, count(e) = (SELECT rows_done FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1),
		(SELECT state FROM gpuscan.backfill_runs ORDER BY run DESC LIMIT 1) FROM busy}), 't|t|0|t|running', '... leaves whole batches, and what is noted of them');
	is(sql(q{ALTER TABLE busy DISABLE TRIGGER slow; CALL gpuscan.backfill('busy', 'body', 'e', 'm'); SELECT bool_and(e = gpuscan.embed('m', body)) FROM busy;
		SELECT state, rows_total + lag(rows_done) OVER (ORDER BY run) FROM gpuscan.backfill_runs WHERE relation = 'busy'::regclass ORDER BY run DESC LIMIT 2}) =~ s/\|\d*$//r,
		"t\nfinished|400\ninterrupted", '... and the next call fills the rest');
}
sql(q{ALTER TABLE busy DISABLE TRIGGER slow; UPDATE busy SET e = NULL; ALTER TABLE busy ENABLE TRIGGER slow});
(undef, my $out, $err) = $node->psql('postgres', q{
	SET statement_timeout = '1s';
	CALL gpuscan.backfill('busy', 'body', 'e', 'm', 10);
	RESET statement_timeout;
	SELECT count(e) % 10 = 0 AND count(e) > 0 AND count(e) < 400 FROM busy;
	SELECT count(*) FROM gpuscan.backfill_progress;
	SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object';
	ALTER TABLE busy DISABLE TRIGGER slow;
	CALL gpuscan.backfill('busy', 'body', 'e', 'm', 10);
	SELECT count(*) - count(e) FROM busy}, on_error_stop => 0);
is($out, "t\n0\n0\n0", 'a timeout; the same session goes on') or diag($err);

# nothing is held while the model works
sql(q{CREATE TABLE long (id int PRIMARY KEY, body text, e real[]); INSERT INTO long SELECT i, repeat('a ', 44) FROM generate_series(1, 10000) i});
$run = start_query(q{CALL gpuscan.backfill('long', 'body', 'e', 'm', 10000)});
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM gpuscan.backfill_progress p JOIN pg_stat_activity a USING (pid)
	WHERE a.backend_xmin IS NULL AND a.backend_xid IS NULL AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = p.pid AND l.relation = 'long'::regclass)}), 'no snapshot, transaction or lock of the table is held while the model works');
sql(q{ALTER TABLE long RENAME TO longer});
like(finish_query($run), qr/table "long" was renamed or dropped while it was filled/, 'a table that is renamed meanwhile');
is(sql(q{SELECT count(e) FROM longer}), '0', '... is left');

# --- isolation, dump

is(sql(q{SET default_transaction_isolation = 'serializable'; UPDATE held SET e = NULL; CALL gpuscan.backfill('held', 'body', 'e', 'm', 7); SELECT count(e) FROM held}), '30', 'serializable transactions');
like(failure(q{SET default_transaction_read_only = on; CALL gpuscan.backfill('held', 'body', 'e', 'm')}), qr/^25006: /, 'read-only transactions');
my $dump = $node->backup_dir . '/backfill.sql';
$node->command_ok(['pg_dump', '--file', $dump, '--dbname', $node->connstr('postgres')], 'pg_dump');
ok(slurp_file($dump) !~ /gpuscan\.backfill_/, 'runs and errors are not dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '--dbname', $node->connstr('restored')], 'its restore');
is($node->safe_psql('restored', q{UPDATE docs SET e = NULL; SET ROLE postgres; CALL gpuscan.backfill('docs', 'body', 'e', 'm'); SELECT count(e) FROM ONLY docs}), '900', '... goes on');

$node->stop;
done_testing();
