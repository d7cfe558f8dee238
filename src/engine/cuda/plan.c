/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Make a program ready for the device.
 *
 * Registers are what is scarce there: they lie in a block's shared memory.  So
 * they are given out anew, by kind: numerics take two words and a scale, other
 * values one, booleans a bit of the row.  Code is straight, so a register is
 * needed from its one definition to its last use; what keys and aggregates
 * read is needed to the end.  A result may take the register of an operand
 * that is used for the last time.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "engine/cuda/plan.h"
#include "engine/cuda/plan_groups.h"
#include "program/numeric.h"

#define UNKNOWN_SCALE	(-1)
#define DEFAULT_SCALE	16		/* of sums over numerics without a declared scale */

typedef struct Lowering
{
	const Program *program;
	const ProgramValue *params;
	char	   *out;
	uint32_t	room;
	uint32_t	at;				/* bytes used, also those that found no room */
	const char *why;

	uint32_t	last_use[PROGRAM_MAX_REGS]; /* instruction, or ninstrs: to the end */
	uint8_t		place[PROGRAM_MAX_REGS];	/* in its class, then its number */
	int8_t		scale[PROGRAM_MAX_REGS];	/* numerics: largest they may have */
	uint64_t	in_use[3];		/* by class */
	uint32_t	peak[3];

	uint16_t	param_of[DEVICE_MAX_UNIFORMS];	/* by uniform */
	uint8_t		kind_of[DEVICE_MAX_UNIFORMS];
	uint32_t	nuniforms;
	uint8_t		uniform[PROGRAM_MAX_REGS];	/* by uniform register */

	DevicePlan	plan;
} Lowering;

enum
{
	CLASS_WIDE, CLASS_STORED, CLASS_BOOL
};

static int
class_of(uint8_t kind)
{
	return kind == VALUE_NUMERIC ? CLASS_WIDE : kind == VALUE_BOOL ? CLASS_BOOL : CLASS_STORED;
}

/* Room for a section; NULL when there is none (and 'at' says how much it takes). */
static void *
take(Lowering *l, size_t size, uint32_t *offset)
{
	uint32_t	at = (l->at + 7) & ~7u;

	if (size > UINT32_MAX / 4 || at > UINT32_MAX / 4)
	{
		l->why = "too large for a device";
		return NULL;
	}
	l->at = at + (uint32_t) size;
	*offset = at;
	if (l->at > l->room)
	{
		l->why = "too large for a device";
		return NULL;
	}
	return memset(l->out + at, 0, size);
}

/* ------------------------------------------------------------------------
 * Uniforms
 * ------------------------------------------------------------------------
 */

/* The uniform for a parameter; DEVICE_MAX_UNIFORMS when there are too many. */
static uint32_t
uniform_for(Lowering *l, uint16_t param, uint8_t kind)
{
	uint32_t	u;

	for (u = 0; u < l->nuniforms; u++)
		if (l->param_of[u] == param)
			return u;
	if (u == DEVICE_MAX_UNIFORMS)
	{
		l->why = "too many parameters for a device";
		return u;
	}
	l->param_of[u] = param;
	l->kind_of[u] = kind;
	l->nuniforms++;
	return u;
}

static bool
collect_uniforms(Lowering *l)
{
	const Program *program = l->program;

	for (uint32_t r = 0; r < program->nregs; r++)
	{
		const ProgramReg *reg = &program_regs(program)[r];

		if (!reg->uniform)
			continue;
		l->uniform[r] = (uint8_t) uniform_for(l, reg->param, reg->kind);
		if (l->uniform[r] == DEVICE_MAX_UNIFORMS)
			return false;
	}
	for (uint32_t a = 0; a < program->nattrs; a++)
	{
		const ProgramAttr *attr = &program_attrs(program)[a];

		if (attr->missing != PROGRAM_NO_REG &&
			uniform_for(l, attr->missing, gpuscan_type_info[attr->type].kind) == DEVICE_MAX_UNIFORMS)
			return false;
	}
	return true;
}

static bool
put_uniforms(Lowering *l)
{
	uint32_t	offset;
	DeviceUniform *out = take(l, l->nuniforms * sizeof(DeviceUniform), &offset);

	if (!out)
		return false;
	l->plan.uniforms = offset;
	l->plan.nuniforms = (uint16_t) l->nuniforms;
	for (uint32_t u = 0; u < l->nuniforms; u++)
	{
		const ProgramValue *value = l->params ? &l->params[l->param_of[u]] : NULL;
		char	   *bytes;

		out[u].kind = l->kind_of[u];
		out[u].null = !value || value->null;
		if (out[u].null)
			continue;
		switch (l->kind_of[u])
		{
			case VALUE_TEXT:
				bytes = take(l, value->len, &offset);
				if (!bytes)
					return false;
				if (value->len > 0)
					memcpy(bytes, value->u.ptr, value->len);
				out[u].lo = offset;
				out[u].len = value->len;
				break;
			case VALUE_NUMERIC:
				out[u].lo = value->u.numeric.lo;
				out[u].hi = (uint64_t) value->u.numeric.hi;
				out[u].scale = (uint8_t) value->scale;
				break;
			case VALUE_BOOL:
				out[u].lo = value->u.integer != 0;
				break;
			case VALUE_INT32:
				out[u].lo = (uint64_t) (int64_t) (int32_t) value->u.integer;
				break;
			default:
				out[u].lo = (uint64_t) value->u.integer;
				break;
		}
	}
	return true;
}

/* ------------------------------------------------------------------------
 * Registers
 * ------------------------------------------------------------------------
 */

static void
note_use(Lowering *l, uint16_t reg, uint32_t when)
{
	l->last_use[reg] = when;
}

static void
find_last_uses(Lowering *l)
{
	const Program *program = l->program;

	for (uint32_t k = 0; k < program->ninstrs; k++)
	{
		const ProgramInstr *instr = &program_instrs(program)[k];
		const uint16_t args[3] = {instr->a, instr->b, instr->c};

		/* what nobody reads ends where it is made */
		if (instr->dst != PROGRAM_NO_REG)
			note_use(l, instr->dst, k);
		for (int i = 0; i < gpuscan_op_info[instr->op].nargs && instr->op != OP_LOAD; i++)
			note_use(l, args[i], k);
	}
	for (uint32_t i = 0; i < program->nkeys; i++)
		note_use(l, program_keys(program)[i].reg, program->ninstrs);
	for (uint32_t i = 0; i < program->naggs; i++)
	{
		const ProgramAgg *agg = &program_aggs(program)[i];

		if (agg->arg != PROGRAM_NO_REG)
			note_use(l, agg->arg, program->ninstrs);
		if (agg->filter != PROGRAM_NO_REG)
			note_use(l, agg->filter, program->ninstrs);
	}
}

static void
give_back(Lowering *l, uint16_t reg, uint32_t when)
{
	const ProgramReg *info = &program_regs(l->program)[reg];

	if (!info->uniform && l->last_use[reg] == when)
		l->in_use[class_of(info->kind)] &= ~(UINT64_C(1) << l->place[reg]);
}

/* Give each register its place in its class. */
static bool
allocate(Lowering *l)
{
	const Program *program = l->program;

	for (uint32_t k = 0; k < program->ninstrs; k++)
	{
		const ProgramInstr *instr = &program_instrs(program)[k];
		const uint16_t args[3] = {instr->a, instr->b, instr->c};

		for (int i = 0; i < gpuscan_op_info[instr->op].nargs && instr->op != OP_LOAD; i++)
			give_back(l, args[i], k);
		if (instr->dst != PROGRAM_NO_REG)
		{
			int			class = class_of(program_regs(program)[instr->dst].kind);
			uint32_t	place;

			if (~l->in_use[class] == 0)
			{
				l->why = "too many registers for a device";
				return false;
			}
			place = (uint32_t) __builtin_ctzll(~l->in_use[class]);
			l->in_use[class] |= UINT64_C(1) << place;
			l->place[instr->dst] = (uint8_t) place;
			if (l->peak[class] < place + 1)
				l->peak[class] = place + 1;
			give_back(l, instr->dst, k);
		}
	}
	if (l->peak[0] + l->peak[1] + l->peak[2] > DEVICE_MAX_REGS)
	{
		l->why = "too many registers for a device";
		return false;
	}
	l->plan.nwide = (uint16_t) l->peak[CLASS_WIDE];
	l->plan.nstored = (uint16_t) (l->peak[CLASS_WIDE] + l->peak[CLASS_STORED]);
	l->plan.nregs = (uint16_t) (l->plan.nstored + l->peak[CLASS_BOOL]);
	return true;
}

/* A register of the program as an operand of the plan. */
static uint8_t
operand(const Lowering *l, uint16_t reg)
{
	const ProgramReg *info = &program_regs(l->program)[reg];
	int			class = class_of(info->kind);

	if (info->uniform)
		return (uint8_t) (DEVICE_UNIFORM | l->uniform[reg]);
	return (uint8_t) (l->place[reg] + (class == CLASS_WIDE ? 0 : class == CLASS_STORED ? l->plan.nwide : l->plan.nstored));
}

/* ------------------------------------------------------------------------
 * Scales: how many decimals a sum needs
 * ------------------------------------------------------------------------
 */

static int8_t
larger_scale(int8_t a, int8_t b)
{
	return a == UNKNOWN_SCALE || b == UNKNOWN_SCALE ? UNKNOWN_SCALE : a > b ? a : b;
}

/* A parameter says so: as a scale, or as the typmod of numeric(p,s) */
static int8_t
uniform_scale(const Lowering *l, uint16_t reg, bool typmod)
{
	const ProgramReg *info = &program_regs(l->program)[reg];
	const ProgramValue *value = info->uniform && l->params ? &l->params[info->param] : NULL;
	int64_t		scale;

	if (!value || value->null || (typmod && !NUMERIC_TYPMOD_IS_VALID(value->u.integer)))
		return UNKNOWN_SCALE;
	scale = typmod ? NUMERIC_TYPMOD_SCALE(value->u.integer) : value->u.integer;
	return scale > NUMERIC_SCALE_MAX ? UNKNOWN_SCALE : scale < 0 ? 0 : (int8_t) scale;
}

static int8_t
scale_after(const Lowering *l, const ProgramInstr *instr)
{
	const int8_t a = l->scale[instr->a];

	switch (instr->op)
	{
		case OP_LOAD:
			return program_attrs(l->program)[instr->a].scale;
		case OP_SELECT:
			return larger_scale(l->scale[instr->b], l->scale[instr->c]);
		case OP_INT64_TO_NUMERIC:
			return 0;
		case OP_SCALED_NUMERIC:
			return uniform_scale(l, instr->b, false);
		case OP_COERCE_NUMERIC:
			return uniform_scale(l, instr->b, true);
		case OP_NEG_NUMERIC:
		case OP_ABS_NUMERIC:
			return a;
		case OP_SIGN_NUMERIC:
		case OP_CEIL_NUMERIC:
		case OP_FLOOR_NUMERIC:
		case OP_DIV_NUMERIC:
			return 0;
		case OP_ROUND_NUMERIC:
		case OP_TRUNC_NUMERIC:
			return uniform_scale(l, instr->b, false);
		case OP_MOD_NUMERIC:
			return larger_scale(a, l->scale[instr->b]);
		case OP_ADD_NUMERIC:
		case OP_SUB_NUMERIC:
			return larger_scale(a, l->scale[instr->b]);
		case OP_MUL_NUMERIC:
			if (a == UNKNOWN_SCALE || l->scale[instr->b] == UNKNOWN_SCALE)
				return UNKNOWN_SCALE;
			return a + l->scale[instr->b] > NUMERIC_SCALE_MAX ? NUMERIC_SCALE_MAX : (int8_t) (a + l->scale[instr->b]);
		default:
			return UNKNOWN_SCALE;
	}
}

static void
find_scales(Lowering *l)
{
	const Program *program = l->program;

	for (uint32_t r = 0; r < program->nregs; r++)
	{
		const ProgramReg *reg = &program_regs(program)[r];

		if (!reg->uniform || reg->kind != VALUE_NUMERIC)
			continue;
		l->scale[r] = !l->params ? UNKNOWN_SCALE :
			l->params[reg->param].null ? 0 : (int8_t) l->params[reg->param].scale;
	}
	for (uint32_t k = 0; k < program->ninstrs; k++)
	{
		const ProgramInstr *instr = &program_instrs(program)[k];

		if (instr->dst != PROGRAM_NO_REG && program_regs(program)[instr->dst].kind == VALUE_NUMERIC)
			l->scale[instr->dst] = scale_after(l, instr);
	}
}

/* ------------------------------------------------------------------------
 * Sections
 * ------------------------------------------------------------------------
 */

static bool
put_instrs(Lowering *l)
{
	const Program *program = l->program;
	DeviceInstr *out = take(l, program->ninstrs * sizeof(DeviceInstr), &l->plan.instrs);

	if (!out)
		return false;
	l->plan.ninstrs = program->ninstrs;
	for (uint32_t k = 0; k < program->ninstrs; k++)
	{
		const ProgramInstr *instr = &program_instrs(program)[k];
		int			nargs = instr->op == OP_LOAD ? 0 : gpuscan_op_info[instr->op].nargs;

		if (!(gpuscan_op_info[instr->op].engines & ENGINE_CUDA))
		{
			l->why = "an operator that is not for a device";
			return false;
		}
		out[k].op = instr->op;
		out[k].dst = instr->dst == PROGRAM_NO_REG ? DEVICE_NO_REG : operand(l, instr->dst);
		out[k].a = nargs > 0 ? operand(l, instr->a) : 0;
		out[k].b = nargs > 1 ? operand(l, instr->b) : 0;
		out[k].c = nargs > 2 ? operand(l, instr->c) : 0;
		out[k].kind = program_regs(program)[instr->dst != PROGRAM_NO_REG ? instr->dst : nargs > 0 ? instr->a : 0].kind;
		if (instr->dst == PROGRAM_NO_REG && nargs == 0)
			out[k].kind = VALUE_BOOL;	/* MASK_END */
		if (instr->op == OP_IS_NULL || instr->op == OP_IS_NOT_NULL)
			out[k].kind = program_regs(program)[instr->a].kind;
		if (instr->op == OP_LOAD)
		{
			out[k].wide = instr->a;
			out[k].a = (uint8_t) instr->a;
			out[k].b = instr->b == LOAD_STORED ? LOAD_STORED : 0;
		}
	}
	return true;
}

static bool
put_attrs(Lowering *l)
{
	const Program *program = l->program;
	ProgramAttr *attrs = take(l, program->nattrs * sizeof(ProgramAttr), &l->plan.attrs);
	ProgramLayout *layout = attrs ? take(l, program->nlayout * sizeof(ProgramLayout), &l->plan.layout) : NULL;

	if (!layout)
		return false;
	l->plan.nattrs = program->nattrs;
	l->plan.nlayout = program->nlayout;
	for (uint32_t a = 0; a < program->nattrs; a++)
	{
		attrs[a] = program_attrs(program)[a];
		if (attrs[a].missing != PROGRAM_NO_REG)
			attrs[a].missing = (uint16_t) uniform_for(l, attrs[a].missing, gpuscan_type_info[attrs[a].type].kind);
	}
	if (program->nlayout > 0)
		memcpy(layout, program_layout(program), program->nlayout * sizeof *layout);
	return true;
}

/* Keys and aggregates, and the record that they make. */
static bool
put_groups(Lowering *l)
{
	const Program *program = l->program;
	DeviceKey  *keys = take(l, program->nkeys * sizeof(DeviceKey), &l->plan.keys);
	DeviceAgg  *aggs = keys ? take(l, program->naggs * sizeof(DeviceAgg), &l->plan.aggs) : NULL;
	uint32_t	words = program->nkeys > 0 ? 1 : 0;
	uint32_t	at = DEVICE_RECORD_HEAD;

	if (!aggs)
		return false;
	l->plan.grouped = program->grouped;
	l->plan.nkeys = program->nkeys;
	l->plan.naggs = program->naggs;
	for (uint32_t k = 0; k < program->nkeys; k++)
	{
		const ProgramKey *key = &program_keys(program)[k];

		keys[k].operand = operand(l, key->reg);
		keys[k].type = key->type;
		keys[k].word = (uint8_t) words;
		keys[k].nwords = gpuscan_type_info[key->type].kind == VALUE_TEXT ? DEVICE_KEY_WORDS : 1;
		words += keys[k].nwords;
		if (key->type == TYPE_NUMERIC || gpuscan_type_info[key->type].kind == VALUE_FLOAT64)
		{
			keys[k].scale_at = at;
			at += 8;
		}
	}
	for (uint32_t a = 0; a < program->naggs; a++)
	{
		const ProgramAgg *agg = &program_aggs(program)[a];

		if (!(gpuscan_agg_info[agg->kind].engines & ENGINE_CUDA))
		{
			l->why = "an aggregate that is not for a device";
			return false;
		}
		aggs[a].kind = agg->kind;
		aggs[a].operand = agg->arg == PROGRAM_NO_REG ? DEVICE_NO_REG : operand(l, agg->arg);
		aggs[a].filter = agg->filter == PROGRAM_NO_REG ? DEVICE_NO_REG : operand(l, agg->filter);
		if (agg->kind == AGG_SUM_NUMERIC)
			aggs[a].scale = (uint8_t) (l->scale[agg->arg] == UNKNOWN_SCALE ? DEFAULT_SCALE : l->scale[agg->arg]);
		l->plan.candidates += agg->kind == AGG_MIN_NUMERIC || agg->kind == AGG_MAX_NUMERIC;
		aggs[a].missing_at = at;
		aggs[a].state_at = at + 8;
		at += 8 + gpuscan_device_state_size(agg->kind);
	}
	l->plan.nwords = (uint16_t) words;
	l->plan.record_at = words * 8;
	l->plan.group_size = l->plan.record_at + at;
	return true;
}

/* A group that nothing has entered. */
static bool
put_empty(Lowering *l)
{
	uint64_t   *group = take(l, l->plan.group_size, &l->plan.empty);

	if (!group)
		return false;
	memcpy(l->out, &l->plan, sizeof l->plan);
	gpuscan_device_empty_group((const DevicePlan *) l->out, group);
	return true;
}

uint32_t
gpuscan_device_plan(const Program *program, const ProgramValue *params, void *out, uint32_t room, const char **why)
{
	Lowering	l;

	memset(&l, 0, sizeof l);
	l.program = program;
	l.params = params;
	l.out = out;
	l.room = room;
	l.at = sizeof(DevicePlan);
	find_last_uses(&l);
	find_scales(&l);
	if (room < sizeof(DevicePlan))
		l.why = "too large for a device";
	else if (program->nsupplied > 0)
		l.why = "a column that the host computes";
	else if (collect_uniforms(&l) && allocate(&l) && put_uniforms(&l) && put_instrs(&l) && put_attrs(&l) &&
			 put_groups(&l) && put_empty(&l))
	{
		l.at = (l.at + 7) & ~7u;
		if (l.at <= room)
		{
			l.plan.magic = DEVICE_PLAN_MAGIC;
			l.plan.size = l.at;
			memcpy(out, &l.plan, sizeof l.plan);
			return l.at;
		}
		l.why = "too large for a device";
	}
	*why = l.why;
	return 0;
}
