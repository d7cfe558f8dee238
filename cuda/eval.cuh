/*-------------------------------------------------------------------------
 *
 * eval.cuh
 *	  The interpreter.
 *
 * One switch an instruction, the same way for all threads of a warp; inside it
 * a loop over the thread's rows.  The operators are the lines of ops.def with
 * the bodies that the CPU engine runs.  What a NULL or a mask hides is neither
 * a failure nor looked at.  A row that fails is punted and out of work at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_CUDA_EVAL_CUH
#define GPUSCAN_CUDA_EVAL_CUH

#include "load.cuh"
#include "program/bodies.h"

/* A step failed for a row: it counts unless a mask keeps the row from it. */
DEVICE_FUNCTION void
row_failed(Row &row, uint32_t depth)
{
	if (depth == 0 || (row.masks >> (depth - 1) & 1))
		row.status = DEVICE_ROW_PUNTED;
}

#define EVAL_ARGS(reg, kind)	Kind<kind>::get(w, ROW, slot, reg)
#define EVAL_NULL_1				is_null(w, ROW, in.a)
#define EVAL_NULL_2				(is_null(w, ROW, in.a) || is_null(w, ROW, in.b))
#define EVAL_NULL_3				(is_null(w, ROW, in.a) || is_null(w, ROW, in.b) || is_null(w, ROW, in.c))
#define EVAL_CALL_1(body, ka, kb, kc)	body(EVAL_ARGS(in.a, ka), &r)
#define EVAL_CALL_2(body, ka, kb, kc)	body(EVAL_ARGS(in.a, ka), EVAL_ARGS(in.b, kb), &r)
#define EVAL_CALL_3(body, ka, kb, kc)	body(EVAL_ARGS(in.a, ka), EVAL_ARGS(in.b, kb), EVAL_ARGS(in.c, kc), &r)
#define EVAL_FIRST(a, b, c)		a
#define EVAL_SECOND(a, b, c)	b
#define EVAL_THIRD(a, b, c)		c

#define EVAL_N(nargs, ka, kb, kc, kr, may_fail, body) \
	FOR_ROWS(rows) \
	{ \
		bool		null; \
		if (ROW.status != ROW_LIVE) \
			continue; \
		null = EVAL_NULL_##nargs; \
		if (!null) \
		{ \
			Kind<kr>::type r; \
			if (!EVAL_CALL_##nargs(body, ka, kb, kc) && may_fail) \
			{ \
				row_failed(ROW, depth); \
				r = Kind<kr>::type(); \
			} \
			Kind<kr>::set(w, ROW, slot, in.dst, r); \
		} \
		set_null(ROW, in.dst, null); \
	}
#define EVAL(...)				EVAL_N(__VA_ARGS__)

/* a line that names another engine is never asked here, and its body may call libm */
#define HERE_ENGINE_ALL(...)	__VA_ARGS__
#define HERE_ENGINE_CUDA(...)	__VA_ARGS__
#define HERE_ENGINE_CPU(...)

DEVICE_FUNCTION void
run_mask(const Work &w, Row (&rows)[ROWS], const DeviceInstr &in, uint32_t depth)
{
	FOR_ROWS(rows)
	{
		const uint32_t t = in.op == OP_MASK_NULL ? (is_null(w, ROW, in.a) ? 2 : 0) : truth(w, ROW, in.a);
		bool		pass = in.op == OP_MASK_TRUE ? t == 1 :
			in.op == OP_MASK_NOT_TRUE ? t != 1 :
			in.op == OP_MASK_NOT_FALSE ? t != 0 : t == 2;

		pass = pass && (depth == 0 || (ROW.masks >> (depth - 1) & 1));
		ROW.masks = pass ? ROW.masks | 1u << depth : ROW.masks & ~(1u << depth);
	}
}

/* AND and OR: 'decisive' is the value that decides alone. */
DEVICE_FUNCTION void
run_and_or(const Work &w, Row (&rows)[ROWS], const DeviceInstr &in)
{
	const uint32_t decisive = in.op == OP_OR;

	FOR_ROWS(rows)
	{
		const uint32_t x = truth(w, ROW, in.a),
					y = truth(w, ROW, in.b);
		const bool	decided = x == decisive || y == decisive;

		set_truth(ROW, in.dst, decided ? decisive : !decisive);
		set_null(ROW, in.dst, !decided && (x == 2 || y == 2));
	}
}

/* NOT, IS [NOT] NULL, IS TRUE, IS FALSE, IS UNKNOWN */
DEVICE_FUNCTION void
run_test(const Work &w, Row (&rows)[ROWS], const DeviceInstr &in)
{
	FOR_ROWS(rows)
	{
		const bool	null = is_null(w, ROW, in.a);
		bool		value = null;

		if (in.op == OP_IS_NOT_NULL)
			value = !null;
		else if (in.op == OP_NOT || in.op == OP_IS_FALSE)
			value = truth(w, ROW, in.a) == 0;
		else if (in.op == OP_IS_TRUE)
			value = truth(w, ROW, in.a) == 1;
		set_truth(ROW, in.dst, value);
		set_null(ROW, in.dst, in.op == OP_NOT && null);
	}
}

DEVICE_FUNCTION void
run_select(const Work &w, Row (&rows)[ROWS], const DeviceInstr &in)
{
	FOR_ROWS(rows)
	{
		uint32_t	from;
		bool		null;

		if (ROW.status != ROW_LIVE)
			continue;
		from = truth(w, ROW, in.a) == 1 ? in.b : in.c;
		null = is_null(w, ROW, from);
		if (!null)
		{
			if (in.kind == VALUE_BOOL)
				set_truth(ROW, in.dst, truth(w, ROW, from) == 1);
			else if (in.kind == VALUE_NUMERIC)
				Kind<VALUE_NUMERIC>::set(w, ROW, slot, in.dst, Kind<VALUE_NUMERIC>::get(w, ROW, slot, from));
			else
				set_lo(w, slot, in.dst, in.kind == VALUE_TEXT ? get_packed_text(w, slot, from) : get_lo(w, slot, from));
		}
		set_null(ROW, in.dst, null);
	}
}

/* Keep the rows for which a is true; false when no row of the warp is left. */
DEVICE_FUNCTION bool
run_filter(const Work &w, Row (&rows)[ROWS], const DeviceInstr &in)
{
	bool		live = false;

	FOR_ROWS(rows)
	{
		if (ROW.status != ROW_LIVE)
			continue;
		if (truth(w, ROW, in.a) == 1)
			live = true;
		else
			ROW.status = DEVICE_ROW_FILTERED;
	}
	return __any_sync(WHOLE_WARP, live);
}

/* Run the program over the rows in work; whole warps come here. */
DEVICE_FUNCTION void
run_program(const Work &w, Row (&rows)[ROWS])
{
	const DeviceInstr *instrs = DEVICE_SECTION(w.plan, DeviceInstr, w.plan->instrs);
	const uint32_t n = w.plan->ninstrs;
	uint32_t	depth = 0;

	NO_UNROLL
	for (uint32_t k = 0; k < n; k++)
	{
		const DeviceInstr in = instrs[k];

		switch (in.op)
		{
			case OP_LOAD:
				run_load(w, rows, in);
				break;
			case OP_FILTER:
				if (!run_filter(w, rows, in))
					return;
				break;
			case OP_MASK_TRUE:
			case OP_MASK_NOT_TRUE:
			case OP_MASK_NOT_FALSE:
			case OP_MASK_NULL:
				run_mask(w, rows, in, depth++);
				break;
			case OP_MASK_END:
				depth--;
				break;
			case OP_AND:
			case OP_OR:
				run_and_or(w, rows, in);
				break;
			case OP_NOT:
			case OP_IS_NULL:
			case OP_IS_NOT_NULL:
			case OP_IS_TRUE:
			case OP_IS_FALSE:
			case OP_IS_UNKNOWN:
				run_test(w, rows, in);
				break;
			case OP_SELECT:
				run_select(w, rows, in);
				break;
#define OP(id, nargs, kinds, kr, may_fail, cost, engines, condition, functions, body) \
			case OP_##id: \
				HERE_##engines(EVAL(nargs, EVAL_FIRST kinds, EVAL_SECOND kinds, EVAL_THIRD kinds, kr, may_fail, body)) \
				break;
#define TEXT_OP(...)
#include "program/ops.def"
#undef OP
		}
	}
}

#endif							/* GPUSCAN_CUDA_EVAL_CUH */
