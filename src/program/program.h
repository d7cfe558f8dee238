/*-------------------------------------------------------------------------
 *
 * program.h
 *	  The language that engines speak: plain, relocatable data.
 *
 * A program says what is to be done with every visible row of a table: which
 * attributes to load, what to compute, which rows to keep, and what the
 * surviving rows feed (row numbers, or groups).  It is one block of memory in
 * which sections are found by offset, so the same bytes serve every engine
 * and may be copied to another process or to a device.
 *
 * Instructions are straight-line code over typed registers.  A FILTER keeps
 * the rows for which its operand is true; what follows runs for those only.
 * Branches of CASE, AND and OR are computed for all rows and selected, unless
 * a step in them can fail; then the branch stands between MASK_* and MASK_END,
 * and a failure counts only for rows that the mask lets through.  (A value that
 * a LOAD cannot read punts its row whatever the mask: slower, and as right.)
 *
 * This header includes nothing of PostgreSQL: it compiles as C and as CUDA.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_PROGRAM_H
#define GPUSCAN_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRAM_MAGIC		0x47505343	/* "GPSC" */
#define PROGRAM_VERSION		2

#define PROGRAM_NO_REG		UINT16_MAX
#define PROGRAM_MAX_REGS	1024
#define PROGRAM_MAX_INSTRS	8192
#define PROGRAM_MAX_ATTRS	1600	/* MaxHeapAttributeNumber */
#define PROGRAM_MAX_KEYS	31		/* a bit each in a word, and one to spare */
#define PROGRAM_MAX_AGGS	256
#define PROGRAM_MAX_MASKS	32		/* depth of nested masks */

/*
 * Largest scale of a numeric in a register.  The same line stands in
 * numeric.h, which cannot be included beside PostgreSQL's fmgrprotos.h: its
 * bodies have the names of PostgreSQL's functions.
 */
#define NUMERIC_SCALE_MAX	36

/*
 * How a value lies in a register.  SQL types map to these in types.def; a
 * NULL flag is kept beside the value.
 */
typedef enum ValueKind
{
	VALUE_BOOL,					/* uint8_t, 0 or 1 */
	VALUE_INT32,				/* int32_t: int2, int4, date, "char" */
	VALUE_INT64,				/* int64_t: int8, timestamp, time, money, oid, enums */
	VALUE_NUMERIC,				/* mantissa * 10^-scale; scale is also the display scale */
	VALUE_TEXT,					/* pointer and length, in the row's own bytes: also bytea, uuid, name, interval */
	VALUE_FLOAT64,				/* double: float8, and float4 widened */
	VALUE_KINDS
} ValueKind;

/* SQL types that a program can load from a row: TYPE_BOOL, TYPE_INT2, ... */
typedef enum ProgramType
{
#define TYPE(id, name, oid, kind, ...)	TYPE_##id,
#include "program/types.def"
#undef TYPE
	PROGRAM_TYPES
} ProgramType;

/* Operators: OP_ADD_INT32, ...; the structural ones come first. */
typedef enum ProgramOp
{
	OP_LOAD,					/* dst := attribute a (index into attrs); b: LOAD_STORED? */
	OP_FILTER,					/* keep the rows for which a is true */
	OP_MASK_TRUE,				/* until MASK_END, count failures only where a is true */
	OP_MASK_NOT_TRUE,			/* ... where a is false or NULL (ELSE, right arm of OR) */
	OP_MASK_NOT_FALSE,			/* ... where a is true or NULL (right arm of AND) */
	OP_MASK_NULL,				/* ... where a is NULL (next arm of COALESCE) */
	OP_MASK_END,
	OP_AND,						/* dst := a AND b, three-valued */
	OP_OR,
	OP_NOT,
	OP_IS_NULL,					/* a of any kind */
	OP_IS_NOT_NULL,
	OP_IS_TRUE,					/* a IS TRUE: never NULL */
	OP_IS_FALSE,
	OP_IS_UNKNOWN,
	OP_SELECT,					/* dst := a is true ? b : c, b and c of one kind */
#define OP(id, ...)	OP_##id,
#include "program/ops.def"
#undef OP
	PROGRAM_OPS
} ProgramOp;

/* Aggregate states: AGG_COUNT_STAR, AGG_SUM_INT32, ... */
typedef enum ProgramAggKind
{
#define AGG_STATE(id, ...)	AGG_##id,
#include "program/aggs.def"
#undef AGG_STATE
	PROGRAM_AGG_KINDS
} ProgramAggKind;

/*
 * Under which collation, encoding and settings a line of the tables holds.  A
 * bit each, so that a line can ask for several; offload/ looks whether it has
 * them where an expression uses the line, and engines need not know.
 */
typedef enum ProgramCondition
{
	CONDITION_ANY = 0,			/* wherever it is used */
	CONDITION_DETERMINISTIC = 0x01, /* the collation takes equal bytes alone for equal */
	CONDITION_UTF8 = 0x02,		/* the database's encoding */
	CONDITION_SINGLE_BYTE = 0x04,	/* ... has one byte for each character */
	CONDITION_BYTE_ORDER = 0x08,	/* the collation orders by bytes: C, POSIX and equals */
	CONDITION_CTYPE_C = 0x20,	/* ... maps ASCII letters alone to upper and lower case */
	CONDITION_PLAIN_ASCII = 0x40,	/* ... maps ASCII letters as C does; others otherwise */
	CONDITION_ROW_ORDER = 0x10		/* an aggregate state: a group gets its rows in the order
									 * of the table, and is not put together of parts */
} ProgramCondition;

/*
 * b of an OP_LOAD: a bpchar with its trailing blanks, which registers do not
 * have otherwise (LIKE and octet_length look at them).
 */
#define LOAD_STORED		1

/* What a single step may be asked of; from the tables (see program_tables.h) */
typedef struct ProgramInstr
{
	uint16_t	op;				/* ProgramOp */
	uint16_t	dst;			/* register, or PROGRAM_NO_REG */
	uint16_t	a;				/* registers; for OP_LOAD an index into attrs */
	uint16_t	b;
	uint16_t	c;
	uint16_t	pad;
} ProgramInstr;

/*
 * A register: a temporary, a value that is the same for all rows, or one that
 * the host supplies for each row that passed the filters (keys and arguments
 * read such, instructions do not).
 */
typedef struct ProgramReg
{
	uint8_t		kind;			/* ValueKind */
	uint8_t		uniform;		/* holds parameter number 'param' for all rows */
	uint16_t	param;			/* index into the parameters given to the engine; supplied:
								 * number of the column */
	uint8_t		supplied;		/* by the host, between collect and absorb */
	uint8_t		pad;
} ProgramReg;

/* An attribute that is loaded. */
typedef struct ProgramAttr
{
	int16_t		attnum;			/* 1-based */
	uint8_t		type;			/* ProgramType */
	int8_t		scale;			/* numeric(p,s): s as a hint, or -1.  Rows may differ. */
	uint16_t	missing;		/* parameter that rows too short for it have
								 * (ADD COLUMN ... DEFAULT), or PROGRAM_NO_REG: NULL */
	uint16_t	pad;
} ProgramAttr;

/* How attribute i+1 lies in a tuple, for all attributes up to the last loaded. */
typedef struct ProgramLayout
{
	int16_t		attlen;			/* > 0, or -1 (varlena), or -2 (C string) */
	uint8_t		attalign;		/* 1, 2, 4 or 8 */
	uint8_t		notnull;		/* declared NOT NULL: a hint, never trusted */
} ProgramLayout;

typedef struct ProgramKey
{
	uint16_t	reg;
	uint8_t		type;			/* ProgramType of the key: decides equality */
	uint8_t		pad;
} ProgramKey;

typedef struct ProgramAgg
{
	uint8_t		kind;			/* ProgramAggKind */
	uint8_t		pad;
	uint16_t	arg;			/* register, or PROGRAM_NO_REG for count(*) */
	uint16_t	filter;			/* FILTER clause, or PROGRAM_NO_REG */
	uint16_t	pad2;
} ProgramAgg;

typedef struct Program
{
	uint32_t	magic;
	uint32_t	version;
	uint32_t	size;			/* of the whole block, in bytes */
	uint16_t	nregs;
	uint16_t	ninstrs;
	uint16_t	nattrs;			/* attributes loaded, in ascending order of attnum */
	uint16_t	nlayout;		/* attributes to walk: the last loaded one's attnum */
	uint16_t	nparams;
	uint16_t	nkeys;
	uint16_t	naggs;
	uint16_t	grouped;		/* survivors feed groups (nkeys may be 0), else rows */
	uint16_t	nsupplied;		/* columns that the host supplies */
	uint16_t	pad;
	uint32_t	regs;			/* offsets from the start of the block */
	uint32_t	instrs;
	uint32_t	attrs;
	uint32_t	layout;
	uint32_t	keys;
	uint32_t	aggs;
} Program;

#define PROGRAM_SECTION(p, type, offset) \
	((const type *) ((const char *) (p) + (offset)))
#define program_regs(p)		PROGRAM_SECTION(p, ProgramReg, (p)->regs)
#define program_instrs(p)	PROGRAM_SECTION(p, ProgramInstr, (p)->instrs)
#define program_attrs(p)	PROGRAM_SECTION(p, ProgramAttr, (p)->attrs)
#define program_layout(p)	PROGRAM_SECTION(p, ProgramLayout, (p)->layout)
#define program_keys(p)		PROGRAM_SECTION(p, ProgramKey, (p)->keys)
#define program_aggs(p)		PROGRAM_SECTION(p, ProgramAgg, (p)->aggs)

/* One value outside a vector: a parameter, a key or argument computed by the host. */
typedef struct ProgramValue
{
	uint8_t		kind;			/* ValueKind */
	uint8_t		null;
	uint8_t		foreign;		/* outside the engine's representation.  A foreign key
								 * has its canonical bytes in ptr/len; a foreign argument
								 * is skipped by the engine and stays with the host. */
	uint8_t		pad;
	uint32_t	len;			/* VALUE_TEXT: bytes at ptr (bpchar: without trailing blanks) */
	union
	{
		int64_t		integer;	/* BOOL, INT32, INT64 */
		struct
		{
			uint64_t	lo;		/* two's complement 128-bit mantissa */
			int64_t		hi;
		}			numeric;
		const char *ptr;
		double		real;		/* FLOAT64 */
	}			u;
	int32_t		scale;			/* VALUE_NUMERIC: 0 .. NUMERIC_SCALE_MAX (numeric.h) */
} ProgramValue;

/* Static facts about operators, from ops.def (program_tables.c) */
typedef struct ProgramOpInfo
{
	const char *name;
	uint8_t		nargs;
	uint8_t		args[3];		/* ValueKind each, or VALUE_KINDS for any */
	uint8_t		result;			/* ValueKind, or VALUE_KINDS: that of argument b */
	uint8_t		may_fail;		/* may punt a row */
	uint8_t		engines;		/* ENGINE_CPU | ENGINE_CUDA: who can be equal to the bit */
	uint8_t		condition;		/* ... and where: ProgramCondition, several joined by | */
	float		cost;			/* relative to one comparison of int4 */
} ProgramOpInfo;

typedef struct ProgramAggInfo
{
	const char *name;
	uint8_t		arg;			/* ValueKind, or VALUE_KINDS for any */
	uint8_t		engines;
	uint8_t		condition;
	float		cost;
} ProgramAggInfo;

typedef struct ProgramTypeInfo
{
	const char *name;			/* SQL name */
	uint32_t	oid;
	uint8_t		kind;			/* ValueKind */
	int16_t		attlen;			/* 0: any (TYPE_OPAQUE) */
	uint8_t		attalign;
} ProgramTypeInfo;

#define ENGINE_CPU		0x01
#define ENGINE_CUDA		0x02
#define ENGINE_ALL		(ENGINE_CPU | ENGINE_CUDA)

extern const ProgramOpInfo gpuscan_op_info[PROGRAM_OPS];
extern const ProgramAggInfo gpuscan_agg_info[PROGRAM_AGG_KINDS];
extern const ProgramTypeInfo gpuscan_type_info[PROGRAM_TYPES];

/*
 * Check a program before an engine runs it: section bounds, register numbers,
 * operand kinds, definition before use, mask nesting, attribute order and
 * layout.  Returns NULL when it is sound, else what is wrong (static text).
 */
extern const char *gpuscan_program_verify(const Program *program, uint32_t size);

#endif							/* GPUSCAN_PROGRAM_H */
