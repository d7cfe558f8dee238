/*-------------------------------------------------------------------------
 *
 * tables.h
 *	  From PostgreSQL's functions, aggregates and types to lines of the tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GPUSCAN_OFFLOAD_TABLES_H
#define GPUSCAN_OFFLOAD_TABLES_H

#include "program/program.h"

/* The operator for a built-in function, or PROGRAM_OPS. */
extern ProgramOp gpuscan_op_of_function(Oid funcid);
extern ProgramOp gpuscan_op_after(Oid funcid, ProgramOp op);

/* The state for a built-in aggregate, or PROGRAM_AGG_KINDS. */
extern ProgramAggKind gpuscan_agg_of_function(Oid aggfnoid);

/* The type for an SQL type or a domain over it, or PROGRAM_TYPES. */
extern ProgramType gpuscan_type_of(Oid type);

/*
 * The n-th thing that the tables name: a function ("function"), an aggregate
 * ("aggregate") or a type ("type").  False when there are no more.
 */
extern bool gpuscan_offload_listed(uint64 n, const char **kind, Oid *object, int *engines, int *condition);

#endif							/* GPUSCAN_OFFLOAD_TABLES_H */
