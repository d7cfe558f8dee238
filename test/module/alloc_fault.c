/*-------------------------------------------------------------------------
 *
 * alloc_fault.c
 *	  Allocations that fail when a test says so.
 *
 * The entries of the global offset table through which a library calls the
 * functions that allocate are turned to ours: gpuscan's own, so that each of
 * its allocations can be counted and made to fail, and malloc and realloc of the
 * server, so that a memory context gets no new block wherever PostgreSQL needs
 * one on gpuscan's behalf.  What fails then raises the error that PostgreSQL
 * raises (mcxt.c), so nothing but the moment is made up.
 *
 * x86-64 and AArch64 on ELF.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "postgres.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

#if defined(__x86_64__)
#define IS_CALL(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT)
#elif defined(__aarch64__)
#define IS_CALL(type) ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT)
#endif

static bool counting;			/* is a test's query running? */
static bool blocks;				/* do malloc and realloc count, or our own calls? */
static int64 seen;				/* how many of them there were */
static int64 fails_at;			/* the one that fails; 0: none */

/* Is it this one's turn to fail? */
static bool
fails(bool block)
{
	return counting && blocks == block && ++seen == fails_at;
}

static void
may_fail(void)
{
	if (fails(false))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("The test made allocation " INT64_FORMAT " fail.", seen)));
}

static void *
fault_malloc(size_t size)
{
	return fails(true) ? NULL : malloc(size);
}

static void *
fault_realloc(void *pointer, size_t size)
{
	return fails(true) ? NULL : realloc(pointer, size);
}

/* Wrappers of what raises an error when there is no memory */
#define WRAP(result, name, parameters, arguments) \
	static result fault_##name parameters { may_fail(); return name arguments; }

WRAP(void *, palloc, (Size size), (size))
WRAP(void *, palloc0, (Size size), (size))
WRAP(void *, repalloc, (void *pointer, Size size), (pointer, size))
WRAP(void *, repalloc_huge, (void *pointer, Size size), (pointer, size))
WRAP(void *, MemoryContextAlloc, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocZero, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocHuge, (MemoryContext context, Size size), (context, size))
WRAP(char *, pstrdup, (const char *text), (text))
WRAP(List *, lappend, (List *list, void *datum), (list, datum))
WRAP(List *, lappend_int, (List *list, int datum), (list, datum))
WRAP(List *, lappend_oid, (List *list, Oid datum), (list, datum))
WRAP(MemoryContext, AllocSetContextCreateInternal,
	 (MemoryContext parent, const char *name, Size least, Size first, Size most), (parent, name, least, first, most))

/* of newer minor releases only */
extern void *palloc_mul(Size size, Size n) __attribute__((weak));
extern void *palloc0_mul(Size size, Size n) __attribute__((weak));
extern void *repalloc_mul(void *pointer, Size size, Size n) __attribute__((weak));
WRAP(void *, palloc_mul, (Size size, Size n), (size, n))
WRAP(void *, palloc0_mul, (Size size, Size n), (size, n))
WRAP(void *, repalloc_mul, (void *pointer, Size size, Size n), (pointer, size, n))

typedef struct Wrapper
{
	const char *name;
	void	   *function;
} Wrapper;

#define WRAPPER(name) {#name, fault_##name}

static const Wrapper own_calls[] = {
	WRAPPER(palloc), WRAPPER(palloc0), WRAPPER(repalloc), WRAPPER(repalloc_huge),
	WRAPPER(MemoryContextAlloc), WRAPPER(MemoryContextAllocZero), WRAPPER(MemoryContextAllocHuge),
	WRAPPER(pstrdup), WRAPPER(lappend), WRAPPER(lappend_int), WRAPPER(lappend_oid),
	WRAPPER(AllocSetContextCreateInternal),
	WRAPPER(palloc_mul), WRAPPER(palloc0_mul), WRAPPER(repalloc_mul), {NULL, NULL}
};
static const Wrapper block_calls[] = {WRAPPER(malloc), WRAPPER(realloc), {NULL, NULL}};

typedef struct Patch
{
	const char *library;		/* how its file's name begins; empty: the server */
	const Wrapper *wrappers;
	int			turned;			/* how many entries */
} Patch;

#ifdef IS_CALL
static void
turn(Patch *patch, const struct dl_phdr_info *object, const ElfW(Rela) *relocations, size_t size,
	 const ElfW(Sym) *symbols, const char *names)
{
	size_t		page = sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < size / sizeof *relocations; i++)
	{
		const ElfW(Rela) *relocation = &relocations[i];
		void	  **entry = (void **) (object->dlpi_addr + relocation->r_offset);
		char	   *start = (char *) TYPEALIGN_DOWN(page, (uintptr_t) entry);
		const char *name = names + symbols[ELF64_R_SYM(relocation->r_info)].st_name;

		if (!IS_CALL(ELF64_R_TYPE(relocation->r_info)))
			continue;
		for (const Wrapper *wrapper = patch->wrappers; wrapper->name != NULL; wrapper++)
		{
			if (strcmp(name, wrapper->name) != 0)
				continue;
			/* the table is read-only once the library is linked */
			if (mprotect(start, page, PROT_READ | PROT_WRITE) != 0)
				elog(ERROR, "could not write to the table of %s: %m", object->dlpi_name);
			*entry = wrapper->function;
			patch->turned++;
		}
	}
}
#endif

static int
patch_object(struct dl_phdr_info *object, size_t size, void *arg)
{
#ifdef IS_CALL
	Patch	   *patch = arg;
	const char *file = strrchr(object->dlpi_name, '/');
	const ElfW(Sym) *symbols = NULL;
	const char *names = NULL;
	const ElfW(Rela) *calls = NULL,
			   *data = NULL;
	size_t		calls_size = 0,
				data_size = 0;

	if (strncmp(file == NULL ? object->dlpi_name : file + 1, patch->library, strlen(patch->library)) != 0 ||
		(patch->library[0] == '\0' && object->dlpi_name[0] != '\0'))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++)
	{
		const ElfW(Dyn) *entry = (const ElfW(Dyn) *) (object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);

		if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
			continue;
		for (; entry->d_tag != DT_NULL; entry++)
		{
			/* glibc has relocated these addresses */
			switch (entry->d_tag)
			{
				case DT_SYMTAB:
					symbols = (const ElfW(Sym) *) entry->d_un.d_ptr;
					break;
				case DT_STRTAB:
					names = (const char *) entry->d_un.d_ptr;
					break;
				case DT_JMPREL:
					calls = (const ElfW(Rela) *) entry->d_un.d_ptr;
					break;
				case DT_PLTRELSZ:
					calls_size = entry->d_un.d_val;
					break;
				case DT_RELA:
					data = (const ElfW(Rela) *) entry->d_un.d_ptr;
					break;
				case DT_RELASZ:
					data_size = entry->d_un.d_val;
					break;
			}
		}
	}
	if (symbols != NULL && names != NULL)
	{
		turn(patch, object, calls, calls_size, symbols, names);
		turn(patch, object, data, data_size, symbols, names);
	}
#endif
	return 0;
}

/* Turn the tables, once in a session; gpuscan must be loaded. How many entries there were of each. */
PG_FUNCTION_INFO_V1(alloc_fault_install);
Datum
alloc_fault_install(PG_FUNCTION_ARGS)
{
	Patch		own = {"gpuscan", own_calls, 0};
	Patch		server = {"", block_calls, 0};

	dl_iterate_phdr(patch_object, &own);
	dl_iterate_phdr(patch_object, &server);
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s %s", own.turned >= 8 ? "own" : "", server.turned >= 2 ? "blocks" : "")));
}

/* Count from here on; the nth allocation fails (0: none), and only that one. */
PG_FUNCTION_INFO_V1(alloc_fault_arm);
Datum
alloc_fault_arm(PG_FUNCTION_ARGS)
{
	blocks = PG_GETARG_BOOL(0);
	fails_at = PG_GETARG_INT64(1);
	seen = 0;
	counting = true;
	PG_RETURN_VOID();
}

/* Count no more: how many there were. */
PG_FUNCTION_INFO_V1(alloc_fault_seen);
Datum
alloc_fault_seen(PG_FUNCTION_ARGS)
{
	counting = false;
	PG_RETURN_INT64(seen);
}
