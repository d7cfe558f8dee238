"""Values: for each type, what lies at its edges and what lies between.

Everything is a piece of SQL that fits into VALUES. A column draws its values
from a pool of its own, so that equality, groups and IN lists meet them again.
"""


def quote(text):
    if "\\" in text or "\n" in text:
        text = text.replace("\\", "\\\\").replace("\n", "\\n")
        return " E'" + text.replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


INTEGERS = {"int2": 15, "int4": 31, "int8": 63}


def _integer(rng, kind, wild):
    bits = INTEGERS[kind]
    if wild and rng.random() < 0.4:
        value = rng.choice([-(1 << bits), (1 << bits) - 1, -(1 << bits) + 1, (1 << bits) - 2,
                            1 << (bits // 2), -(1 << (bits // 2)), (1 << (bits // 2)) + 1,
                            1 << (bits - 1), -(1 << (bits - 1)),
                            min(32768, (1 << bits) - 1), -32768,
                            min(2147483648, (1 << bits) - 1), max(-2147483649, -(1 << bits))])
    elif wild:
        value = rng.randrange(-(1 << bits), 1 << bits)
    else:
        value = rng.choice([0, 1, -1, rng.randrange(-9, 10), rng.randrange(-999, 1000)])
        if bits > 15 and rng.random() < 0.2:
            value = rng.randrange(-100000, 100000)
    return "'%d'" % value


def _scaled(digits, scale, negative):
    """A whole number of decimal digits as text with 'scale' of them behind the point."""
    if scale <= 0:
        text = str(digits) + "0" * -scale if digits else "0"
    else:
        text = str(digits).rjust(scale + 1, "0")
        text = text[:-scale] + "." + text[-scale:]
    return ("-" if negative else "") + text


def _numeric(rng, column, wild):
    p, s = column.precision, column.scale
    negative = rng.random() < 0.4
    if p is None:
        return "'%s'" % _any_numeric(rng, wild)
    if wild and rng.random() < 0.12:
        return "'NaN'"
    if wild and rng.random() < 0.3:
        digits = rng.choice([10 ** p - 1, 10 ** (p - 1), 1, 0])
    else:
        length = rng.randrange(1, p + 1) if wild else rng.randrange(1, min(p, 5 + max(s, 0)) + 1)
        digits = rng.randrange(10 ** length)
    if rng.random() < 0.2:
        digits = digits // 100 * 100
    return "'%s'" % _scaled(digits, s, negative and digits)


_EDGES = ["0", "0.0", "-0.00", "0.000000000", "1", "1.0", "1.00", "1.000", "-1", "-1.0", "10", "100", "10.0",
          "9999", "10000", "99999999", "100000000", "9999.9999", "0.0001", "0.00001", "0.9999", "10000.0001",
          "1e-30", "123e-30", "1.5e-20", "1234567890.123456789012345678901234567890",
          "1234567890123456789012345678901234567890", "-1234567890123456789012345678901234567890.5",
          "170141183460469231731687303715884105727", "170141183460469231731687303715884105728",
          "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105729",
          "1701411834604692317316873037158841057.27", "17014118346046923173168730371588410572.8",
          "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
          "18446744073709551615", "18446744073709551616", "92233720368547758.07", "92233720368547758.08",
          "999999999999999999", "1000000000000000000", "99999999999999999999999999999999999999",
          "100000000000000000000000000000000000000", "1e36", "1e-36", "1e-37", "1e38", "1e39", "1e-40", "1e100",
          "1.000000000000000000000000000000000000", "1.0000000000000000000000000000000000000",
          "2147483647", "2147483648", "-2147483649", "32767", "32768", "-32769"]
_HUGE = ["1e70000", "-1e70000", "1e-16000", "9e131071"]


def _any_numeric(rng, wild):
    if wild:
        draw = rng.random()
        if draw < 0.12:
            return rng.choice(["NaN", "Infinity", "-Infinity"])
        if draw < 0.5:
            return rng.choice(_EDGES)
        if draw < 0.52:
            return rng.choice(_HUGE)
        length = rng.randrange(1, 45)
        return _scaled(rng.randrange(10 ** length), rng.choice([0, 0, 2, 4, 7, 18, 30, 36, 38]),
                       rng.random() < 0.4)
    if rng.random() < 0.3:
        return rng.choice(["0", "0.0", "1", "1.0", "1.00", "1.50", "1.5", "-2", "-2.0", "10", "10.000"])
    return _scaled(rng.randrange(10 ** rng.randrange(1, 8)), rng.choice([0, 1, 2, 2, 4, 6]), rng.random() < 0.4)


_DATES = ["4714-11-24 BC", "0001-02-29 BC", "0101-12-31 BC", "0011-06-15 BC", "0100-12-31", "0101-01-01", "1582-10-10", "2000-02-29",
          "1900-02-28", "2001-01-31", "2004-12-31", "2005-01-02", "2008-12-29", "2010-01-03", "2024-02-29", "2026-12-31",
          "4713-11-24 BC", "4713-01-01 BC", "0001-12-31 BC", "0001-01-01", "1999-12-31", "2000-01-01",
          "2000-01-02", "1970-01-01", "2038-01-19", "294276-12-31", "294277-01-01", "5874897-12-31",
          "infinity", "-infinity"]
_TIMES = ["4714-11-24 00:00:00 BC", "4714-11-30 23:59:59.999999 BC", "0001-02-29 12:34:56.789012 BC", "1000-12-31 23:59:59.5",
          "2000-02-29 01:02:03.000999", "2001-01-31 00:59:59.001", "2005-01-02 00:00:00", "2024-02-29 23:59:60", "2024-10-31 06:30:00",
          "294246-01-01 00:00:00", "294247-01-10 04:00:54.775806", "4713-11-24 00:00:00 BC", "0001-12-31 23:59:59.999999 BC", "1999-12-31 23:59:59.999999",
          "2000-01-01 00:00:00", "2000-01-01 00:00:00.000001", "1969-12-31 23:59:59", "294276-12-31 23:59:59.999999",
          "1998-09-02 00:00:00", "1998-09-02 12:00:00", "infinity", "-infinity"]


def _date(rng, wild):
    if wild and rng.random() < 0.4:
        return quote(rng.choice(_DATES))
    if wild and rng.random() < 0.3:
        return "'%04d-%02d-%02d%s'" % (rng.randrange(1, 4714), rng.randrange(1, 13), rng.randrange(1, 29), rng.choice(["", " BC"]))
    return "'%04d-%02d-%02d'" % (rng.randrange(1990, 2005), rng.randrange(1, 13), rng.randrange(1, 29))


def _timestamp(rng, wild, zone):
    if wild and rng.random() < 0.4:
        text = rng.choice(_TIMES)
        if zone and text[0].isdigit():
            # the ends of time are those of UTC
            text = text[:-3] + "+00 BC" if text.endswith(" BC") else text + "+00"
        return quote(text)
    day = _date(rng, False)[1:-1]
    if rng.random() < 0.4:
        return "'%s'" % day
    return "'%s %02d:%02d:%02d.%06d'" % (day, rng.randrange(24), rng.randrange(60), rng.randrange(60),
                                         rng.choice([0, 0, 1, 999999, rng.randrange(1000000)]))


_WORDS = ["", " ", "a", "A", "b", "ab", "abc", "a ", "a  ", " a", "abcd", "abce", "abcdefgh", "äöü", "ä", "日本語",
          "日本", "😀", "e\u0301", "é", "it's", "back\\slash", "%", "a_b", "AIR", "RAIL", "TRUCK", "zzzz", "\t", "line\nline",
          "0", "NULL", "\u00a0", "İ", "ß"]


def _word(rng, longest):
    text = rng.choice(_WORDS) if rng.random() < 0.6 else \
        "".join(rng.choice("abcdeäß ") for _ in range(rng.randrange(0, 12)))
    return text if longest is None else text[:longest]


def plain_text(rng):
    """Something that columns hold, or a part of it."""
    text = rng.choice(["x", "xyz", "ab", "zyx"]) if rng.random() < 0.2 else _word(rng, None)
    if len(text) > 1 and rng.random() < 0.4:
        at = rng.randrange(len(text))
        text = text[at:at + rng.randrange(1, len(text))]
    return text


def _text(rng, column, wild):
    n = column.length
    if wild and rng.random() < 0.35:
        length = rng.choice([100, 125, 126, 127, 128, 129, 255, 1000])
        if n is None and rng.random() < 0.5:
            length = rng.choice([1999, 2500, 8000, 20000])
        if n is not None:
            length = min(length, n)
        what = rng.random()
        if what < 0.6 or length < 64:
            unit = rng.choice(["x", "ab", "xyz "]) if n is None or n >= 4 else "x"
            return "repeat('%s', %d)" % (unit, max(length // len(unit), 1))
        # does not compress: goes to the toast table, or stays long in the row
        return "left((SELECT string_agg(md5((i * %d)::text), '') FROM generate_series(1, %d) i), %d)" % (
            rng.randrange(1, 4), length // 32 + 1, length)
    text = _word(rng, n)
    if column.kind == "bpchar" and rng.random() < 0.4:
        text += " " * rng.randrange(0, 3)
        text = text if n is None else text[:n]
    return quote(text)


_FLOATS = ["0", "-0", "1", "-1", "0.5", "1.5", "2.5", "NaN", "Infinity", "-Infinity", "0.1", "1e-5", "16777217", "32767.5", "-32768.5",
           "2147483647.5", "2147483648", "9223372036854774784", "9223372036854775807", "-9223372036854775808", "9007199254740993", "1e15"]
_FLOAT_ENDS = {"float4": ["3.4028235e38", "-3.4028235e38", "1e-45", "-1.2e-38", "1e38", "1e30"],
               "float8": ["1.7976931348623157e308", "-1.7976931348623157e308", "4.9406564584124654e-324", "2.2250738585072014e-308",
                          "1e300", "1e-300", "1e160", "3.4028235677973366e38", "1e-46"]}


def _float(rng, kind, wild):
    draw = rng.random()
    if wild and draw < 0.35:
        return "'%s'" % rng.choice(_FLOAT_ENDS[kind])
    if wild and draw < 0.7:
        return "'%s'" % rng.choice(_FLOATS)
    if draw < 0.2:
        return "'%s'" % rng.choice(["0", "-0", "1", "-1", "0.5", "0.1", "3"])
    if draw < 0.4:
        return "'%s'" % (rng.randrange(-10000, 10000) / 100)
    return "'%r'" % ((rng.random() - 0.4) * 10 ** rng.randrange(-3, 6))


def _passenger(rng, column, wild):
    kind = column.kind
    if kind == "jsonb":
        return rng.choice(["'{}'", "'{\"a\": 1}'", "'[1, 2.50, null]'", "'{\"k\": \"%s\"}'" % ("v" * rng.randrange(200))])
    if kind == "bytea":
        return "'\\x%s'" % ("%02x" % rng.randrange(256) * rng.choice([0, 1, 3, 126, 300]))
    if kind == "int4[]":
        return rng.choice(["'{}'", "'{1,2,NULL}'", "'{%s}'" % ",".join(["7"] * rng.randrange(1, 60))])
    if kind == "text[]":
        return rng.choice(["'{}'", "'{a,\"b c\",NULL}'", "'{{x,y},{z,w}}'"])
    raise ValueError(kind)


# Tame and wild values of types that have few of interest
_SIMPLE = {
    '"char"': (["'a'", "'b'", "'0'", "''"], ["'a'", "'~'", "''", "(-128)::\"char\"", "127::\"char\"", "(-1)::\"char\""]),
    "oid": (["'0'", "'1'", "'25'", "'16384'"], ["'0'", "'2147483647'", "'2147483648'", "'4294967295'"]),
    "money": (["'0'", "'0.01'", "'-0.01'", "'1'", "'-250.75'", "'99999.99'"],
              ["'92233720368547758.07'", "'-92233720368547758.08'", "'92233720368547758.06'", "'-0.01'", "'12345678901.23'"]),
    "time": (["'00:00'", "'06:30'", "'12:34:56'", "'23:59:59'"],
             ["'00:00:00.000001'", "'23:59:59.999999'", "'24:00:00'", "'12:34:56.789'"]),
    "interval": (["'0'", "'1 day'", "'24:00:00'", "'1 month'", "'30 days'", "'-1 month'", "'01:30:00'", "'-02:00:00'", "'3 days 04:05:06.789'"],
                 ["'1 us'", "'-1 us'", "'1 day -24:00:00'", "'-1 mon 29 days 24:00:00'", "'178000000 years'", "'-2147483648 days'",
                  "'2562047788:00:54.775807'", "'-2562047788:00:54.775807'", "'23:59:59.999999'"]),
    "timetz": (["'00:00:00+00'", "'23:59:59.5-08'", "'12:00+00'", "'13:00+01'", "'11:00-01'"],
               ["'24:00:00+00'", "'00:00:00+15:59:59'", "'23:59:59.999999-15:59:59'", "'00:00:00.000001+00'", "'01:00:00.000001+01'"]),
    "inet": (["'10.0.0.1'", "'10.0.0.2'", "'10.0.0.0/8'", "'192.168.1.0/24'", "'::1'", "'2001:db8::/32'"],
             ["'0.0.0.0/0'", "'0.0.0.0'", "'255.255.255.255'", "'10.0.0.1/9'", "'10.0.0.1/8'", "'::/0'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "'2001:db8::1/33'"]),
    "mood": (["'sad'", "'ok'", "'happy'"],) * 2,
}


def value(rng, column, wild=None):
    """A literal of the column's type."""
    wild = column.wild if wild is None else wild
    kind = column.kind
    if kind == "bool":
        return rng.choice(["true", "false"])
    if kind in INTEGERS:
        return _integer(rng, kind, wild)
    if kind == "numeric":
        return _numeric(rng, column, wild)
    if kind == "date":
        return _date(rng, wild)
    if kind in ("timestamp", "timestamptz"):
        return _timestamp(rng, wild, kind == "timestamptz")
    if kind in ("text", "varchar", "bpchar"):
        return _text(rng, column, wild)
    if kind in ("float4", "float8"):
        return _float(rng, kind, wild)
    if kind == "uuid":
        if rng.random() < 0.3:
            # alike but for a byte at either end, or in the middle
            return "'%032x'" % (rng.choice([0, 1, 1 << 127, 1 << 64, 255 << 56, 128]) ^ rng.choice([0, (1 << 128) - 1]))
        return "'%032x'" % rng.getrandbits(128)
    if kind == "name":
        return quote(_word(rng, None)[:20] if rng.random() < 0.5 else
                     rng.choice(["", "n", "a_name", "pg_catalog", "%s" % ("x" * 63), "y" * 62 + "z", "été", "a ", "A", "\\", "%_"]
                                if wild else ["", "n", "a_name", "b_name", "name"]))
    if kind in _SIMPLE:
        return rng.choice(_SIMPLE[kind][1 if wild else 0])
    return _passenger(rng, column, wild)


def pool(rng, column):
    """The values of a column: few or many, tame or wild."""
    n = rng.choice([1, 2, 3, 5, 8, 20, 60, 200])
    if column.kind in ("text", "varchar", "bpchar"):
        n = min(n, 40)
    values = [value(rng, column) for _ in range(n)]
    if column.kind in INTEGERS and not column.wild and rng.random() < 0.3:
        start = rng.randrange(-50, 1000)
        values = ["'%d'" % i for i in range(start, start + rng.choice([5, 50, 500, 3000]))]
    return list(dict.fromkeys(values))
