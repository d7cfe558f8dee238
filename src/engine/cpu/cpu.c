/*-------------------------------------------------------------------------
 *
 * cpu.c
 *	  The CPU engine: from a program to a run, and the face that engine.h asks
 *	  for.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "engine/cpu/cpu.h"
#include "heap/decode.h"

static const CpuLevel *level_in_use;

static const CpuLevel *
level_best(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("bmi2"))
		return &gpuscan_cpu_level_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		return &gpuscan_cpu_level_avx2;
#endif
	return &gpuscan_cpu_level_base;
}

bool
gpuscan_cpu_set_level(const char *name)
{
	const CpuLevel *best = level_best();

	if (strcmp(name, "auto") == 0)
		level_in_use = best;
	else if (strcmp(name, "base") == 0)
		level_in_use = &gpuscan_cpu_level_base;
#if defined(__x86_64__)
	else if (strcmp(name, "avx2") == 0 && best != &gpuscan_cpu_level_base)
		level_in_use = &gpuscan_cpu_level_avx2;
	else if (strcmp(name, "avx512") == 0 && best == &gpuscan_cpu_level_avx512)
		level_in_use = &gpuscan_cpu_level_avx512;
#endif
	else
		return false;
	return true;
}

static const CpuLevel *
level_current(void)
{
	if (!level_in_use)
		level_in_use = level_best();
	return level_in_use;
}

/* Aligned, not zeroed: memory that is never touched costs a short query nothing. */
static void *
alloc_vector(EngineRun *run, size_t size)
{
	char	   *raw = run->memory->alloc(run->memory->context, size + 2 * CPU_VECTOR_ALIGN);

	return (char *) (((uintptr_t) raw + CPU_VECTOR_ALIGN - 1) & ~(uintptr_t) (CPU_VECTOR_ALIGN - 1));
}

void *
gpuscan_cpu_alloc(EngineRun *run, size_t size)
{
	return memset(alloc_vector(run, size), 0, size);
}

/* ------------------------------------------------------------------------
 * Analysis
 * ------------------------------------------------------------------------
 */

/* Constant offsets of the leading attributes, and steps for the others. */
static void
plan_walk(EngineRun *run)
{
	const Program *program = run->program;
	const ProgramLayout *layout = program_layout(program);
	const ProgramAttr *attrs = program_attrs(program);
	uint32_t	pos = DECODE_HOFF_PLAIN;
	uint32_t	att = 0;
	uint32_t	wanted = 0;
	uint32_t	known = 0;		/* alignment of the attribute from which ... */
	uint32_t	offset = 0;		/* ... the next one has a known distance; 0: there is none */
	uint16_t   *dummy = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));

	run->attr_const = gpuscan_cpu_alloc(run, (program->nattrs + 1) * sizeof(uint16_t));
	run->pos = gpuscan_cpu_alloc(run, (program->nattrs + 1) * sizeof(uint16_t *));
	for (uint32_t a = 0; a < program->nattrs; a++)
		run->pos[a] = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));
	run->walk = gpuscan_cpu_alloc(run, (program->nlayout + 1) * sizeof(WalkStep));
	run->need_natts = program->nattrs ? attrs[program->nattrs - 1].attnum : 0;
	run->attr_step = gpuscan_cpu_alloc(run, (program->nattrs + 1) * sizeof(uint32_t));
	run->walk_at = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));
	run->tuple_len = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));
	run->few = true;

	for (; att < run->need_natts; att++)
	{
		bool		want = attrs[wanted].attnum == (int) att + 1;

		/*
		 * A varlena that follows directly has a one-byte header here, or its
		 * pad bytes: where it begins is constant, whether it is short is not.
		 */
		if (layout[att].attlen < 0)
			break;
		pos = (pos + layout[att].attalign - 1) & ~(uint32_t) (layout[att].attalign - 1);
		if (pos + layout[att].attlen > UINT16_MAX / 2)
			break;
		if (want)
			run->attr_const[wanted++] = (uint16_t) pos;
		pos += layout[att].attlen;
	}
	run->walk_from = pos;

	for (const uint32_t natts = run->need_natts; att < natts; att++)
	{
		const bool	want = attrs[wanted].attnum == (int) att + 1;
		const uint32_t align = layout[att].attalign;
		WalkStep   *step = &run->walk[run->nwalk];

		/*
		 * Behind an attribute of fixed size, at least as much aligned, the padding
		 * is known: it and what nobody wants are a part of the step before.
		 */
		if (layout[att].attlen > 0 && align <= known && step[-1].size + align + layout[att].attlen < UINT16_MAX / 2)
		{
			const uint32_t pad = (align - offset % align) % align;

			step[-1].size += pad;
			offset += pad + layout[att].attlen;
			if (!want)
			{
				step[-1].size += layout[att].attlen;
				continue;
			}
			step->align = 1;
		}
		else
		{
			known = layout[att].attlen > 0 ? align : 0;
			offset = layout[att].attlen;
			step->align = align;
		}
		run->nwalk++;
		step->varlena = layout[att].attlen == -1;
		step->size = layout[att].attlen > 0 ? layout[att].attlen : 0;
		step->store = want ? run->pos[wanted] : dummy;
		if (want)
			run->attr_step[wanted++] = run->nwalk;
		/* a C string is nothing a table holds: no plain row, walk in the general way */
		if (layout[att].attlen == -2)
			run->need_natts = UINT16_MAX;
	}
}

/* Which registers and attributes each FILTER, and the end, must keep. */
static void
plan_filters(EngineRun *run)
{
	const Program *program = run->program;
	const ProgramInstr *instrs = program_instrs(program);
	uint8_t    *reg_live = gpuscan_cpu_alloc(run, program->nregs + 1);
	uint8_t    *attr_live = gpuscan_cpu_alloc(run, program->nattrs + 1);
	uint32_t	filter;

	for (uint32_t i = 0; i < program->ninstrs; i++)
		run->nfilters += instrs[i].op == OP_FILTER;
	run->filters = gpuscan_cpu_alloc(run, (run->nfilters + 1) * sizeof(FilterLive));

	for (uint32_t k = 0; k < program->nkeys; k++)
		reg_live[program_keys(program)[k].reg] = 1;
	for (uint32_t a = 0; a < program->naggs; a++)
	{
		if (program_aggs(program)[a].arg != PROGRAM_NO_REG)
			reg_live[program_aggs(program)[a].arg] = 1;
		if (program_aggs(program)[a].filter != PROGRAM_NO_REG)
			reg_live[program_aggs(program)[a].filter] = 1;
	}

	/* what comes before a FILTER is walked before it, the rest for those that pass */
	run->stages = gpuscan_cpu_alloc(run, (run->nfilters + 1) * sizeof(uint32_t));
	filter = 0;
	for (uint32_t i = 0; i < program->ninstrs; i++)
	{
		if (instrs[i].op == OP_LOAD && run->attr_step[instrs[i].a] > run->stages[filter])
			run->stages[filter] = run->attr_step[instrs[i].a];
		if (instrs[i].op == OP_FILTER)
		{
			run->stages[filter + 1] = run->stages[filter];
			filter++;
		}
	}

	filter = run->nfilters;
	for (uint32_t i = program->ninstrs;; i--)
	{
		const ProgramInstr *instr = i > 0 ? &instrs[i - 1] : NULL;

		if (i == program->ninstrs || instrs[i].op == OP_FILTER)
		{
			FilterLive *live = &run->filters[i == program->ninstrs ? run->nfilters : --filter];

			/* backwards: what is live here is used after this place */
			live->regs = gpuscan_cpu_alloc(run, (program->nregs + 1) * sizeof(uint16_t));
			live->attrs = gpuscan_cpu_alloc(run, (program->nattrs + 1) * sizeof(uint16_t));
			for (uint32_t r = 0; r < program->nregs; r++)
				if (reg_live[r] && !program_regs(program)[r].uniform &&
					(i == program->ninstrs || !program_regs(program)[r].supplied))
					live->regs[live->nregs++] = (uint16_t) r;
			for (uint32_t a = 0; a < program->nattrs; a++)
				if (attr_live[a])
					live->attrs[live->nattrs++] = (uint16_t) a;
			if (i < program->ninstrs)
				reg_live[instrs[i].a] = 1;
		}
		if (!instr)
			break;
		if (instr->op == OP_FILTER)
			continue;			/* seen in the next turn, as instrs[i] */
		if (instr->dst != PROGRAM_NO_REG)
			reg_live[instr->dst] = 0;
		if (instr->op == OP_LOAD)
			attr_live[instr->a] = 1;
		else if (instr->op != OP_MASK_END)
		{
			if (instr->a < program->nregs)
				reg_live[instr->a] = 1;
			if (instr->b < program->nregs)
				reg_live[instr->b] = 1;
			if (instr->c < program->nregs)
				reg_live[instr->c] = 1;
		}
	}
}

static void
plan_vectors(EngineRun *run)
{
	const Program *program = run->program;
	uint32_t	depth = 0,
				deepest = 0;

	run->regs = gpuscan_cpu_alloc(run, (program->nregs + 1) * sizeof(Vector));
	run->missing = gpuscan_cpu_alloc(run, (program->nattrs + 1) * sizeof(Vector));
	for (uint32_t r = 0; r < program->nregs; r++)
	{
		const ProgramReg *reg = &program_regs(program)[r];
		Vector	   *v = &run->regs[r];

		v->kind = reg->kind;
		if (!reg->uniform)
		{
			/* slack: lanes of a loop's last iteration, see BATCH_PAGE_SLACK too */
			v->data = alloc_vector(run, BATCH_MAX_ROWS * 16);
			v->null = alloc_vector(run, BATCH_MAX_ROWS);
		}
	}
	for (uint32_t i = 0; i < program->ninstrs; i++)
	{
		uint16_t	op = program_instrs(program)[i].op;

		if (op >= OP_MASK_TRUE && op <= OP_MASK_NULL && ++depth > deepest)
			deepest = depth;
		else if (op == OP_MASK_END)
			depth--;
	}
	for (uint32_t m = 1; m <= deepest; m++)
		run->masks[m] = alloc_vector(run, BATCH_MAX_ROWS);

	run->tuple = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint8_t *));
	run->row = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));
	run->punt = gpuscan_cpu_alloc(run, BATCH_MAX_ROWS);
	run->punted = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));
	run->select = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));
	run->flags = alloc_vector(run, BATCH_MAX_ROWS);
	run->slow = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint16_t));
	run->heads = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint32_t));
	run->digits = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint64_t));
	if (program->grouped)
	{
		run->group = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint32_t));
		run->packed = alloc_vector(run, BATCH_MAX_ROWS);
		run->nulls = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint32_t));
		run->hash = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint32_t));
		run->words = gpuscan_cpu_alloc(run, (program->nkeys + 1) * sizeof(uint64_t *));
		for (uint32_t k = 0; k < program->nkeys; k++)
			run->words[k] = alloc_vector(run, BATCH_MAX_ROWS * sizeof(uint64_t));
		gpuscan_groups_init(run);
	}
}

/* ------------------------------------------------------------------------
 * The engine
 * ------------------------------------------------------------------------
 */

/* Fill the uniform registers. */
static void
cpu_rebind(EngineRun *run)
{
	const ProgramReg *regs = program_regs(run->program);

	for (uint32_t r = 0; r < run->program->nregs; r++)
		if (regs[r].uniform)
		{
			gpuscan_vector_set_uniform(run, &run->regs[r], &run->params[regs[r].param]);
			run->regs[r].kind = regs[r].kind;
		}
}

static EngineRun *
cpu_open(const Program *program, const ProgramValue *params, const EngineMemory *memory)
{
	EngineRun  *run = memory->alloc(memory->context, sizeof *run);

	memset(run, 0, sizeof *run);
	run->program = program;
	run->params = params;
	run->memory = memory;
	run->level = level_current();
	plan_walk(run);
	plan_filters(run);
	plan_vectors(run);
	gpuscan_arena_init(run);
	cpu_rebind(run);
	return run;
}

static const char *
cpu_variant(void)
{
	return level_current()->name;
}

static uint32_t
cpu_depth(EngineRun *run)
{
	(void) run;
	return 1;
}

static void
cpu_submit(EngineRun *run, Batch *batch)
{
	run->batch = batch;
	run->submitted = true;
}

static const EngineResult *
cpu_collect(EngineRun *run)
{
	if (!run->submitted)
		return NULL;
	run->submitted = false;
	run->level->evaluate(run);
	return &run->result;
}

static void
cpu_release(EngineRun *run)
{
	run->batch = NULL;
	run->n = 0;
}

static void
cpu_supply(EngineRun *run, uint32_t number, const ProgramValue *values, const uint8_t *keep)
{
	for (uint32_t r = 0; r < run->program->nregs; r++)
	{
		const ProgramReg *reg = &program_regs(run->program)[r];

		if (reg->supplied && reg->param == number)
			gpuscan_vector_fill(run, &run->regs[r], values, keep, run->n);
	}
}

/*
 * A row that the host computed goes in between the engine's own at its place,
 * so that groups and their states come about in row order.
 */
static void
absorb_settled(EngineRun *run, EngineSettled *settled)
{
	const Program *program = run->program;
	Groups	   *groups = &run->groups;
	uint32_t	group;

	run->ordinal = settled->ordinal;
	group = program->nkeys == 0 ? gpuscan_groups_find_only(run) : gpuscan_groups_find_values(run, settled->keys);
	settled->group = group;
	settled->is_new = *group_first(groups, group) == settled->ordinal;
	for (uint32_t a = 0; a < program->naggs; a++)
		gpuscan_state_step(run, group, a, &settled->args[a], settled->ordinal);
	++*(int64_t *) (group_record(groups, group) + groups->rows_at);
}

static void
cpu_absorb(EngineRun *run, const uint8_t *keep, EngineSettled *settled, uint32_t nsettled)
{
	Groups	   *groups = &run->groups;
	uint32_t	done = 0;

	if (!run->batch)
		run->n = 0;				/* settled rows alone */
	else
	{
		groups->disordered |= run->batch->ordinal < groups->newest;
		if (run->batch->ordinal + run->batch->nrows > groups->newest)
			groups->newest = run->batch->ordinal + run->batch->nrows;
	}
	if (nsettled > 0)
	{
		groups->disordered |= !run->batch && settled[0].ordinal < groups->newest;
		if (settled[nsettled - 1].ordinal >= groups->newest)
			groups->newest = settled[nsettled - 1].ordinal + 1;
	}
	if (keep)
	{
		uint32_t	kept = 0;

		for (uint32_t i = 0; i < run->n; i++)
			if (keep[i])
				run->select[kept++] = (uint16_t) i;
		if (kept < run->n)
			run->level->pack(run, kept);
	}
	for (uint32_t s = 0; s < nsettled; s++)
	{
		uint32_t	upto = done;

		while (upto < run->n && run->row[upto] < settled[s].row)
			upto++;
		if (upto > done)
			run->level->absorb(run, done, upto);
		done = upto;
		absorb_settled(run, &settled[s]);
	}
	run->level->absorb(run, done, run->n);
	run->absorbed = run->n;
	cpu_release(run);
}

static uint32_t
cpu_absorbed_groups(EngineRun *run, const uint16_t **rows, const uint32_t **groups)
{
	*rows = run->row;
	*groups = run->group;
	return run->absorbed;
}

static uint64_t
cpu_ngroups(EngineRun *run)
{
	return run->groups.n;
}

static size_t
cpu_group_memory(EngineRun *run)
{
	return gpuscan_groups_memory(&run->groups);
}

static bool
cpu_next_group(EngineRun *run, uint64_t *cursor, EngineGroup *group)
{
	uint32_t	number;

	if (*cursor >= run->groups.n)
		return false;
	if (*cursor == 0 && run->groups.disordered)
		gpuscan_groups_sort(run);
	number = (uint32_t) (*cursor)++;
	gpuscan_groups_out(run, run->groups.order ? run->groups.order[number] : number, group);
	return true;
}

static void
cpu_detach_groups(EngineRun *run)
{
	run->groups.detached = true;
}

static EngineOverflow
cpu_overflowed(EngineRun *run)
{
	return run->groups.overflow;
}

const Engine gpuscan_engine_cpu = {
	.name = "cpu",
	.mask = ENGINE_CPU,
	.open = cpu_open,
	.rebind = cpu_rebind,
	.variant = cpu_variant,
	.depth = cpu_depth,
	.submit = cpu_submit,
	.collect = cpu_collect,
	.release = cpu_release,
	.supply = cpu_supply,
	.absorb = cpu_absorb,
	.absorbed_groups = cpu_absorbed_groups,
	.ngroups = cpu_ngroups,
	.group_memory = cpu_group_memory,
	.next_group = cpu_next_group,
	.reset_groups = gpuscan_groups_reset,
	.dump_group = gpuscan_groups_dump,
	.merge_group = gpuscan_groups_merge,
	.detach_groups = cpu_detach_groups,
	.overflowed = cpu_overflowed,
	.add_group = gpuscan_groups_add_values
};
