/*-------------------------------------------------------------------------
 *
 * value.c
 *	  PostgreSQL's values as an engine holds them, and back.
 *
 * Integers, dates and texts are plain.  numeric is taken apart and put
 * together here, since numeric.c keeps its structures to itself and millions
 * of group results are to be made.  Its form on disk and in memory
 * (numeric.c, "NumericData"): a varlena header, then
 *
 *	short	uint16: 1 0 sign, 6 bits dscale, 7 bits weight (signed)
 *	long	uint16: 0 sign, 14 bits dscale; int16 weight
 *	special	uint16: 1 1 ...: NaN 0xC000, Infinity 0xD000, -Infinity 0xF000
 *
 * and the digits: int16 each, base 10000, most significant first, the first
 * one worth 10000^weight, without zeros at either end.  Zero has no digits,
 * weight 0 and no sign.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "engine/engine.h"
#include "exec/value.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "program/numeric.h"
#include "utils/date.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

StaticAssertDecl(sizeof(Interval) == 16, "types.def has its length");
StaticAssertDecl(NAMEDATALEN == 64, "types.def has its length");

/* numeric.h and fmgrprotos.h have names in common: include no builtins.h */

#define DIGIT_BASE			10000
#define DIGIT_LEN			4		/* decimal digits in one */

#define HEADER_SHORT		0x8000
#define HEADER_SPECIAL		0xC000
#define HEADER_LONG_NEG		0x4000
#define LONG_DSCALE_MASK	0x3FFF
#define SHORT_NEG			0x2000
#define SHORT_DSCALE_SHIFT	7
#define SHORT_DSCALE_MAX	0x3F
#define SHORT_WEIGHT_SIGN	0x0040
#define SHORT_WEIGHT_MASK	0x003F
#define SHORT_WEIGHT_MIN	(-64)
#define SHORT_WEIGHT_MAX	63

/* A numeric taken apart. */
typedef struct NumericParts
{
	bool		special;
	bool		negative;
	uint16		header;
	int			dscale;
	int			weight;
	int			ndigits;
	const char *digits;			/* int16 each, perhaps not aligned */
} NumericParts;

static inline int
digit_at(const NumericParts *parts, int i)
{
	int16		digit;

	memcpy(&digit, parts->digits + i * sizeof(int16), sizeof(int16));
	return digit;
}

static void
take_apart(struct varlena *numeric, NumericParts *parts)
{
	const char *data = VARDATA_ANY(numeric);
	int			size = VARSIZE_ANY_EXHDR(numeric);
	int			head = sizeof(uint16);

	memcpy(&parts->header, data, sizeof(uint16));
	parts->special = (parts->header & HEADER_SPECIAL) == HEADER_SPECIAL;
	parts->negative = false;
	parts->dscale = parts->weight = 0;
	if (parts->special)
		;
	else if (parts->header & HEADER_SHORT)
	{
		parts->negative = (parts->header & SHORT_NEG) != 0;
		parts->dscale = (parts->header >> SHORT_DSCALE_SHIFT) & SHORT_DSCALE_MAX;
		parts->weight = (int) (parts->header & SHORT_WEIGHT_MASK) -
			(int) (parts->header & SHORT_WEIGHT_SIGN);
	}
	else
	{
		int16		weight;

		memcpy(&weight, data + sizeof(uint16), sizeof(int16));
		parts->negative = (parts->header & HEADER_LONG_NEG) != 0;
		parts->dscale = parts->header & LONG_DSCALE_MASK;
		parts->weight = weight;
		head += sizeof(int16);
	}
	parts->digits = data + head;
	parts->ndigits = (size - head) / (int) sizeof(int16);
}

/* The value times 10^scale; false when that is no integer of 128 bits. */
static bool
mantissa_at(const NumericParts *parts, int scale, i128 *mantissa)
{
	int			n = parts->ndigits;
	int			exponent;		/* of ten, of the last digit, at this scale */
	i128		value = 0;
	int			i;

	if (n == 0)
	{
		*mantissa = 0;
		return true;
	}
	exponent = DIGIT_LEN * (parts->weight - (n - 1)) + scale;
	/* 128 bits hold no more than 39 decimal digits */
	i = digit_at(parts, 0);
	if (exponent <= -DIGIT_LEN ||
		DIGIT_LEN * parts->weight + 1 + (i >= 10) + (i >= 100) + (i >= 1000) + scale > 39)
		return false;
	i = 0;

	/* up to 36 decimal digits need no test for overflow, and go four by four */
	for (; i + 4 <= Min(n - 1, 8); i += 4)
		value = value * (DIGIT_BASE * (i128) DIGIT_BASE * DIGIT_BASE * DIGIT_BASE) +
			((int64) (digit_at(parts, i) * DIGIT_BASE + digit_at(parts, i + 1)) * (DIGIT_BASE * DIGIT_BASE) +
			 (digit_at(parts, i + 2) * DIGIT_BASE + digit_at(parts, i + 3)));
	for (; i < Min(n - 1, 9); i++)
		value = value * DIGIT_BASE + digit_at(parts, i);
	for (; i < n - 1; i++)
		if (!numeric_mul_i128(value, DIGIT_BASE, &value) ||
			!numeric_add_i128(value, digit_at(parts, i), &value))
			return false;

	if (exponent < 0)
	{
		int			power = exponent == -1 ? 10 : exponent == -2 ? 100 : 1000;
		int			digit = digit_at(parts, n - 1);

		if (digit % power != 0 ||
			!numeric_mul_i128(value, DIGIT_BASE / power, &value) ||
			!numeric_add_i128(value, digit / power, &value))
			return false;
	}
	else if (!numeric_mul_i128(value, DIGIT_BASE, &value) ||
			 !numeric_add_i128(value, digit_at(parts, n - 1), &value) ||
			 (exponent > 0 &&
			  (exponent > 38 || !numeric_mul_i128(value, numeric_pow10(exponent), &value))))
		return false;

	*mantissa = parts->negative ? -value : value;
	return true;
}

static ValueFit
numeric_value(Datum datum, bool as_key, ProgramValue *value)
{
	struct varlena *numeric = PG_DETOAST_DATUM_PACKED(datum);
	NumericParts parts;
	i128		mantissa;
	int			scale;

	take_apart(numeric, &parts);
	if (!parts.special)
	{
		scale = Min(parts.dscale, NUMERIC_SCALE_MAX);
		if (scale == parts.dscale || as_key)
		{
			/*
			 * Equal keys must be one group however they are written, so a key
			 * takes whatever scale it can be exact at.
			 */
			do
			{
				if (mantissa_at(&parts, scale, &mantissa))
				{
					value->u.numeric.lo = (uint64_t) mantissa;
					value->u.numeric.hi = (int64_t) (mantissa >> 64);
					value->scale = scale;
					return scale == parts.dscale ? VALUE_FITS : VALUE_SCALE_LOST;
				}
			} while (as_key && --scale >= 0);
		}
	}

	value->foreign = 1;
	if (as_key)
	{
		/* equal numbers, equal bytes: all but the display scale */
		int			size = 2 * sizeof(int16) + parts.ndigits * sizeof(int16);
		char	   *bytes = palloc(size);
		uint16		sign = parts.special ? parts.header : parts.negative;
		int16		weight = parts.weight;

		memcpy(bytes, &sign, sizeof(sign));
		memcpy(bytes + sizeof(sign), &weight, sizeof(weight));
		memcpy(bytes + 2 * sizeof(int16), parts.digits, parts.ndigits * sizeof(int16));
		value->u.ptr = bytes;
		value->len = size;
	}
	return VALUE_FOREIGN;
}

ValueFit
gpuscan_value_from_datum(ProgramType type, Datum datum, bool as_key, ProgramValue *value)
{
	memset(value, 0, sizeof(*value));
	value->kind = gpuscan_type_info[type].kind;
	switch (type)
	{
		case TYPE_BOOL:
			value->u.integer = DatumGetBool(datum);
			break;
		case TYPE_INT2:
			value->u.integer = DatumGetInt16(datum);
			break;
		case TYPE_INT4:
			value->u.integer = DatumGetInt32(datum);
			break;
		case TYPE_INT8:
		case TYPE_MONEY:		/* Cash and TimeADT are int64 */
		case TYPE_TIME:
			value->u.integer = DatumGetInt64(datum);
			break;
		case TYPE_QCHAR:
			value->u.integer = (uint8) DatumGetChar(datum);
			break;
		case TYPE_OID:
		case TYPE_ENUM:
			value->u.integer = DatumGetObjectId(datum);
			break;
		case TYPE_DATE:
			value->u.integer = DatumGetDateADT(datum);
			break;
		case TYPE_TIMESTAMP:
		case TYPE_TIMESTAMPTZ:
			value->u.integer = DatumGetTimestamp(datum);
			break;
		case TYPE_FLOAT4:
			value->u.real = DatumGetFloat4(datum);
			break;
		case TYPE_FLOAT8:
			value->u.real = DatumGetFloat8(datum);
			break;
		case TYPE_NUMERIC:
			return numeric_value(datum, as_key, value);
		case TYPE_BPCHAR:
		case TYPE_VARCHAR:
		case TYPE_TEXT:
		case TYPE_BYTEA:
		case TYPE_INET:
		case TYPE_CIDR:
			{
				struct varlena *text = PG_DETOAST_DATUM_PACKED(datum);
				const char *bytes = VARDATA_ANY(text);
				uint32		len = VARSIZE_ANY_EXHDR(text);

				/* bpchareq, hashbpchar: bcTruelen (varchar.c) */
				if (type == TYPE_BPCHAR)
					while (len > 0 && bytes[len - 1] == ' ')
						len--;
				value->u.ptr = bytes;
				value->len = len;
				break;
			}
		case TYPE_UUID:
			value->u.ptr = (const char *) DatumGetUUIDP(datum)->data;
			value->len = UUID_LEN;
			break;
		case TYPE_INTERVAL:
		case TYPE_TIMETZ:
		case TYPE_MACADDR:
			value->u.ptr = (const char *) DatumGetPointer(datum);
			value->len = gpuscan_type_info[type].attlen;
			break;
		case TYPE_NAME:
			value->u.ptr = NameStr(*DatumGetName(datum));
			value->len = strnlen(value->u.ptr, NAMEDATALEN);
			break;
		default:
			elog(ERROR, "unexpected type %d in a program", (int) type);
	}
	return VALUE_FITS;
}

/* text of a given length; for char(n) with its padding */
static Datum
text_datum(ProgramType type, int32 typmod, const ProgramValue *value)
{
	uint32		pad = 0;
	struct varlena *text;

	/* n counts characters, bpchar() in varchar.c pads with one byte for each */
	if (type == TYPE_BPCHAR && typmod >= (int32) VARHDRSZ)
	{
		int			nchars = pg_mbstrlen_with_len(value->u.ptr, value->len);

		pad = Max((int32) (typmod - VARHDRSZ) - nchars, 0);
	}
	text = palloc(VARHDRSZ + value->len + pad);
	SET_VARSIZE(text, VARHDRSZ + value->len + pad);
	memcpy(VARDATA(text), value->u.ptr, value->len);
	memset(VARDATA(text) + value->len, ' ', pad);
	return PointerGetDatum(text);
}

/* bytes without a header, of a given length: a name has zeros behind it (namein) */
static Datum
fixed_datum(int size, const ProgramValue *value)
{
	char	   *bytes = palloc0(size);

	memcpy(bytes, value->u.ptr, Min(value->len, (uint32) size));
	return PointerGetDatum(bytes);
}

Datum
gpuscan_value_to_datum(ProgramType type, int32 typmod, const ProgramValue *value)
{
	switch (type)
	{
		case TYPE_BOOL:
			return BoolGetDatum(value->u.integer != 0);
		case TYPE_INT2:
			return Int16GetDatum((int16) value->u.integer);
		case TYPE_INT4:
			return Int32GetDatum((int32) value->u.integer);
		case TYPE_INT8:
		case TYPE_MONEY:
		case TYPE_TIME:
			return Int64GetDatum(value->u.integer);
		case TYPE_QCHAR:
			return CharGetDatum((char) value->u.integer);
		case TYPE_OID:
		case TYPE_ENUM:
			return ObjectIdGetDatum((Oid) value->u.integer);
		case TYPE_DATE:
			return DateADTGetDatum((DateADT) value->u.integer);
		case TYPE_TIMESTAMP:
		case TYPE_TIMESTAMPTZ:
			return TimestampGetDatum(value->u.integer);
		case TYPE_FLOAT4:
			return Float4GetDatum((float4) value->u.real);
		case TYPE_FLOAT8:
			return Float8GetDatum(value->u.real);
		case TYPE_NUMERIC:
			{
				uint64		sum[ENGINE_SUM_LIMBS];

				gpuscan_value_limbs(value->u.numeric.lo, value->u.numeric.hi, sum);
				return gpuscan_value_numeric(sum, value->scale, value->scale);
			}
		case TYPE_BPCHAR:
		case TYPE_VARCHAR:
		case TYPE_TEXT:
		case TYPE_BYTEA:
		case TYPE_INET:
		case TYPE_CIDR:
			return text_datum(type, typmod, value);
		case TYPE_UUID:
		case TYPE_INTERVAL:
		case TYPE_TIMETZ:
		case TYPE_MACADDR:
		case TYPE_NAME:
			return fixed_datum(gpuscan_type_info[type].attlen, value);
		default:
			elog(ERROR, "unexpected type %d in a program", (int) type);
			return (Datum) 0;
	}
}

/* one limb more than a sum has, for its alignment to a digit of numeric */
#define LIMBS	(ENGINE_SUM_LIMBS + 1)

/* limbs, least significant first, times a small number */
static void
limbs_multiply(uint64 limbs[LIMBS], uint32 factor)
{
	u128		carry = 0;

	for (int i = 0; i < LIMBS; i++)
	{
		carry += (u128) limbs[i] * factor;
		limbs[i] = (uint64) carry;
		carry >>= 64;
	}
}

/* divide in place, return the remainder */
static uint64
limbs_divide(uint64 limbs[LIMBS], uint64 divisor)
{
	u128		rest = 0;

	for (int i = LIMBS - 1; i >= 0; i--)
	{
		if (rest == 0 && limbs[i] < divisor)
		{
			rest = limbs[i];
			limbs[i] = 0;
			continue;
		}
		rest = (rest << 64) | limbs[i];
		limbs[i] = (uint64) (rest / divisor);
		rest %= divisor;
	}
	return (uint64) rest;
}

Datum
gpuscan_value_numeric(const uint64 *sum, int scale, int dscale)
{
	enum {ROOM = 36};			/* 384 bits are 116 decimal digits */
	static const uint16 powers[DIGIT_LEN] = {1, 10, 100, 1000};
	int16		digits[ROOM];
	int			first = ROOM;
	int			last = ROOM;
	int			weight;
	int			shift = (DIGIT_LEN - scale % DIGIT_LEN) % DIGIT_LEN;
	bool		negative = (int64) sum[ENGINE_SUM_LIMBS - 1] < 0;
	uint64		limbs[LIMBS] = {0};
	int			top = ENGINE_SUM_LIMBS;
	bool		is_short;
	Size		size;
	struct varlena *result;
	char	   *data;

	memcpy(limbs, sum, ENGINE_SUM_LIMBS * sizeof(uint64));
	if (negative)
	{
		uint64		carry = 1;

		for (int i = 0; i < ENGINE_SUM_LIMBS; i++)
		{
			limbs[i] = ~limbs[i] + carry;
			carry = carry && limbs[i] == 0;
		}
	}

	/* the decimal point must lie between two digits */
	if (shift > 0)
		limbs_multiply(limbs, powers[shift]);
	for (;;)
	{
		while (top > 0 && limbs[top] == 0)
			top--;
		if (top == 0)
			break;

		/* four digits of numeric at once */
		uint64		four = limbs_divide(limbs, UINT64CONST(10000000000000000));

		for (int i = 0; i < 4; i++, four /= DIGIT_BASE)
			digits[--first] = four % DIGIT_BASE;
	}
	for (uint64 rest = limbs[0]; rest != 0; rest /= DIGIT_BASE)
		digits[--first] = rest % DIGIT_BASE;

	/* numeric.c's make_result: no zeros at either end */
	while (first < last && digits[first] == 0)
		first++;
	weight = (last - first) - 1 - (scale + shift) / DIGIT_LEN;
	while (first < last && digits[last - 1] == 0)
		last--;
	if (first == last)
	{
		weight = 0;
		negative = false;
	}

	is_short = dscale <= SHORT_DSCALE_MAX &&
		weight >= SHORT_WEIGHT_MIN && weight <= SHORT_WEIGHT_MAX;
	size = VARHDRSZ + (is_short ? 1 : 2) * sizeof(uint16) + (last - first) * sizeof(int16);
	result = palloc(size);
	SET_VARSIZE(result, size);
	data = VARDATA(result);
	if (is_short)
	{
		uint16		header = HEADER_SHORT | (negative ? SHORT_NEG : 0) |
			(dscale << SHORT_DSCALE_SHIFT) |
			(weight < 0 ? SHORT_WEIGHT_SIGN : 0) | (weight & SHORT_WEIGHT_MASK);

		memcpy(data, &header, sizeof(header));
		data += sizeof(header);
	}
	else
	{
		uint16		header = (negative ? HEADER_LONG_NEG : 0) | dscale;
		int16		weight16 = weight;

		memcpy(data, &header, sizeof(header));
		memcpy(data + sizeof(header), &weight16, sizeof(weight16));
		data += sizeof(header) + sizeof(weight16);
	}
	memcpy(data, digits + first, (last - first) * sizeof(int16));
	return PointerGetDatum(result);
}

void
gpuscan_value_send_numeric(StringInfo buf, Datum numeric)
{
	NumericParts parts;

	take_apart((struct varlena *) DatumGetPointer(numeric), &parts);
	Assert(!parts.special);
	pq_sendint32(buf, parts.ndigits);
	pq_sendint32(buf, parts.weight);
	pq_sendint32(buf, parts.negative ? HEADER_LONG_NEG : 0);
	pq_sendint32(buf, parts.dscale);
	for (int i = 0; i < parts.ndigits; i++)
		pq_sendint16(buf, digit_at(&parts, i));
}
