/*-------------------------------------------------------------------------
 *
 * cpu.h
 *	  The CPU engine's own structures.
 *
 * A batch is worked on as vectors.  First the rows are walked (rows.h): for
 * every attribute that the program loads, where it lies in each tuple.  Then
 * the instructions run one after another over all rows (eval.h); a FILTER
 * packs the surviving rows together, so that what follows, loading columns
 * included, is dense and touches survivors only.  At last the keys and
 * arguments are absorbed into groups (absorb.h).
 *
 * level.h holds all that runs per row.  It is compiled once for each
 * instruction level; CpuLevel is its face.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CPU_H
#define GPUSCAN_CPU_H

#include "engine/engine.h"
#include "program/floats.h"
#include "program/interval.h"
#include "program/numeric.h"
#include "program/portable.h"
#include "program/text.h"

#define CPU_VECTOR_ALIGN	64

/*
 * A register's values for the rows in work.
 *
 * Numerics adapt to the data: 64-bit mantissas as long as 'bound' proves that
 * they suffice, 128-bit ones (wide) otherwise; one scale for all rows, or one
 * for each (mixed).  So the usual case costs as little as integers do, and the
 * unusual one is still exact.
 */
typedef struct Vector
{
	void	   *data;			/* BATCH_MAX_ROWS elements, room for 16 bytes each */
	uint8_t    *null;			/* one flag a row; valid only with has_null */
	uint8_t    *scales;			/* mixed numerics */
	uint8_t		kind;			/* ValueKind */
	bool		uniform;		/* element 0 stands for all rows */
	bool		has_null;
	bool		wide;
	bool		mixed;
	bool		tight;			/* texts: nothing past the end of one may be read */
	int16_t		scale;			/* numerics that are not mixed */
	uint64_t	bound;			/* numerics that are not wide: no |mantissa| exceeds it */
	bool		pattern_set;	/* 'pattern' is of the present value */
	struct TextPattern *pattern;	/* uniform texts that LIKE has met, or NULL */
} Vector;

/* A LIKE pattern, taken apart (pattern.c) */
typedef enum PatternForm
{
	PATTERN_GENERAL,			/* has _, or what only like_match.c's way can tell */
	PATTERN_EQUAL,				/* abc */
	PATTERN_ENDS,				/* abc%xyz, abc%, %xyz, % */
	PATTERN_WITHIN,				/* %abc% */
	PATTERN_PIECES				/* ab%cd%ef%gh */
} PatternForm;

typedef struct TextPattern
{
	uint8_t		form;			/* PatternForm */
	bool		open;			/* has a % */
	uint32_t	npieces;
	uint32_t	least;			/* bytes that a text must have */
	uint32_t	room;			/* bytes of a pattern that the memory is for */
	TextView   *pieces;			/* first and last may be empty */
} TextPattern;

/*
 * Room for the texts that a batch's steps make, in chunks; emptied when the
 * next batch begins.  Who needs a text longer copies it (groups.c, states.c).
 */
typedef struct TextArena
{
	TextRoom	room;			/* first: what bodies see */
	EngineRun  *run;
	struct ArenaChunk *first;
	struct ArenaChunk *chunk;	/* that 'room' is in, or NULL */
	size_t		held;			/* bytes of all chunks */
} TextArena;

/* A step of the walk through a tuple, behind the prefix of constant offsets. */
typedef struct WalkStep
{
	uint8_t		varlena;
	uint8_t		align;			/* fixed size: alignment and size of ... */
	uint16_t	size;			/* ... one or more attributes in a row */
	uint16_t   *store;			/* where its positions go (a dummy when unwanted) */
} WalkStep;

/* What a FILTER must carry over when it packs the rows. */
typedef struct FilterLive
{
	uint32_t	nregs;
	uint16_t   *regs;
	uint32_t	nattrs;
	uint16_t   *attrs;
} FilterLive;

/*
 * Groups.  Records of fixed size, numbered in order of first sight, in chunks:
 *
 *	   uint64 words[nkeys]		packed keys; of a blob group: words[0] = its bytes
 *	   uint32 nulls				bit k: key k is NULL; GROUP_BLOB: key is a blob
 *	   uint32 hash
 *	   int64  rows
 *	   uint64 first			ordinal of the first row, whose keys are shown
 *	   states					at agg_offset[]
 *
 * A key packs into a word if it is an integer, a text of up to seven bytes, or
 * a numeric whose canonical mantissa has 57 bits.  Rows with any other key
 * find their group by the bytes of all keys ("blob"), in the same hash table.
 * Packing is canonical: equal keys always take the same way.
 */
#define GROUP_CHUNK_SHIFT	12
#define GROUP_CHUNK			(1u << GROUP_CHUNK_SHIFT)
#define GROUP_BLOB			0x80000000u
#define GROUP_NONE			UINT32_MAX

typedef struct GroupDense
{
	uint32_t   *map;			/* group number + 1, or 0 */
	uint64_t	size;			/* 0: not in use */
	uint64_t	base[PROGRAM_MAX_KEYS];
	uint64_t	range[PROGRAM_MAX_KEYS];	/* slot 'range' is for NULL */
	uint64_t	stride[PROGRAM_MAX_KEYS];
	bool		given_up;		/* keys spread too widely */
} GroupDense;

typedef struct GroupAgg
{
	uint8_t		kind;			/* ProgramAggKind */
	uint32_t	offset;			/* of its state in a record */
	int32_t		scale;			/* SUM_NUMERIC: scale of all sums; -1 before the first */
	int32_t		dscale;			/* ... of every input so far, or -1: see dscales */
	double		bound;			/* SUM: no |sum| exceeds it */
	int64_t    *missing;		/* by group: rows without argument; NULL: none */
	uint64_t  (*high)[ENGINE_SUM_LIMBS - 2];	/* by group: upper limbs of sums; NULL: two suffice */
	uint8_t    *dscales;		/* by group: largest input scale; NULL: dscale for all */
} GroupAgg;

/* An argument kept (see Groups.detached): one of a list */
typedef struct GroupArgument
{
	double		value;
	uint64_t	next;			/* number of the following one + 1, or 0 */
} GroupArgument;

typedef struct Groups
{
	uint32_t	nkeys;
	uint32_t	naggs;
	uint32_t	record;			/* bytes */
	uint32_t	nulls_at;
	uint32_t	hash_at;
	uint32_t	rows_at;
	uint32_t	first_at;
	uint32_t	n;				/* groups */
	uint32_t	room;			/* groups that the chunks hold */
	char	  **chunks;			/* by number of the group */
	uint32_t	nchunks;
	uint32_t	chunk_slots;
	char	  **slabs;			/* as allocated: one or more chunks each */
	uint32_t	nslabs;
	char	   *slab;			/* the last one's chunks not in use yet */
	uint32_t	spare;
	uint64_t   *slots;			/* open addressing: hash << 32 | group + 1 */
	uint64_t	mask;
	uint32_t	hashed;			/* groups that the hash table knows */
	GroupDense	dense;
	GroupAgg   *aggs;
	uint8_t    *key_types;		/* ProgramType */
	uint8_t   **key_scales;		/* numeric keys, by group: scale of the first seen;
								 * floating point: whether it had a sign (float64_key_sign) */
	uint32_t	side_room;		/* groups that the arrays 'by group' hold */
	struct GroupArena *arena;	/* bytes of blob keys */
	size_t		arena_left;
	size_t		blob_bytes;
	size_t		text_bytes;		/* of MIN_TEXT and MAX_TEXT */

	/*
	 * What depends on the order of rows cannot be added up of parts.  A detached
	 * table has groups that may go on where dumped ones ended; there the
	 * arguments themselves are kept, until they are merged.
	 */
	bool		detached;
	EngineOverflow overflow;	/* a sum left its type: an error */
	GroupArgument *log;
	uint64_t	nlog;
	uint64_t	log_room;

	/*
	 * Rows come in the order of the scan, as a rule; then a group's first row
	 * is the one that makes it.
	 */
	uint64_t	newest;			/* no row so far has this ordinal or a larger one; of
								 * groups that were merged the first rows count */
	bool		disordered;		/* some came that precede others */
	uint32_t   *order;			/* disordered: groups by first row, for the walk */
} Groups;

typedef struct CpuLevel CpuLevel;

struct EngineRun
{
	const Program *program;
	const ProgramValue *params;
	const EngineMemory *memory;
	const CpuLevel *level;

	/* analysis */
	Vector	   *regs;
	Vector	   *missing;		/* by loaded attribute: what short rows have */
	FilterLive *filters;		/* in order of the FILTER instructions; the last: at the end */
	uint32_t	nfilters;
	uint16_t   *attr_const;		/* by loaded attribute: constant position, or 0 */
	WalkStep   *walk;
	uint32_t	nwalk;
	uint32_t	walk_from;		/* position at which the walk begins in plain rows */
	uint32_t	need_natts;
	uint32_t   *attr_step;		/* by loaded attribute: steps that lead past it, or 0 */
	uint32_t   *stages;			/* by FILTER, and at the end: steps that it needs at most */

	/* the rows in work */
	Batch	   *batch;
	uint32_t	n;
	bool		plain;			/* no nulls, no short rows: attr_const holds */
	const uint8_t **tuple;
	uint16_t  **pos;			/* by loaded attribute */
	uint32_t	walked;			/* plain: steps that were made with all rows in work, */
	uint16_t   *walk_at;		/* ... where they led, and the length of the tuple */
	uint16_t   *tuple_len;
	bool		few;			/* less than half of the last batch passed its first FILTER */
	uint16_t   *row;			/* numbers in the batch */
	uint8_t    *punt;			/* by row in work */
	bool		any_punt;
	uint16_t   *punted;			/* numbers in the batch */
	uint32_t	npunted;
	int32_t		corrupt;
	uint8_t    *masks[PROGRAM_MAX_MASKS + 1];
	uint32_t	nmasks;
	uint16_t   *select;			/* scratch: rows that stay */
	uint8_t    *flags;			/* scratch */
	uint16_t   *slow;			/* scratch */
	uint32_t   *heads;			/* scratch: first bytes of numerics ... */
	uint64_t   *digits;			/* ... and their first four digits */
	uint32_t   *group;			/* scratch: group of each row */
	uint64_t  **words;			/* scratch: packed keys */
	uint64_t	ordinal;		/* of the row that is looked up: a group that it makes
								 * has it first */
	uint8_t    *packed;			/* scratch: row has packed keys */
	uint32_t   *nulls;			/* scratch: null bits of keys */
	uint32_t   *hash;			/* scratch */
	char	   *blob;			/* scratch */
	size_t		blob_room;
	TextArena	arena;
	bool		submitted;
	uint32_t	absorbed;		/* rows of the last batch that entered the groups */
	EngineResult result;

	Groups		groups;
	ProgramValue *out_keys;
	EngineAggState *out_aggs;
};

struct CpuLevel
{
	const char *name;
	/* Walk, evaluate, fill run->result. */
	void		(*evaluate) (EngineRun *run);
	/* Feed rows [from, to) of the evaluated batch to the groups. */
	void		(*absorb) (EngineRun *run, uint32_t from, uint32_t to);
	/* Keep only the rows in work listed in run->select; for keys and arguments. */
	void		(*pack) (EngineRun *run, uint32_t n);
};

extern const CpuLevel gpuscan_cpu_level_base;
extern const CpuLevel gpuscan_cpu_level_avx2;
extern const CpuLevel gpuscan_cpu_level_avx512;

/* "auto", "base", "avx2" or "avx512"; false when this machine lacks it */
extern bool gpuscan_cpu_set_level(const char *name);

/* memory: zeroed, aligned for vectors, never freed before the run's end */
extern void *gpuscan_cpu_alloc(EngineRun *run, size_t size);

static inline NumericValue
program_value_numeric(const ProgramValue *value)
{
	NumericValue v;

	v.mantissa = (i128) ((u128) (uint64_t) value->u.numeric.hi << 64 | value->u.numeric.lo);
	v.scale = value->scale;
	return v;
}

static inline void
program_value_set_numeric(ProgramValue *value, NumericValue v)
{
	value->u.numeric.lo = (uint64_t) v.mantissa;
	value->u.numeric.hi = (int64_t) (v.mantissa >> 64);
	value->scale = v.scale;
}

/* vectors.c: numerics that do not fit the vector's present form */
extern void gpuscan_vector_put_numeric(EngineRun *run, Vector *vector, uint32_t row, uint32_t n, NumericValue value);
extern void gpuscan_vector_widen(Vector *vector, uint32_t n);
extern void gpuscan_vector_mix(EngineRun *run, Vector *vector, uint32_t n);
extern void gpuscan_vector_fill(EngineRun *run, Vector *vector, const ProgramValue *values, const uint8_t *keep, uint32_t n);
extern void gpuscan_vector_set_uniform(EngineRun *run, Vector *vector, const ProgramValue *value);

/* pattern.c */
extern const TextPattern *gpuscan_pattern_of(EngineRun *run, Vector *vector, bool utf8);

/* arena.c */
extern void gpuscan_arena_init(EngineRun *run);
extern void gpuscan_arena_reset(EngineRun *run);

/* groups.c */
extern void gpuscan_groups_init(EngineRun *run);
extern void gpuscan_groups_reset(EngineRun *run);
extern size_t gpuscan_groups_memory(const Groups *groups);
extern uint32_t gpuscan_groups_add(EngineRun *run, const uint64_t *words, uint32_t nulls, uint32_t hash);
extern void gpuscan_groups_catch_up(EngineRun *run);
extern uint32_t gpuscan_groups_find_packed(EngineRun *run, const uint64_t *words, uint32_t nulls, uint32_t hash);
extern uint32_t gpuscan_groups_find_only(EngineRun *run);
extern uint32_t gpuscan_groups_find_values(EngineRun *run, const ProgramValue *keys);
extern void gpuscan_groups_widen_dense(EngineRun *run, const uint64_t *low, const uint64_t *high);
extern void gpuscan_groups_out(EngineRun *run, uint32_t group, EngineGroup *out);
extern uint32_t gpuscan_groups_add_values(EngineRun *run, const EngineGroup *from);
extern void gpuscan_groups_sort(EngineRun *run);
extern size_t gpuscan_groups_dump(EngineRun *run, uint32_t group, char *buf, size_t room, uint32_t *hash);
extern uint32_t gpuscan_groups_merge(EngineRun *run, const char *buf, size_t size);

/* State of SUM_FLOAT32, SUM_FLOAT64, MOMENTS_FLOAT64 */
typedef union GroupMoments
{
	FloatMoments so_far;
	struct
	{
		double		size;		/* -1 less the number of arguments: there is no sum yet */
		uint64_t	head;		/* in Groups.log: number + 1, or 0 */
		uint64_t	tail;
	}			kept;
} GroupMoments;

/* states.c */
extern uint32_t gpuscan_state_size(uint8_t kind);
extern void gpuscan_state_init(const GroupAgg *agg, char *record, bool detached);
extern void gpuscan_state_need_missing(EngineRun *run, GroupAgg *agg);
extern void gpuscan_state_need_dscales(EngineRun *run, GroupAgg *agg);
extern void gpuscan_state_raise_scale(EngineRun *run, GroupAgg *agg, int scale);
extern void gpuscan_state_add_numeric(EngineRun *run, GroupAgg *agg, uint32_t group, NumericValue value);
extern void gpuscan_state_minmax_numeric(EngineRun *run, GroupAgg *agg, uint32_t group,
										 NumericValue value, uint64_t ordinal);
extern void gpuscan_state_minmax_text(EngineRun *run, GroupAgg *agg, uint32_t group, TextView value);
extern void gpuscan_state_minmax_float(EngineRun *run, GroupAgg *agg, uint32_t group, double value, uint64_t ordinal);
extern void gpuscan_state_step_interval(EngineRun *run, GroupAgg *agg, uint32_t group, TextView value, uint64_t ordinal);
extern void gpuscan_state_step_float(EngineRun *run, GroupAgg *agg, uint32_t group, double value);
extern void gpuscan_state_keep(EngineRun *run, GroupMoments *state, double value);
extern void gpuscan_state_free_texts(EngineRun *run, GroupAgg *agg);
extern void gpuscan_state_step(EngineRun *run, uint32_t group, uint32_t number,
							   const ProgramValue *value, uint64_t ordinal);
extern void gpuscan_state_add(EngineRun *run, uint32_t group, uint32_t number, const EngineAggState *state);
extern void gpuscan_state_out(EngineRun *run, uint32_t group, uint32_t number, EngineAggState *out);
extern size_t gpuscan_state_dump_size(EngineRun *run, uint32_t group, uint32_t number);
extern size_t gpuscan_state_dump(EngineRun *run, uint32_t group, uint32_t number, char *buf);
extern const char *gpuscan_state_merge(EngineRun *run, uint32_t group, uint32_t number, const char *buf);
#define GROUP_STATE_DUMP_MAX	80	/* bytes that state_dump writes at most, less those of a text */

/* A sum in a record: records are aligned to 8 bytes only. */
typedef i128 i128_unaligned __attribute__((aligned(8)));

typedef struct GroupNumeric		/* state of MIN_NUMERIC, MAX_NUMERIC */
{
	i128_unaligned mantissa;
	uint64_t	ordinal;		/* of the row that it is from */
	int32_t		scale;
	uint32_t	set;
} GroupNumeric;

typedef struct GroupText		/* state of MIN_TEXT, MAX_TEXT: a copy of its own */
{
	char	   *bytes;
	uint32_t	len;
	uint32_t	room;			/* 0: no value yet */
} GroupText;

typedef struct GroupFloat		/* state of MIN_FLOAT64, MAX_FLOAT64 */
{
	double		value;
	uint64_t	ordinal;		/* of the row that it is from */
	uint64_t	set;
} GroupFloat;

/* State of MIN_INTERVAL, MAX_INTERVAL, SUM_INTERVAL */
typedef struct GroupInterval
{
	IntervalValue value;		/* of a sum only while it is asked for */
	uint64_t	ordinal;		/* of the row that the least or greatest is from */
	uint64_t	set;
	i128_unaligned time;		/* a sum's fields, of a part of a group beyond their types */
	int64_t		day;
	int64_t		month;
} GroupInterval;

/* State of MOMENTS_INT32, MOMENTS_INT64: neither overflows before 2^63 rows */
typedef struct GroupSquares
{
	i128_unaligned sum;
	uint64_t	squares[3];
} GroupSquares;

BODY void
group_squares_add(GroupSquares *state, i128 sum, uint64_t low, uint64_t middle, uint64_t high)
{
	u128		s = (u128) state->squares[0] + low;

	state->sum += sum;
	state->squares[0] = (uint64_t) s;
	s = (s >> 64) + state->squares[1] + middle;
	state->squares[1] = (uint64_t) s;
	state->squares[2] += (uint64_t) (s >> 64) + high;
}

BODY void
group_squares_step(GroupSquares *state, int64_t x)
{
	const u128	square = (u128) ((i128) x * x);

	group_squares_add(state, x, (uint64_t) square, (uint64_t) (square >> 64), 0);
}

#define GROUP_SUM_LIMIT		8.0e37	/* well below 2^127: two limbs hold it */

static inline char *
group_record(const Groups *groups, uint32_t group)
{
	return groups->chunks[group >> GROUP_CHUNK_SHIFT] +
		(size_t) (group & (GROUP_CHUNK - 1)) * groups->record;
}

static inline uint64_t *
group_first(const Groups *groups, uint32_t group)
{
	return (uint64_t *) (group_record(groups, group) + groups->first_at);
}

/* Hash of packed words: multiply and fold; the upper half is well mixed. */
BODY uint32_t
group_hash_word(uint32_t hash, uint64_t word)
{
	uint64_t	x = (word ^ ((uint64_t) hash << 32 | hash)) * UINT64_C(0x9E3779B97F4A7C15);

	x ^= x >> 32;
	x *= UINT64_C(0xD6E8FEB86659FD93);
	return (uint32_t) (x >> 32);
}

/* numerics as group keys: canonical mantissa and scale in one word */
#define GROUP_NUMERIC_MAX	(INT64_C(1) << 56)

BODY bool
group_pack_numeric(NumericValue value, uint64_t *word)
{
	NumericValue c = numeric_canonical(value);

	if (c.mantissa >= GROUP_NUMERIC_MAX || c.mantissa < -GROUP_NUMERIC_MAX)
		return false;
	*word = (uint64_t) (int64_t) c.mantissa << 6 | (uint64_t) c.scale;
	return true;
}

#define GROUP_TEXT_MAX		7

#endif							/* GPUSCAN_CPU_H */
