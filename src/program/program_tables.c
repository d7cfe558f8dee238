/*-------------------------------------------------------------------------
 *
 * program_tables.c
 *	  Static facts about operators, aggregate states and types, expanded from
 *	  the .def files.
 *
 * Includes nothing of PostgreSQL: the lists of PostgreSQL's functions in
 * ops.def and aggs.def are expanded by offload/ alone.
 *
 *-------------------------------------------------------------------------
 */
#include "program/program.h"

#define KINDS(...) {__VA_ARGS__}

const ProgramOpInfo gpuscan_op_info[PROGRAM_OPS] = {
	/* structural: {name, nargs, kinds, result, may fail, engines, condition, cost} */
	[OP_LOAD] = {"LOAD", 0, {0, 0, 0}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 2},
	[OP_FILTER] = {"FILTER", 1, {VALUE_BOOL, 0, 0}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_MASK_TRUE] = {"MASK_TRUE", 1, {VALUE_BOOL, 0, 0}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_MASK_NOT_TRUE] = {"MASK_NOT_TRUE", 1, {VALUE_BOOL, 0, 0}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_MASK_NOT_FALSE] = {"MASK_NOT_FALSE", 1, {VALUE_BOOL, 0, 0}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_MASK_NULL] = {"MASK_NULL", 1, {VALUE_KINDS, 0, 0}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_MASK_END] = {"MASK_END", 0, {0, 0, 0}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 0},
	[OP_AND] = {"AND", 2, {VALUE_BOOL, VALUE_BOOL, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_OR] = {"OR", 2, {VALUE_BOOL, VALUE_BOOL, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_NOT] = {"NOT", 1, {VALUE_BOOL, 0, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_IS_NULL] = {"IS_NULL", 1, {VALUE_KINDS, 0, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_IS_NOT_NULL] = {"IS_NOT_NULL", 1, {VALUE_KINDS, 0, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_IS_TRUE] = {"IS_TRUE", 1, {VALUE_BOOL, 0, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_IS_FALSE] = {"IS_FALSE", 1, {VALUE_BOOL, 0, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_IS_UNKNOWN] = {"IS_UNKNOWN", 1, {VALUE_BOOL, 0, 0}, VALUE_BOOL, 0, ENGINE_ALL, CONDITION_ANY, 1},
	[OP_SELECT] = {"SELECT", 3, {VALUE_BOOL, VALUE_KINDS, VALUE_KINDS}, VALUE_KINDS, 0, ENGINE_ALL, CONDITION_ANY, 1},
#define OP(id, nargs, kinds, result, may_fail, cost, engines, condition, functions, body) \
	[OP_##id] = {#id, nargs, KINDS kinds, result, may_fail, engines, condition, cost},
#include "program/ops.def"
#undef OP
};

const ProgramAggInfo gpuscan_agg_info[PROGRAM_AGG_KINDS] = {
#define AGG_STATE(id, arg, cost, engines, condition) \
	[AGG_##id] = {#id, arg, engines, condition, cost},
#include "program/aggs.def"
#undef AGG_STATE
};

const ProgramTypeInfo gpuscan_type_info[PROGRAM_TYPES] = {
#define TYPE(id, name, oid, kind, attlen, attalign) \
	[TYPE_##id] = {name, oid, kind, attlen, attalign},
#include "program/types.def"
#undef TYPE
};
