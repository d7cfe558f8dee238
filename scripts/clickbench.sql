-- ClickBench's table hits with data of our own: the 105 columns of
-- https://github.com/ClickHouse/ClickBench, no index, rows that follow from
-- hashes of their numbers, so that they are the same everywhere, in order of
-- time. Variables: rows.
--
-- The original has 99,997,497 rows of an anonymised log. Shares and numbers of
-- distinct values are those of its published results (ClickBench's results, and
-- DuckDB's log of the same queries in ClickHouse's repository), with the number
-- of rows as the unit, so that a smaller table has as many rows for each value:
--
--   UserID         17,630,976 distinct     URL            18,342,019 distinct
--   SearchPhrase    6,019,103 distinct, 87 % of the rows have none; the most
--                   frequent one has 70,263 rows
--   RegionID       9,040 distinct; 229, 2, 208, 169, 32, 34, 184, 42, 107, 51 in
--                  18.3, 6.7, 4.3, 3.3, 1.8, 1.8, 1.8, 1.5, 1.5, 1.4 % of the rows
--   AdvEngineID    not 0 in 630,500 rows: 2, 27, 13, 45, 44, 3, 62, 52 in 404,602,
--                  113,167, 45,631, 38,960, 9,730, 6,896, 5,266, 3,554
--   MobilePhoneModel  iPad 1,090,347 users, iPhone 45,758, A500 16,046, N8-00 5,565
--   CounterID      about 6,500 distinct; 3922 in 8.5 %, 199550 in 7.1 %, 62 in 0.74 %
--   ResolutionWidth   1,513 on average; 1638, 1368, 1917 the most frequent
--   EventDate      2013-07-02 to 2013-07-31
--   URL            LIKE '%google%' in 15,911 rows; the most frequent in 3.3 %
--   SearchEngineID 2 in two thirds of the searches, 3 in a fifth
--
-- For what is not published (lengths of texts, columns that no query reads) the
-- figures are plausible ones: mostly constant, zero or empty, as in such a log.

SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '512MB';
SET enable_mergejoin = off;
SET enable_nestloop = off;
DROP TABLE IF EXISTS hits;

CREATE TABLE hits (
  watchid bigint NOT NULL,
  javaenable smallint NOT NULL,
  title text NOT NULL,
  goodevent smallint NOT NULL,
  eventtime timestamp NOT NULL,
  eventdate date NOT NULL,
  counterid integer NOT NULL,
  clientip integer NOT NULL,
  regionid integer NOT NULL,
  userid bigint NOT NULL,
  counterclass smallint NOT NULL,
  os smallint NOT NULL,
  useragent smallint NOT NULL,
  url text NOT NULL,
  referer text NOT NULL,
  isrefresh smallint NOT NULL,
  referercategoryid smallint NOT NULL,
  refererregionid integer NOT NULL,
  urlcategoryid smallint NOT NULL,
  urlregionid integer NOT NULL,
  resolutionwidth smallint NOT NULL,
  resolutionheight smallint NOT NULL,
  resolutiondepth smallint NOT NULL,
  flashmajor smallint NOT NULL,
  flashminor smallint NOT NULL,
  flashminor2 text NOT NULL,
  netmajor smallint NOT NULL,
  netminor smallint NOT NULL,
  useragentmajor smallint NOT NULL,
  useragentminor varchar(255) NOT NULL,
  cookieenable smallint NOT NULL,
  javascriptenable smallint NOT NULL,
  ismobile smallint NOT NULL,
  mobilephone smallint NOT NULL,
  mobilephonemodel text NOT NULL,
  params text NOT NULL,
  ipnetworkid integer NOT NULL,
  traficsourceid smallint NOT NULL,
  searchengineid smallint NOT NULL,
  searchphrase text NOT NULL,
  advengineid smallint NOT NULL,
  isartifical smallint NOT NULL,
  windowclientwidth smallint NOT NULL,
  windowclientheight smallint NOT NULL,
  clienttimezone smallint NOT NULL,
  clienteventtime timestamp NOT NULL,
  silverlightversion1 smallint NOT NULL,
  silverlightversion2 smallint NOT NULL,
  silverlightversion3 integer NOT NULL,
  silverlightversion4 smallint NOT NULL,
  pagecharset text NOT NULL,
  codeversion integer NOT NULL,
  islink smallint NOT NULL,
  isdownload smallint NOT NULL,
  isnotbounce smallint NOT NULL,
  funiqid bigint NOT NULL,
  originalurl text NOT NULL,
  hid integer NOT NULL,
  isoldcounter smallint NOT NULL,
  isevent smallint NOT NULL,
  isparameter smallint NOT NULL,
  dontcounthits smallint NOT NULL,
  withhash smallint NOT NULL,
  hitcolor char NOT NULL,
  localeventtime timestamp NOT NULL,
  age smallint NOT NULL,
  sex smallint NOT NULL,
  income smallint NOT NULL,
  interests smallint NOT NULL,
  robotness smallint NOT NULL,
  remoteip integer NOT NULL,
  windowname integer NOT NULL,
  openername integer NOT NULL,
  historylength smallint NOT NULL,
  browserlanguage text NOT NULL,
  browsercountry text NOT NULL,
  socialnetwork text NOT NULL,
  socialaction text NOT NULL,
  httperror smallint NOT NULL,
  sendtiming integer NOT NULL,
  dnstiming integer NOT NULL,
  connecttiming integer NOT NULL,
  responsestarttiming integer NOT NULL,
  responseendtiming integer NOT NULL,
  fetchtiming integer NOT NULL,
  socialsourcenetworkid smallint NOT NULL,
  socialsourcepage text NOT NULL,
  paramprice bigint NOT NULL,
  paramorderid text NOT NULL,
  paramcurrency text NOT NULL,
  paramcurrencyid smallint NOT NULL,
  openstatservicename text NOT NULL,
  openstatcampaignid text NOT NULL,
  openstatadid text NOT NULL,
  openstatsourceid text NOT NULL,
  utmsource text NOT NULL,
  utmmedium text NOT NULL,
  utmcampaign text NOT NULL,
  utmcontent text NOT NULL,
  utmterm text NOT NULL,
  fromtag text NOT NULL,
  hasgclid smallint NOT NULL,
  refererhash bigint NOT NULL,
  urlhash bigint NOT NULL,
  clid integer NOT NULL
);

-- A number of 0 to n - 1 for a row and a purpose: any alike, or the smaller the
-- likelier (the square, the fourth power of a number of 0 to 1, in integers).
CREATE FUNCTION pg_temp.u(n bigint, purpose int) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT hashint8extended($1, $2) & 2147483647 $$;
CREATE FUNCTION pg_temp.draw(n bigint, purpose int, bound int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((pg_temp.u($1, $2) * $3) >> 31)::int $$;
CREATE FUNCTION pg_temp.square(u bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT ($1 * $1) >> 31 $$;
CREATE FUNCTION pg_temp.draw2(n bigint, purpose int, bound int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((pg_temp.square(pg_temp.u($1, $2)) * $3) >> 31)::int $$;
CREATE FUNCTION pg_temp.draw4(n bigint, purpose int, bound int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((pg_temp.square(pg_temp.square(pg_temp.u($1, $2))) * $3) >> 31)::int $$;

-- Words, as Russian searches and titles have them, and in ASCII for paths.
CREATE FUNCTION pg_temp.word(n bigint, purpose int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT (ARRAY['купить','смотреть','онлайн','скачать','бесплатно','фильм','погода','москва','санкт-петербург','новости','игры','фото',
  'карта','цена','отзывы','автомобиль','квартира','работа','расписание','поезд','самолёт','отель','море','турция','египет','рецепт',
  'торт','курица','грибы','ремонт','мебель','кухня','диван','телефон','планшет','ноутбук','samsung','galaxy','iphone','nokia','windows',
  'песня','текст','музыка','клип','сериал','серия','сезон','мультфильм','книга','читать','автор','стихи','школа','класс','решебник',
  'математика','физика','экзамен','институт','детский','сад','ребёнок','платье','обувь','сумка','одежда','магазин','интернет','скидка',
  'банк','кредит','курс','доллар','евро','налог','закон','форма','заявление','паспорт','виза','документ','адрес','улица','дом','район',
  'область','город','река','озеро','лес','дача','участок','кирпич','окна','двери','лечение','болезнь','врач','клиника','аптека',
  'таблетки','диета','спорт','футбол','хоккей','чемпионат','матч','счёт','лада','приора','форд','фокус','тойота','запчасти','шины'])
  [1 + pg_temp.draw($1, $2, 116)] $$;
CREATE FUNCTION pg_temp.ascii_word(n bigint, purpose int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT (ARRAY['index','catalog','item','page','news','forum','topic','search','user','photo','video','films','music','game','auto','cars',
  'realty','job','vacancy','map','weather','shop','price','review','list','view','show','article','blog','post','category','product'])
  [1 + pg_temp.draw($1, $2, 32)] $$;

-- A site for each counter.
CREATE FUNCTION pg_temp.host(counter int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE pg_temp.draw($1, 1, 3) WHEN 0 THEN 'http://www.' ELSE 'http://' END || pg_temp.ascii_word($1, 2) || pg_temp.ascii_word($1, 3)
       || $1 % 97 || CASE pg_temp.draw($1, 4, 5) WHEN 0 THEN '.com' WHEN 1 THEN '.com.tr' ELSE '.ru' END $$;

-- Pages: a fifth as many as rows, each of one counter.
\set pages (:rows * 19 / 100 + 10)
\set users (:rows * 18 / 100 + 10)
\set phrases (:rows * 2 / 100 + 10)

CREATE TEMP TABLE page AS
SELECT p::int AS page, counter,
       CASE WHEN p % 6271 = 3000 THEN pg_temp.host(counter) || '/google/' || pg_temp.ascii_word(p, 12)
            WHEN p % 9973 = 9 THEN ''
            ELSE pg_temp.host(counter) || '/' || pg_temp.ascii_word(p, 12) || '/' || pg_temp.ascii_word(p, 13)
            || CASE pg_temp.draw(p, 14, 4) WHEN 0 THEN '/' || pg_temp.word(p, 15) || '_' || pg_temp.word(p, 16)
                                            WHEN 1 THEN '.php?' || pg_temp.ascii_word(p, 17) || '=' || pg_temp.u(p, 18) || '&amp;lang=ru&amp;id='
                                            ELSE '/' END || p
            || CASE pg_temp.draw(p, 19, 3) WHEN 0 THEN '/' || pg_temp.ascii_word(p, 20) || '?from=' || pg_temp.u(p, 21) WHEN 1 THEN '.html' ELSE '' END END AS url,
       CASE WHEN pg_temp.draw(p / 2, 22, 100) < 12 THEN ''
            ELSE pg_temp.word(p / 2, 23) || ' ' || pg_temp.word(p / 2, 24) || ' ' || pg_temp.word(p / 2, 25)
            || CASE WHEN pg_temp.draw(p / 2, 26, 2) = 0 THEN ' - ' || pg_temp.word(p / 2, 27) || ' и ' || pg_temp.word(p / 2, 28) || ' ' || p / 2 ELSE '' END
            || CASE WHEN p / 2 % 2003 = 1500 THEN ' Google' ELSE ' | ' || pg_temp.word(counter, 29) || '.' || pg_temp.word(counter, 30) END END AS title,
       (ARRAY[-1, 0, 1, 2, 3])[1 + pg_temp.draw4(counter, 31, 5)]::smallint AS class,
       pg_temp.draw4(p, 32, 2000) AS category, pg_temp.draw4(p, 33, 500) AS region,
       (ARRAY['windows', 'utf-8', 'windows-1251;charset'])[1 + pg_temp.draw4(counter, 34, 3)] AS charset,
       CASE p WHEN 40 THEN 2868770270353813622 ELSE hashint8extended(p, 35) END AS hash
FROM (SELECT p, CASE WHEN p = 40 THEN 62
                     WHEN c < 853 THEN 3922 WHEN c < 1565 THEN 199550 WHEN c < 1922 THEN 122612 WHEN c < 2216 THEN 233773 WHEN c < 2467 THEN 245438
                     WHEN c < 2553 THEN 256004 WHEN c < 2633 THEN 186300 WHEN c < 2707 THEN 62 WHEN c < 2767 THEN 146891 WHEN c < 2818 THEN 38
                     WHEN c < 2867 THEN 220992 WHEN c < 2907 THEN 96948 WHEN c < 2944 THEN 95427 WHEN c < 2976 THEN 1634 WHEN c < 3007 THEN 188878
                     WHEN c < 3032 THEN 77639 ELSE 100 + 37 * pg_temp.draw4(p, 11, 6500) END AS counter
      FROM (SELECT p, pg_temp.draw(p, 10, 10000) AS c FROM generate_series(0, :pages - 1) p) q OFFSET 0) q;

CREATE TEMP TABLE visitor AS
SELECT v::int AS visitor,
       CASE v WHEN :users / 50 THEN 435090932899640449 ELSE hashint8extended(v, 50) & 9223372036854775807 END AS id,
       hashint8(v % (:rows / 10 + 1) + 7) AS ip,
       CASE WHEN r < 1830 THEN 229 WHEN r < 2499 THEN 2 WHEN r < 2925 THEN 208 WHEN r < 3257 THEN 169 WHEN r < 3441 THEN 32 WHEN r < 3620 THEN 34
            WHEN r < 3796 THEN 184 WHEN r < 3950 THEN 42 WHEN r < 4102 THEN 107 WHEN r < 4246 THEN 51 ELSE pg_temp.draw4(v, 52, 9040) END AS region,
       (ARRAY[44, 2, 7, 42, 15, 25, 9, 0])[1 + pg_temp.draw4(v, 53, 8)]::smallint AS os,
       (ARRAY[2, 3, 5, 7, 82, 4, 50, 1])[1 + pg_temp.draw2(v, 54, 8)]::smallint AS agent,
       w AS width, CASE w WHEN 1638 THEN 1658 WHEN 1368 THEN 768 WHEN 1917 THEN 879 WHEN 0 THEN 0 ELSE 917 END AS height,
       CASE WHEN w = 0 THEN 0 WHEN pg_temp.draw(v, 56, 100) < 8 THEN 23 ELSE 37 END AS depth,
       pg_temp.draw2(v, 57, 16) AS major, model, mobile, pg_temp.draw(v, 58, 6) * 11 AS age, pg_temp.draw(v, 59, 3) AS sex, pg_temp.draw(v, 60, 5) AS income,
       CASE WHEN pg_temp.draw(v, 61, 3) = 0 THEN pg_temp.draw2(v, 62, 16384) ELSE 0 END AS interests,
       (ARRAY[3, 5, 2, 11, 10])[1 + pg_temp.draw4(v, 63, 5)]::smallint AS zone
FROM (SELECT v, pg_temp.draw(v, 51, 10000) AS r,
             CASE WHEN s < 28 THEN 1638 WHEN s < 55 THEN 1368 WHEN s < 78 THEN 1917 WHEN s < 86 THEN 1087 WHEN s < 94 THEN 1396 WHEN s < 97 THEN 1750 ELSE 0 END AS w,
             CASE WHEN m < 6184 THEN 'iPad' WHEN m < 6444 THEN 'iPhone' WHEN m < 6535 THEN 'A500' WHEN m < 6567 THEN 'N8-00' WHEN m < 6585 THEN 'iPho'
                  WHEN m < 6600 THEN 'ONE TOUCH 6030A' WHEN m < 6611 THEN 'GT-P7300B' WHEN m < 6622 THEN '3110000' WHEN m < 6631 THEN 'GT-I9500'
                  WHEN m < 6700 THEN 'GT-' || m % 69 * 100 ELSE '' END AS model,
             CASE WHEN m >= 6700 THEN 0 WHEN m >= 6444 AND m < 6535 THEN 118
                  WHEN pg_temp.draw(v, 64, 100) < 85 THEN 1 ELSE (ARRAY[5, 6, 7, 26, 10, 13, 32])[1 + pg_temp.draw2(v, 65, 7)] END AS mobile
      FROM (SELECT v, pg_temp.draw(v, 66, 100000) AS m, pg_temp.draw(v, 67, 100) AS s FROM generate_series(0, :users - 1) v) q OFFSET 0) q;

-- What is searched for: some phrases again and again, others once.
CREATE FUNCTION pg_temp.phrase(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT pg_temp.word($1, 71) || ' ' || pg_temp.word($1, 72)
       || CASE WHEN pg_temp.draw($1, 73, 100) < 75 THEN ' ' || pg_temp.word($1, 74) || ' ' || pg_temp.word($1, 75) ELSE '' END
       || CASE pg_temp.draw($1, 76, 4) WHEN 0 THEN ' ' || 2000 + pg_temp.draw($1, 77, 14) WHEN 1 THEN ' ' || pg_temp.word($1, 78) ELSE '' END $$;

CREATE TEMP TABLE phrase AS SELECT n::int AS number, pg_temp.phrase(n) AS text FROM generate_series(0, :phrases - 1) n;
ANALYZE page, visitor, phrase;

BEGIN;
TRUNCATE hits;
INSERT INTO hits
SELECT hashint8extended(g, 100) & 9223372036854775807, (pg_temp.draw(g, 101, 100) < 87)::int, page.title, 1,
       at, at::date, page.counter, v.ip, v.region, v.id, page.class, v.os, v.agent, page.url, referer,
       (refreshed AND NOT searched)::int, pg_temp.draw4(from_page, 102, 2000), pg_temp.draw4(from_page, 103, 500), page.category, page.region,
       v.width, v.height, v.depth, v.major, CASE WHEN v.major > 0 THEN pg_temp.draw2(g, 104, 9) ELSE 0 END,
       CASE WHEN v.major > 0 THEN '7' || pg_temp.draw4(v.visitor, 105, 90) ELSE '' END, pg_temp.draw4(v.visitor, 106, 5), pg_temp.draw4(v.visitor, 107, 6),
       pg_temp.draw2(v.visitor, 108, 30), chr(68 + pg_temp.draw4(v.visitor, 109, 20)), 1, 1,
       (v.model <> '')::int, v.mobile, v.model,
       CASE WHEN pg_temp.draw(g, 110, 100) < 3 THEN '{"' || pg_temp.ascii_word(g, 111) || '":"' || pg_temp.u(g, 112) || '"}' ELSE '' END,
       hashint8(v.ip / 512), CASE WHEN searched THEN 2 WHEN adv > 0 THEN 3 WHEN from_page = -1 THEN 0 WHEN pg_temp.draw(g, 113, 100) < 78 THEN -1
                                  WHEN pg_temp.draw(g, 114, 100) < 90 THEN 1 ELSE 6 END,
       CASE WHEN searched THEN CASE WHEN engine < 67 THEN 2 WHEN engine < 87 THEN 3 ELSE 4 + engine END ELSE 0 END,
       CASE WHEN searched THEN coalesce(phrase.text, pg_temp.phrase(:phrases + g)) ELSE '' END, adv, (pg_temp.draw(g, 115, 1000) = 0)::int,
       CASE WHEN v.width = 0 THEN 0 ELSE v.width - pg_temp.draw4(g, 116, 500) END, CASE WHEN v.width = 0 THEN 0 ELSE 400 + pg_temp.draw(v.visitor, 117, 600) END,
       v.zone * 60 / 15, at + pg_temp.draw4(g, 118, 86400) * interval '1 second', v.os % 6, v.os % 2, pg_temp.draw4(v.visitor, 119, 60000), 0,
       page.charset, 1601 - pg_temp.draw4(page.counter, 120, 1500), (pg_temp.draw(g, 121, 1000) < 18)::int, (pg_temp.draw(g, 122, 1000) < 2)::int,
       (pg_temp.draw(g, 123, 100) < 6)::int, hashint8extended(v.visitor, 124) & 9223372036854775807, '', hashint8(g + 1), 0,
       (pg_temp.draw(g, 125, 100) < 9)::int, (pg_temp.draw(g, 126, 100) < 3)::int, (pg_temp.draw(g, 127, 100) < 6)::int, (pg_temp.draw(g, 128, 100) < 2)::int,
       (ARRAY['5', 'g', 'S', 'E', 'R', 'D', '2'])[1 + pg_temp.draw4(g, 129, 7)], at + v.zone * interval '1 hour', v.age, v.sex, v.income, v.interests,
       pg_temp.draw4(v.visitor, 130, 40), hashint8(v.ip + 1), -1, -1, pg_temp.draw4(g, 131, 50) - 1,
       (ARRAY['S', 'ru', 'en', 'tr', 'uk'])[1 + pg_temp.draw4(v.visitor, 132, 5)], (ARRAY['RU', 'UA', 'TR', 'BY', 'KZ'])[1 + pg_temp.draw4(v.visitor, 133, 5)],
       CASE WHEN pg_temp.draw(g, 134, 10000) < 5 THEN 'vkontakte' ELSE '' END, CASE WHEN pg_temp.draw(g, 134, 10000) < 5 THEN 'like' ELSE '' END,
       0, pg_temp.draw4(g, 135, 5000), pg_temp.draw4(g, 136, 800), pg_temp.draw4(g, 137, 900), pg_temp.draw2(g, 138, 1200), pg_temp.draw2(g, 139, 4000),
       pg_temp.draw2(g, 140, 9000), CASE WHEN pg_temp.draw(g, 141, 1000) < 4 THEN 1 + pg_temp.draw(g, 142, 5) ELSE 0 END, '', -1, '',
       'NH', 0, CASE WHEN tagged = 0 THEN 'direct.yandex.ru' ELSE '' END, CASE WHEN tagged = 0 THEN pg_temp.draw(g, 143, 500000)::text ELSE '' END,
       CASE WHEN tagged = 0 THEN pg_temp.draw(g, 144, 5000000)::text ELSE '' END, CASE WHEN tagged = 0 THEN 'premium' ELSE '' END,
       CASE WHEN tagged = 1 THEN pg_temp.ascii_word(g, 145) ELSE '' END, CASE WHEN tagged = 1 THEN 'cpc' ELSE '' END,
       CASE WHEN tagged = 1 THEN pg_temp.ascii_word(g, 146) || '_' || pg_temp.draw4(g, 147, 900) ELSE '' END, '', '', '',
       (tagged = 2)::int, CASE WHEN from_page BETWEEN 0 AND 19 THEN 3594120000172545465 ELSE hashtextextended(referer, 0) END, page.hash,
       CASE WHEN pg_temp.draw(g, 148, 1000) < 5 THEN pg_temp.draw(g, 149, 2000000) ELSE 0 END
FROM (SELECT hit.*, CASE WHEN from_page = -1 THEN ''
                         WHEN searched THEN CASE WHEN engine < 67 THEN 'http://yandex.ru/yandsearch?text=' ELSE 'http://www.google.ru/url?sa=t&amp;q=' END || pg_temp.u(g, 150)
                         WHEN pg_temp.draw(g, 151, 100) < 25 THEN pg_temp.host(100 + 37 * pg_temp.draw4(from_page, 152, 6500)) || '/' || pg_temp.ascii_word(g, 153)
                              || '/' || pg_temp.draw4(g, 154, 100000)
                         ELSE source.url END AS referer
      FROM (SELECT g, timestamp '2013-07-02' + (g * 2592000 / :rows) * interval '1 second' AS at,
                   CASE WHEN pg_temp.draw(g, 1, 2) = 0 THEN pg_temp.draw(g, 2, :pages) ELSE pg_temp.draw4(g, 2, :pages) END AS page,
                   CASE WHEN pg_temp.draw(g, 3, 2) = 0 THEN pg_temp.draw(g, 4, :users) ELSE pg_temp.draw2(g, 4, :users) END AS visitor,
                   CASE WHEN pg_temp.draw(g, 5, 100) < 19 THEN -1 WHEN pg_temp.draw(g, 6, 2) = 0 THEN pg_temp.draw(g, 7, :pages) ELSE pg_temp.draw4(g, 7, :pages) END AS from_page,
                   pg_temp.draw(g, 8, 1000) < 132 AS searched, CASE WHEN pg_temp.draw(g, 9, 100) < 32 THEN -1 ELSE pg_temp.draw2(g, 10, :phrases) END AS number,
                   pg_temp.draw(g, 11, 100) AS engine, pg_temp.draw(g, 12, 100) < 12 AS refreshed, pg_temp.draw(g, 13, 400) AS tagged,
                   CASE WHEN a < 4046 THEN 2 WHEN a < 5178 THEN 27 WHEN a < 5634 THEN 13 WHEN a < 6024 THEN 45 WHEN a < 6121 THEN 44 WHEN a < 6190 THEN 3
                        WHEN a < 6243 THEN 62 WHEN a < 6279 THEN 52 WHEN a < 6288 THEN 50 WHEN a < 6305 THEN 28 ELSE 0 END AS adv
            FROM (SELECT g, pg_temp.draw(g, 14, 1000000) AS a FROM generate_series(0::bigint, :rows - 1) g) q OFFSET 0) hit
      LEFT JOIN page source ON source.page = hit.from_page OFFSET 0) hit
JOIN page USING (page)
JOIN visitor v USING (visitor)
LEFT JOIN phrase ON hit.searched AND phrase.number = hit.number;
COMMIT;

VACUUM (FREEZE, ANALYZE) hits;
