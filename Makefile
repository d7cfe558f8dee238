# gpuscan: an ordinary PGXS extension, and four commands (make help).
#
#   make PG_CONFIG=/path/to/pg_config      the server to build for
#   make COPT=-Werror                      PostgreSQL's own way to add a flag
#   make CUDA_ARCHS=all                    kernels for every GPU, not only Hopper
#   make NVCC=                             without CUDA kernels

EXTENSION = gpuscan
MODULE_big = gpuscan
PGFILEDESC = "gpuscan - analytic queries on ordinary tables, vectorised"

# Where this Makefile is, so that a VPATH build finds the sources.
top := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))

# Goals that find, or bring, a server of their own: no pg_config needed here.
SCRIPTS_ONLY = demo demo-stop demo-clean test bench bench-gpu help cuda-check cuda-report

.DEFAULT_GOAL := all
.PHONY: $(SCRIPTS_ONLY)

help:
	@$(top)/scripts/help

# A recipe's environment carries what was given on make's command line
# (PG_CONFIG=, SCALE=, SUITES=, CASES=, ...).
demo:
	@$(top)/scripts/demo

demo-stop:
	@$(top)/scripts/demo stop

demo-clean:
	@$(top)/scripts/demo clean

test:
	@$(top)/test/run

bench:
	@$(top)/bench/run

bench-gpu:
	@$(top)/bench/gpu

cuda-check:
	@$(top)/scripts/cuda-check

cuda-report:
	@$(top)/scripts/cuda-report

ifneq (,$(filter-out $(SCRIPTS_ONLY),$(or $(MAKECMDGOALS),all)))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq (,$(wildcard $(PGXS)))
$(error $(PG_CONFIG) has no PGXS: install the server's development files (Debian: postgresql-server-dev-15), give PG_CONFIG=, or run 'make demo', which needs none)
endif

DATA = $(patsubst $(top)/%,%,$(sort $(wildcard $(top)/src/extension/gpuscan--*.sql)))
OBJS = $(filter-out $(OMITTED),$(patsubst $(top)/%.c,%.o,$(sort $(wildcard $(addprefix $(top)/src/,*.c */*.c */*/*.c)))))

# Models need a library for JSON and one for Unicode.  Without them their functions say so.
MODELS := $(shell printf '\#include <jansson.h>\n\#include <utf8proc.h>\n' | $(or $(CC),cc) $(CPPFLAGS) -E - >/dev/null 2>&1 && echo yes)
ifeq ($(MODELS),yes)
OMITTED = src/model/sql/without.o
MODEL_LIBS = -ljansson -lutf8proc
else
OMITTED = $(filter-out src/model/kernels%.o src/model/quant.o,$(patsubst $(top)/%.c,%.o,$(wildcard $(top)/src/model/*.c))) \
	$(addprefix src/model/sql/,backfill.o backfill_log.o backfill_table.o chat.o chunk.o embed.o generate.o input.o loaded.o report.o \
		rerank.o shared.o stream.o structured.o tokenize.o writing.o)
endif
DEPS = $(OBJS:.o=.d)
EXTRA_CLEAN = $(DEPS) $(REGRESS_OUT) $(CUDA_OUT)

REGRESS = $(patsubst $(top)/sql/%.sql,%,$(sort $(wildcard $(top)/sql/*.sql)))
REGRESS_OUT = .build/installcheck
REGRESS_PREP = regress-out
REGRESS_OPTS = --inputdir=$(top) --outputdir=$(REGRESS_OUT)

PG_CPPFLAGS = -I$(top)/src -MMD -MP

# PostgreSQL's inline functions and callback signatures leave parameters
# unused; and a server built by gcc has gnu_printf in its headers, of which
# clang says that it ignores it. No contraction: a fused multiply-add would
# change the last bit of a float.
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-ignored-attributes -ffp-contract=off

# Bitcode lets the JIT inline an extension's SQL functions. Ours are called a
# few times a session, so it would buy nothing and cost a need for clang.
override with_llvm = no

# PGXS names dependency files by base name alone; ours sit beside the objects.
override autodepend = no

# The kernels are a file of their own inside the library, and no part of what
# the compiler of C sees: SHLIB_LINK, not OBJS (of which PGXS may want bitcode).
CUDA_OUT = .build/cuda
SHLIB_LINK += $(CUDA_OUT)/fatbin.o $(MODEL_LIBS) -lm

include $(PGXS)

# Declarations stand where their value is known (C99).
DROP_FLAGS = -Wdeclaration-after-statement

# Flags that the server was built with and this compiler may not know.
knows = $(shell $(CC) -Werror $(1) -fsyntax-only -x c /dev/null >/dev/null 2>&1 && echo yes)
DOUBTED = $(filter -Wmissing-variable-declarations -Wimplicit-fallthrough=% -Wcast-function-type \
	-Wshadow=% -Wno-format-truncation -Wno-stringop-truncation -Wno-cast-function-type-strict \
	-fexcess-precision=% -ftree-vectorize -funroll-loops,$(CFLAGS))
DROP_FLAGS += $(foreach flag,$(DOUBTED),$(if $(call knows,$(flag)),,$(flag)))

override CFLAGS := $(filter-out $(DROP_FLAGS),$(CFLAGS))

# The inner loops: pages, vectors, matrices.
ENGINE_OPT = -O3
src/heap/%.o src/engine/%.o src/model/kernels%.o: override CFLAGS += $(ENGINE_OPT)
# Its vectors are wider than registers are; none leaves the file, so how they are passed is nobody's concern.
src/model/kernels_base.o: override CFLAGS += -Wno-psabi

# One level of the CPU engine per object; the engine chooses when it is
# loaded. Elsewhere than on x86-64 the two upper levels are empty units.
ifeq ($(host_cpu),x86_64)
AVX2 = -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt
AVX512 = $(AVX2) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mprefer-vector-width=512
src/engine/cpu/level_avx2.o: override CFLAGS += $(AVX2)
src/model/kernels_avx2.o: override CFLAGS += -mavx2 -mfma -mf16c
src/model/kernels_avx512.o: override CFLAGS += -mfma -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
src/engine/cpu/level_avx512.o: override CFLAGS += $(AVX512)
endif

# A change of flags here is a change of every object.
$(OBJS): $(top)/Makefile

ifdef VPATH
$(shell $(MKDIR_P) $(sort $(dir $(OBJS))))
endif

include $(top)/cuda/Makefile.cuda

-include $(DEPS)

# The tests need the library in their sessions, whatever the server preloads.
installcheck: export PGOPTIONS += -c session_preload_libraries=gpuscan

.PHONY: regress-out
regress-out:
	$(MKDIR_P) $(REGRESS_OUT)

endif
