/*-------------------------------------------------------------------------
 *
 * expr.h
 *	  The walker and what it asks of its neighbours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_OFFLOAD_EXPR_H
#define GPUSCAN_OFFLOAD_EXPR_H

#include "offload/builder.h"

/* expr.c: the register with the value of an expression, or PROGRAM_NO_REG. */
extern uint16 gpuscan_offload_expr(Builder *b, Node *node);
extern uint16 gpuscan_offload_null(Builder *b, Node *node);

/* branches.c: AND, OR, CASE, COALESCE and their kin. */
extern uint16 gpuscan_offload_branches(Builder *b, Node *node);
/* ... an arm of them, computed only for rows that the mask lets through */
extern uint16 gpuscan_offload_masked(Builder *b, ProgramOp mask, uint16 reg, Node *arm);
extern uint16 gpuscan_offload_array_op(Builder *b, ScalarArrayOpExpr *saop);
/* expr.c: an operator or function over registers that are there already. */
extern uint16 gpuscan_offload_call(Builder *b, Oid funcid, Oid collation, int nargs,
								   const uint16 *args, const Oid *types);

/* expr.c: does a line's condition hold?  If not, that is the refusal. */
extern bool gpuscan_offload_holds(Builder *b, int condition, Oid collation);

/* constants.c */
extern uint16 gpuscan_offload_const(Builder *b, Const *con);
extern uint16 gpuscan_offload_uniform(Builder *b, Node *node);
extern uint16 gpuscan_offload_widen(Builder *b, uint16 reg, Oid type, ValueKind kind);
extern Node *gpuscan_offload_date_comparison(Oid funcid, Node *left, Node *right, Oid *date_func);

/*
 * datetime.c: extract, date_trunc, dates and timestamps plus or minus an
 * interval, casts to and from the session's time zone.  False when funcid is none of these; else *reg is the result or
 * PROGRAM_NO_REG.
 */
extern bool gpuscan_offload_datetime(Builder *b, Oid funcid, List *args, uint16 *reg);
/* ... is the first argument a field that these functions have? */
extern bool gpuscan_offload_field_is_known(Oid funcid, Node *field);

/* ... the name of a field by its number (DatetimeField), or NULL */
extern const char *gpuscan_offload_field_name(int64 field);

/* ... a timestamp with time zone, of a register with a timestamp or a date in the session's zone */
extern uint16 gpuscan_offload_zoned(Builder *b, uint16 reg, Oid type);

/* ... a timestamp with time zone as the session's zone has it */
extern uint16 gpuscan_offload_local_time(Builder *b, uint16 reg);

/* to_char.c: to_char of a timestamp, with or without time zone */
extern uint16 gpuscan_offload_to_char(Builder *b, Oid funcid, Node *arg, Node *format);

/*
 * text.c: functions that become several steps (ILIKE, concat and their kin), and
 * casts by way of text.  False when funcid is none of these.
 */
extern bool gpuscan_offload_text(Builder *b, Oid funcid, Oid collation, List *args, uint16 *reg);
extern uint16 gpuscan_offload_coerce_via_io(Builder *b, CoerceViaIO *coerce);
/* ... the LIKE that an ILIKE is of texts in lower case, or InvalidOid */
extern Oid gpuscan_offload_like_of(Oid ilike);
/* ... lower() of a register; node: the expression in it, or NULL where that need not be asked */
extern uint16 gpuscan_offload_lower(Builder *b, Node *node, uint16 reg, Oid collation);

/* expr.c: a bpchar with its trailing blanks, and functions that look at those of their first argument */
extern uint16 gpuscan_offload_stored_bpchar(Builder *b, Node *node);
extern bool gpuscan_wants_stored_bpchar(Oid funcid);

/* letters.c: do lower() and upper() of this collation map ASCII as C does? */
extern bool gpuscan_collation_maps_ascii(Oid collation);

/* safety.c */
extern bool gpuscan_offload_is_uniform(Node *node);
extern bool gpuscan_function_cannot_fail(Oid funcid);

#endif							/* GPUSCAN_OFFLOAD_EXPR_H */
