/*-------------------------------------------------------------------------
 *
 * plan_verify.c
 *	  Check a plan, and a job, before a kernel runs over them.
 *
 * They come from another process.  Kernels index registers, attributes,
 * uniforms and records without looking; what is checked here keeps every
 * access within the plan, the job, shared memory and the table of groups.
 * Nothing is relied on but the block and its size:
 *
 *	- sections lie within the block, aligned to eight bytes
 *	- registers are read only after they were written, as what they were
 *	  written, and a numeric's are of those that have room for it
 *	- a text lies in the plan or, loaded, in its row
 *	- keys and aggregates lie in a group just as plan.c puts them
 *	- a group begins as plan.c says
 *
 * Includes nothing of PostgreSQL.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "engine/cuda/plan.h"
#include "engine/cuda/plan_groups.h"

#define UNWRITTEN	UINT8_MAX

/* words of all keys, flags included, and the longest record */
#define MAX_GROUP_WORDS \
	(1 + PROGRAM_MAX_KEYS * DEVICE_KEY_WORDS + \
	 DEVICE_RECORD_HEAD / 8 + PROGRAM_MAX_KEYS + PROGRAM_MAX_AGGS * (1 + sizeof(DeviceNumericState) / 8))

typedef struct Verifier
{
	const DevicePlan *plan;
	const DeviceUniform *uniforms;
	uint8_t		kind[DEVICE_MAX_REGS];	/* as last written, or UNWRITTEN */
} Verifier;

static bool
section_fits(uint32_t offset, uint32_t count, size_t element, uint32_t size)
{
	return offset >= sizeof(DevicePlan) && offset % 8 == 0 &&
		(uint64_t) offset + (uint64_t) count * element <= size;
}

static const char *
check_header(const DevicePlan *plan, uint32_t size)
{
	if (plan == NULL || (uintptr_t) plan % 8 != 0)
		return "plan is not aligned";
	if (size < sizeof(DevicePlan))
		return "plan is shorter than its header";
	if (plan->magic != DEVICE_PLAN_MAGIC)
		return "not a plan";
	if (plan->size != size || size > INT32_MAX)
		return "plan is not as large as it says";
	if (plan->nregs > DEVICE_MAX_REGS || plan->nstored > plan->nregs || plan->nwide > plan->nstored)
		return "registers out of range";
	if (plan->nuniforms > DEVICE_MAX_UNIFORMS)
		return "too many uniforms";
	if (plan->ninstrs > PROGRAM_MAX_INSTRS)
		return "too many instructions";
	if (plan->nattrs > PROGRAM_MAX_ATTRS || plan->nlayout > PROGRAM_MAX_ATTRS)
		return "too many attributes";
	if (plan->nkeys > PROGRAM_MAX_KEYS)
		return "too many keys";
	if (plan->naggs > PROGRAM_MAX_AGGS)
		return "too many aggregates";
	if (plan->grouped > 1)
		return "grouped is neither yes nor no";
	if (!plan->grouped && (plan->nkeys > 0 || plan->naggs > 0))
		return "keys or aggregates without groups";
	if (!section_fits(plan->instrs, plan->ninstrs, sizeof(DeviceInstr), size) ||
		!section_fits(plan->attrs, plan->nattrs, sizeof(ProgramAttr), size) ||
		!section_fits(plan->layout, plan->nlayout, sizeof(ProgramLayout), size) ||
		!section_fits(plan->uniforms, plan->nuniforms, sizeof(DeviceUniform), size) ||
		!section_fits(plan->keys, plan->nkeys, sizeof(DeviceKey), size) ||
		!section_fits(plan->aggs, plan->naggs, sizeof(DeviceAgg), size) ||
		!section_fits(plan->empty, plan->group_size, 1, size))
		return "a section leaves the plan";
	return NULL;
}

static const char *
check_uniforms(const Verifier *v)
{
	for (uint32_t i = 0; i < v->plan->nuniforms; i++)
	{
		const DeviceUniform *u = &v->uniforms[i];

		if (u->kind >= VALUE_KINDS)
			return "uniform of unknown kind";
		if (u->scale > NUMERIC_SCALE_MAX)
			return "uniform of a scale out of range";
		if (u->kind == VALUE_TEXT && (u->lo > v->plan->size || u->len > v->plan->size - u->lo))
			return "text leaves the plan";
	}
	return NULL;
}

static const char *
check_attrs(const Verifier *v)
{
	const ProgramAttr *attrs = DEVICE_SECTION(v->plan, ProgramAttr, v->plan->attrs);
	const ProgramLayout *layout = DEVICE_SECTION(v->plan, ProgramLayout, v->plan->layout);

	for (uint32_t i = 0; i < v->plan->nlayout; i++)
	{
		if (layout[i].attlen == 0 || layout[i].attlen < -2)
			return "layout has an unknown length";
		if (layout[i].attalign != 1 && layout[i].attalign != 2 && layout[i].attalign != 4 && layout[i].attalign != 8)
			return "layout has an unknown alignment";
	}
	for (uint32_t i = 0; i < v->plan->nattrs; i++)
	{
		const ProgramAttr *attr = &attrs[i];
		const ProgramTypeInfo *type;

		if (attr->type >= PROGRAM_TYPES)
			return "attribute of unknown type";
		if (attr->attnum < 1 || (i > 0 && attr->attnum <= attrs[i - 1].attnum))
			return "attributes do not ascend";
		if (attr->attnum > v->plan->nlayout)
			return "attribute beyond the layout";
		type = &gpuscan_type_info[attr->type];
		if (type->attlen != 0 &&
			(layout[attr->attnum - 1].attlen != type->attlen || layout[attr->attnum - 1].attalign != type->attalign))
			return "attribute does not lie as its type says";
		if (attr->missing != PROGRAM_NO_REG &&
			(attr->missing >= v->plan->nuniforms || v->uniforms[attr->missing].kind != type->kind))
			return "attribute's missing value is not there";
	}
	return NULL;
}

/* An operand that is read: VALUE_KINDS: of any kind. */
static const char *
check_read(const Verifier *v, uint8_t operand, uint8_t kind)
{
	uint8_t		has;

	if (operand & DEVICE_UNIFORM)
	{
		if ((operand & ~DEVICE_UNIFORM) >= v->plan->nuniforms)
			return "uniform out of range";
		has = v->uniforms[operand & ~DEVICE_UNIFORM].kind;
	}
	else
	{
		if (operand >= v->plan->nregs)
			return "register out of range";
		has = v->kind[operand];
		if (has == UNWRITTEN)
			return "register read before it is written";
	}
	return kind != VALUE_KINDS && kind != has ? "operand of the wrong kind" : NULL;
}

static const char *
check_write(Verifier *v, uint8_t reg, uint8_t kind)
{
	if (reg >= (kind == VALUE_NUMERIC ? v->plan->nwide : kind == VALUE_BOOL ? v->plan->nregs : v->plan->nstored))
		return "register out of range";
	v->kind[reg] = kind;
	return NULL;
}

static const char *
check_instr(Verifier *v, const DeviceInstr *in, uint32_t *depth)
{
	const uint8_t args[3] = {in->a, in->b, in->c};
	const ProgramOpInfo *info;
	const char *wrong;
	uint8_t		result;

	if (in->op >= PROGRAM_OPS)
		return "unknown operator";
	info = &gpuscan_op_info[in->op];
	if (!(info->engines & ENGINE_CUDA))
		return "an operator that is not for a device";
	result = info->result;
	for (int i = 0; i < info->nargs && in->op != OP_LOAD; i++)
		if ((wrong = check_read(v, args[i], info->args[i])) != NULL)
			return wrong;
	switch (in->op)
	{
		case OP_LOAD:
			if (in->wide >= v->plan->nattrs)
				return "attribute out of range";
			result = gpuscan_type_info[DEVICE_SECTION(v->plan, ProgramAttr, v->plan->attrs)[in->wide].type].kind;
			break;
		case OP_FILTER:
			if (*depth > 0)
				return "filter under a mask";
			break;
		case OP_MASK_TRUE:
		case OP_MASK_NOT_TRUE:
		case OP_MASK_NOT_FALSE:
		case OP_MASK_NULL:
			if (++*depth > PROGRAM_MAX_MASKS)
				return "masks nest too deeply";
			break;
		case OP_MASK_END:
			if (*depth == 0)
				return "mask closed that was not opened";
			--*depth;
			break;
		case OP_SELECT:
			result = in->kind;
			if (result >= VALUE_KINDS || check_read(v, in->b, result) || check_read(v, in->c, result))
				return "select between two kinds";
			break;
		default:
			break;
	}
	if (result == VALUE_KINDS)	/* FILTER, MASK_* */
		return in->dst != DEVICE_NO_REG ? "result where there is none" : NULL;
	if (in->kind != result && in->op != OP_IS_NULL && in->op != OP_IS_NOT_NULL)
		return "result of the wrong kind";
	return check_write(v, in->dst, result);
}

static const char *
check_instrs(Verifier *v)
{
	const DeviceInstr *instrs = DEVICE_SECTION(v->plan, DeviceInstr, v->plan->instrs);
	uint32_t	depth = 0;

	for (uint32_t k = 0; k < v->plan->ninstrs; k++)
	{
		const char *wrong = check_instr(v, &instrs[k], &depth);

		if (wrong)
			return wrong;
	}
	return depth > 0 ? "mask not closed" : NULL;
}

static const char *
check_keys(const Verifier *v, uint32_t *words, uint32_t *at)
{
	const DeviceKey *keys = DEVICE_SECTION(v->plan, DeviceKey, v->plan->keys);

	for (uint32_t k = 0; k < v->plan->nkeys; k++)
	{
		const DeviceKey *key = &keys[k];
		const char *wrong;
		uint8_t		kind;

		if (key->type >= PROGRAM_TYPES || key->type == TYPE_OPAQUE)
			return "key of unknown type";
		kind = gpuscan_type_info[key->type].kind;
		if ((wrong = check_read(v, key->operand, kind)) != NULL)
			return wrong;
		if (key->word != *words || key->nwords != (kind == VALUE_TEXT ? DEVICE_KEY_WORDS : 1) ||
			key->scale_at != (kind == VALUE_NUMERIC || kind == VALUE_FLOAT64 ? *at : 0))
			return "key does not lie where it has to";
		*words += key->nwords;
		if (kind == VALUE_NUMERIC || kind == VALUE_FLOAT64)
			*at += 8;
	}
	return NULL;
}

static const char *
check_aggs(const Verifier *v, uint32_t *candidates, uint32_t *at)
{
	const DeviceAgg *aggs = DEVICE_SECTION(v->plan, DeviceAgg, v->plan->aggs);

	for (uint32_t a = 0; a < v->plan->naggs; a++)
	{
		const DeviceAgg *agg = &aggs[a];
		const char *wrong;

		if (agg->kind >= PROGRAM_AGG_KINDS)
			return "unknown aggregate";
		if (!(gpuscan_agg_info[agg->kind].engines & ENGINE_CUDA))
			return "an aggregate that is not for a device";
		if ((agg->kind == AGG_COUNT_STAR) != (agg->operand == DEVICE_NO_REG))
			return "aggregate with a wrong number of arguments";
		if (agg->operand != DEVICE_NO_REG &&
			(wrong = check_read(v, agg->operand, gpuscan_agg_info[agg->kind].arg)) != NULL)
			return wrong;
		if (agg->filter != DEVICE_NO_REG && (wrong = check_read(v, agg->filter, VALUE_BOOL)) != NULL)
			return wrong;
		if (agg->scale > NUMERIC_SCALE_MAX)
			return "sum of a scale out of range";
		if (agg->missing_at != *at || agg->state_at != *at + 8)
			return "state does not lie where it has to";
		*at += 8 + gpuscan_device_state_size(agg->kind);
		*candidates += agg->kind == AGG_MIN_NUMERIC || agg->kind == AGG_MAX_NUMERIC;
	}
	return NULL;
}

static const char *
check_groups(const Verifier *v)
{
	const DevicePlan *plan = v->plan;
	uint64_t	empty[MAX_GROUP_WORDS];
	uint32_t	words = plan->nkeys > 0 ? 1 : 0,
				candidates = 0,
				at = DEVICE_RECORD_HEAD;
	const char *wrong;

	if ((wrong = check_keys(v, &words, &at)) != NULL ||
		(wrong = check_aggs(v, &candidates, &at)) != NULL)
		return wrong;
	if (plan->nwords != words || plan->record_at != words * 8 || plan->group_size != plan->record_at + at)
		return "group is not as large as it has to be";
	if (plan->candidates != candidates)
		return "candidates miscounted";
	gpuscan_device_empty_group(plan, empty);
	if (memcmp(empty, (const char *) plan + plan->empty, plan->group_size) != 0)
		return "groups do not begin empty";
	return NULL;
}

const char *
gpuscan_device_plan_verify(const DevicePlan *plan, uint32_t size)
{
	Verifier	v;
	const char *wrong = check_header(plan, size);

	if (wrong)
		return wrong;
	v.plan = plan;
	v.uniforms = DEVICE_SECTION(plan, DeviceUniform, plan->uniforms);
	memset(v.kind, UNWRITTEN, sizeof v.kind);
	if ((wrong = check_uniforms(&v)) != NULL ||
		(wrong = check_attrs(&v)) != NULL ||
		(wrong = check_instrs(&v)) != NULL)
		return wrong;
	return check_groups(&v);
}

/* What a kernel checks itself: line pointers and tuples. */
const char *
gpuscan_device_job_verify(const DeviceJob *job, uint32_t size)
{
	const DevicePage *pages;
	uint64_t	rows = 0;

	if (job == NULL || (uintptr_t) job % 8 != 0 || size < sizeof(DeviceJob))
		return "job is shorter than its header";
	if (job->size != size)
		return "job is not as large as it says";
	if (job->blcksz < 1024 || job->blcksz > 32768 || (job->blcksz & (job->blcksz - 1)) != 0)
		return "pages of an unknown size";
	if (job->pages < sizeof(DeviceJob) || job->pages % 8 != 0 ||
		(uint64_t) job->pages + (uint64_t) job->npages * sizeof(DevicePage) > size)
		return "list of pages leaves the job";
	if (job->data % DEVICE_ALIGN != 0 ||
		(uint64_t) job->data + (uint64_t) job->npages * job->blcksz + DEVICE_PAGE_SLACK > size)
		return "pages leave the job";
	if (job->offnums % 2 != 0 || job->offnums > size)
		return "line pointers leave the job";
	pages = DEVICE_SECTION(job, DevicePage, job->pages);
	for (uint32_t i = 0; i < job->npages; i++)
	{
		if (pages[i].first != rows)
			return "rows are not numbered through";
		if (pages[i].offnum != DEVICE_DENSE &&
			((uint64_t) pages[i].offnum + pages[i].nrows) * 2 > size - job->offnums)
			return "line pointers leave the job";
		rows += pages[i].nrows;
	}
	return rows != job->nrows ? "rows miscounted" : NULL;
}
