-- A support desk that answers new tickets from those it has answered before.
--
--   psql -d DATABASE -f examples/support/support.sql
--
-- by a superuser, in a database that may be empty; the schema "support" and the two
-- models are made anew. README.md goes through it step by step.
--
--   -v embedder=... -v writer=...     other files in gpuscan.model_directory
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
SET client_min_messages = warning;
\if :{?embedder} \else \set embedder all-MiniLM-L6-v2 \endif
\if :{?writer} \else \set writer SmolLM2-135M-Instruct-Q4_1.gguf \endif

-- 1. Models

CREATE EXTENSION IF NOT EXISTS gpuscan;
DROP SCHEMA IF EXISTS support CASCADE;
DROP SERVER IF EXISTS support_embedder, support_writer;
CREATE SERVER support_embedder FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file :'embedder');
CREATE SERVER support_writer FOREIGN DATA WRAPPER gpuscan_model OPTIONS (file :'writer');
\o /dev/null
SELECT gpuscan.load_model('support_embedder'), gpuscan.load_model('support_writer');
\o

\echo
\echo Models:
SELECT name, architecture, parameters, quantisation, dimensions, max_tokens, context, chat_template FROM gpuscan.models WHERE name LIKE 'support%' ORDER BY name;

-- 2. Tickets and their answers

CREATE SCHEMA support;
CREATE TABLE support.cases (id int PRIMARY KEY, product text NOT NULL, answer text NOT NULL);
CREATE TABLE support.tickets (id int PRIMARY KEY, case_id int NOT NULL REFERENCES support.cases, body text NOT NULL, e real[]);
\ir tickets.sql

-- 3. What the tickets mean

CALL gpuscan.backfill('support.tickets', 'body', 'e', 'support_embedder');
ANALYZE support.tickets;

\echo Tickets with a vector, and its length:
SELECT count(*), count(e), min(cardinality(e)) AS dimensions FROM support.tickets;

-- 4. The nearest tickets to a new one

\set ticket 'Nothing happens on my mobile when a visitor presses the button at the door'

\echo The nearest to :'ticket'
SELECT t.id, round((t.e OPERATOR(gpuscan.<=>) gpuscan.embed('support_embedder', :'ticket', 'query'))::numeric, 3) AS distance, c.product, t.body
FROM support.tickets t JOIN support.cases c ON c.id = t.case_id
ORDER BY t.e OPERATOR(gpuscan.<=>) gpuscan.embed('support_embedder', :'ticket', 'query') LIMIT 5;

-- 5. How far that can be trusted: each ticket among all the others

\echo Tickets whose nearest other one is of the same case, and whose nearest three have one of it:
SELECT count(*) AS tickets, count(*) FILTER (WHERE near[1] = case_id) AS first, count(*) FILTER (WHERE case_id = ANY (near)) AS among_three,
	round(avg(distance) FILTER (WHERE near[1] = case_id)::numeric, 2) AS distance_if_right, round(avg(distance) FILTER (WHERE near[1] <> case_id)::numeric, 2) AS distance_if_wrong
FROM (SELECT t.case_id, n.near, n.distance
	  FROM support.tickets t,
		   LATERAL (SELECT array_agg(o.case_id ORDER BY o.distance) AS near, min(o.distance) AS distance
					FROM (SELECT case_id, e OPERATOR(gpuscan.<=>) t.e AS distance FROM support.tickets WHERE id <> t.id ORDER BY 2 LIMIT 3) o) n) x;

-- 6. An answer out of those that were given before

CREATE FUNCTION support.nearest(ticket text, wanted int DEFAULT 3, OUT id int, OUT distance float8, OUT body text, OUT case_id int, OUT answer text) RETURNS SETOF record
LANGUAGE sql STABLE AS $$
	SELECT t.id, n.distance, t.body, c.id, c.answer
	FROM (SELECT o.id, o.e OPERATOR(gpuscan.<=>) gpuscan.embed('support_embedder', ticket, 'query') AS distance
		  FROM support.tickets o ORDER BY distance, o.id LIMIT wanted) n
	JOIN support.tickets t ON t.id = n.id JOIN support.cases c ON c.id = t.case_id
	ORDER BY n.distance, t.id
$$;

-- A conversation for the model: the nearest tickets and what was answered, the nearest last, then the new one. What
-- customers write is text of a message, whatever it says: never a control token, nor a turn of its own.
CREATE FUNCTION support.conversation(ticket text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('role', 'system', 'content', 'You answer customers of Northlight, a maker of lamps, cameras and thermostats.') ||
		jsonb_agg(turn.message ORDER BY n.distance DESC, n.id, turn.i) || jsonb_build_object('role', 'user', 'content', ticket)
	FROM support.nearest(ticket) n,
		 LATERAL (VALUES (1, jsonb_build_object('role', 'user', 'content', n.body)), (2, jsonb_build_object('role', 'assistant', 'content', n.answer))) turn(i, message)
$$;

CREATE FUNCTION support.draft(ticket text) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
	SELECT gpuscan.chat('support_writer', support.conversation(ticket), '{"max_tokens": 80}')
$$;

\echo What the model reads:
\pset tuples_only on
\pset format unaligned
SELECT gpuscan.apply_template('support_writer', support.conversation(:'ticket'));
\pset format aligned
\pset tuples_only off

\echo Its draft:
\x on
SELECT r ->> 'content' AS draft, r ->> 'finish_reason' AS finish_reason, r #>> '{usage,prompt_tokens}' AS prompt_tokens, r #>> '{usage,completion_tokens}' AS completion_tokens
FROM support.draft(:'ticket') r;
\x off

-- 7. A queue of drafts, which a person looks through

CREATE TABLE support.inbox (id int PRIMARY KEY, body text NOT NULL, distance float8, case_id int, draft text);
INSERT INTO support.inbox (id, body) VALUES
	(1, 'The thermostat displays 26 but my own thermometer says 21'),
	(2, 'I was billed twice for order 4711'),
	(3, 'All lamps were shining at 3 am after the electricity failed'),
	(4, 'My parcel never came, although the tracking says it was handed over'),
	(5, 'Do you also sell garden hoses?');

-- what is far from everything that is known is for a person alone
UPDATE support.inbox i
SET distance = n.distance, case_id = n.case_id, draft = CASE WHEN n.distance < 0.6 THEN support.draft(i.body) ->> 'content' END
FROM support.inbox j, support.nearest(j.body, 1) n WHERE j.id = i.id;

\echo Drafts:
\x on
SELECT body, round(distance::numeric, 3) AS distance, case_id, draft FROM support.inbox ORDER BY id;
\x off

-- 8. Who may do this: agents read tickets and use both models; others neither

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'support_agent') THEN
		CREATE ROLE support_agent;
	END IF;
END
$$;
GRANT USAGE ON FOREIGN SERVER support_embedder, support_writer TO support_agent;
GRANT USAGE ON SCHEMA support TO support_agent;
GRANT SELECT ON support.tickets, support.cases TO support_agent;

SET ROLE support_agent;
\echo As an agent:
SELECT id, case_id FROM support.nearest(:'ticket', 1);
RESET ROLE;
SELECT has_server_privilege('support_agent', 'support_writer', 'USAGE') AS agent_may,
	(SELECT bool_or(grantee = 0) FROM pg_foreign_server s, aclexplode(s.srvacl) WHERE s.srvname = 'support_writer') AS everybody_may;
