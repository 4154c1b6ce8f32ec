# tinygen - small generative models from the shell. make help says what there is.
#
# Needs a C11 compiler (gcc or clang), make and a POSIX system. CC, CFLAGS, LDFLAGS and BUILD are honoured,
# V=1 shows the commands.
# Sources are found by folder; every .c in src/kernels/multi is compiled once per instruction set.

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
AR      ?= ar
NM      ?= nm
PYTHON  ?= python3
T       ?=
Q       := $(if $(V),,@)
say      = @$(if $(V),:,printf '  %-4s %s\n' $(1) $(2))

MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(findstring x86_64,$(MACHINE)),)
ISAS := scalar avx2 avx512
else ifneq ($(findstring aarch64,$(MACHINE))$(findstring arm64,$(MACHINE)),)
ISAS := scalar neon
else
ISAS := scalar
endif
ISA_scalar :=
ISA_avx2   := -mavx2 -mfma
ISA_avx512 := -mavx2 -mfma -mavx512f -mavx512dq -mavx512bw -mavx512vl
ISA_neon   :=

# What the promises rest on; CFLAGS, which comes before it, cannot take them away. What no later option undoes is refused: it lets
# a compiler reorder sums, or has the linked program take denormals for 0.
STD    := -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off -fno-math-errno -pthread
UNSAFE := $(filter -Ofast -ffast-math -funsafe-math-optimizations -fassociative-math -freciprocal-math -ffinite-math-only \
            -fno-signed-zeros -fsingle-precision-constant -ffp-model=fast -ffp-model=aggressive -mdaz-ftz,$(CC) $(CFLAGS) $(LDFLAGS))
ifneq ($(UNSAFE),)
$(error $(UNSAFE) in CC, CFLAGS or LDFLAGS gives other results than everywhere else; take -O3 in its place, which does not)
endif
WARN   := -Wall -Wextra -Wpedantic -Wshadow -Werror
STRICT := -Wconversion
INC    := -Iinclude -Isrc
ALL_CFLAGS = $(CFLAGS) $(STD) $(WARN) $(INC) -MMD -MP
ISA_DEFS := $(foreach i,$(ISAS),-DTG_HAVE_$(i))

LIB_SRC   := $(sort $(shell find src -name '*.c' -not -path 'src/kernels/multi/*'))
MULTI_SRC := $(sort $(wildcard src/kernels/multi/*.c))
TOOL_SRC  := $(sort $(wildcard tools/gen-*.c))
CLI_SRC   := $(sort $(filter-out $(TOOL_SRC),$(wildcard tools/*.c)))
UNIT_SRC  := $(sort $(shell find tests/unit tests/support -name '*.c')) tests/test.c
RUN_SRC   := tests/cli.c tests/test.c
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))

LIB_OBJ   := $(LIB_SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/gen/recipes.o $(patsubst src/run/%.html,$(BUILD)/gen/%_page.o,$(wildcard src/run/*.html)) \
             $(foreach i,$(ISAS),$(MULTI_SRC:src/kernels/multi/%.c=$(BUILD)/kernels/$(i)/%.o))
CLI_OBJ   := $(CLI_SRC:%.c=$(BUILD)/obj/%.o)
UNIT_OBJ  := $(UNIT_SRC:%.c=$(BUILD)/obj/%.o)
RUN_OBJ   := $(RUN_SRC:%.c=$(BUILD)/obj/%.o)
BENCH_OBJ := $(BENCH_SRC:%.c=$(BUILD)/obj/%.o) $(foreach i,$(ISAS),$(BUILD)/kernels/$(i)/peak.o)
BENCH     := $(BUILD)/bin/bench $(BUILD)/bin/bench-openblas
TOOLS     := $(TOOL_SRC:tools/%.c=$(BUILD)/bin/%)
LIB       := $(BUILD)/libtinygen.a

.DEFAULT_GOAL := all
all: $(LIB) $(TOOLS)   ## library and programs, in build/
test-programs: $(BUILD)/bin/unit $(BUILD)/bin/cli

# Objects depend on the Makefile and on the compiler line, so that another CC or CFLAGS rebuilds.
FLAGS_NOW := $(CC) $(CFLAGS) $(STD) $(WARN) $(ISAS)
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@
FORCE:

$(BUILD)/obj/src/%.o: src/%.c $(BUILD)/flags Makefile
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(STRICT) $(ISA_DEFS) -c $< -o $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags Makefile
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(ISA_DEFS) -Itests -c $< -o $@

# $(1): instruction set, $(2): folder of sources
define isa_rule
$(BUILD)/kernels/$(1)/%.o: $(2)/%.c $(BUILD)/flags Makefile
	@mkdir -p $$(@D)
	$$(call say,cc,'$$< $(1)')
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(STRICT) $$(ISA_$(1)) -DTG_SIMD=$(1) -DTG_SIMD_$(1)=1 -c $$< -o $$@
endef
$(foreach i,$(ISAS),$(foreach d,src/kernels/multi tests/bench/multi,$(eval $(call isa_rule,$(i),$(d)))))

# data/recipes/*.json, built in.
$(BUILD)/gen/recipes.c: FORCE
	@mkdir -p $(@D)
	@sh data/recipes/embed.sh > $@.new && { cmp -s $@.new $@ && rm $@.new || mv $@.new $@; }
$(BUILD)/gen/recipes.o: $(BUILD)/gen/recipes.c $(BUILD)/flags Makefile
	$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(STRICT) -c $< -o $@

# Pages with a script, built in: src/run/NAME.html is tg_NAME_page of run/NAME.h.
$(BUILD)/gen/%_page.c: src/run/%.html Makefile
	@mkdir -p $(@D)
	@{ echo '#include "run/$*.h"'; echo 'const char tg_$*_page[] = {'; \
	   od -An -v -tu1 $< | sed 's/ *\([0-9][0-9]*\)/(char)\1,/g'; echo '0};'; } > $@
$(BUILD)/gen/%_page.o: $(BUILD)/gen/%_page.c $(BUILD)/flags Makefile
	$(call say,cc,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(STRICT) -c $< -o $@

# The archive is made anew when a source comes or goes.
$(BUILD)/members: FORCE
	@mkdir -p $(BUILD)
	@echo '$(LIB_OBJ)' | cmp -s - $@ || echo '$(LIB_OBJ)' > $@

$(LIB): $(LIB_OBJ) $(BUILD)/members
	@rm -f $@
	$(call say,ar,$@)
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/bin/gen-%: $(BUILD)/obj/tools/gen-%.o $(CLI_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ -lm -o $@

$(BUILD)/bin/unit: $(UNIT_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ -lm -o $@

$(BUILD)/bin/cli: $(RUN_OBJ)
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lm -o $@

$(BUILD)/bin/bench: $(BENCH_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ -lm -o $@
$(BUILD)/bin/bench-openblas: $(BUILD)/obj/tests/bench/peers/openblas.o
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -ldl -o $@

# ---- tests: T=WORD runs those whose name or file contains it -----------------------------------------------------

export CC BUILD NM PYTHON T
RUN    := @sh tests/run.sh
AGAIN   = +@$(MAKE) --no-print-directory
FAST   := unit cli layers names size lint
# -g1: with all of -g, gcc spends minutes on the scalar kernels' variables. Warnings are the plain build's matter:
# instrumented code confuses them.
SAFE   := -g1 -fno-omit-frame-pointer
CALM   := WARN=-Wall STRICT=

test: all test-programs $(BENCH)  ## everything: check and the end-to-end tests; what CI runs
	$(RUN) $(FAST) e2e
check: all test-programs      ## unit and command-line tests and the lints, under a minute; T=WORD runs some
	$(RUN) $(FAST)
repro: all                    ## same bytes for any ISA, thread count, compiler, kill and resume
	$(RUN) e2e/repro
soak: all                     ## searches killed a hundred times, sixteen trials by make, GNU parallel and Slurm (as root): minutes
	@SOAK=1 ROUNDS=100 sh tests/run.sh e2e/tune_backends e2e/tune_kills
# A stranger types `make demo` and waits for the build: where no -j was given it takes as many jobs as there are processors.
# With one given, all is made in front as usual. (Make knows of its -j after it has read this file, hence the second look.)
CORES       = $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
JOBS_GIVEN  = $(filter -j% --jobs% --jobserver%,$(MAKEFLAGS))
.SECONDEXPANSION:
demo: $$(if $$(JOBS_GIVEN),all)  ## the seven steps on our own data, with progress; ends with a report: under two minutes
	$(if $(JOBS_GIVEN),,+@$(MAKE) --no-print-directory -j$(CORES) all)
	@sh tests/e2e/demo.sh

bench: all $(BENCH)           ## how fast it is, as shares of this machine's limits; T=WORD measures some
	@$(BUILD)/bin/bench --bin $(BUILD)/bin --json $(BUILD)/bench.json $(T)
bench-compare: $(BENCH)       ## OLD=FILE: an older bench.json against the last one
	@test -n '$(OLD)' || { echo 'make bench-compare: give the older file: OLD=FILE, a copy of $(BUILD)/bench.json' >&2; exit 2; }
	@$(BUILD)/bin/bench --compare '$(OLD)' $(BUILD)/bench.json

layers:                       ## who may include whom, and who may write files
	@sh tests/lint/layers.sh .
names: $(LIB)                 ## what the archive defines and what it must not call
	@sh tests/lint/names.sh $(LIB) .
size:                         ## longest files and functions, shares of comments
	@sh tests/lint/size.sh .

asan:                         ## check with AddressSanitizer and its search for leaks
	$(AGAIN) check BUILD=$(BUILD)/asan $(CALM) CFLAGS='-O1 $(SAFE) -fsanitize=address'
ubsan:                        ## check with UndefinedBehaviorSanitizer
	$(AGAIN) check BUILD=$(BUILD)/ubsan $(CALM) CFLAGS='-O1 $(SAFE) -fsanitize=undefined,float-cast-overflow -fno-sanitize-recover=all'
tsan:                         ## check with ThreadSanitizer
	$(AGAIN) check BUILD=$(BUILD)/tsan $(CALM) CFLAGS='-O1 $(SAFE) -fsanitize=thread'
cover:                        ## lines and branches per file that check reaches
	$(AGAIN) check CC=gcc BUILD=$(BUILD)/cover $(CALM) CFLAGS='-O0 -g1 --coverage'; status=$$?; \
	sh tests/lint/cover.sh $(BUILD)/cover; exit $$status

# Warnings are errors in every build; here with both compilers, and clang-tidy's on top.
TIDY_SRC := $(LIB_SRC) $(MULTI_SRC) $(TOOL_SRC) $(CLI_SRC)
tidy: $(TIDY_SRC:%.c=$(BUILD)/tidy/%.ok)  ## clang-tidy, and all sources through gcc and clang
	$(AGAIN) all test-programs CC=gcc BUILD=$(BUILD)/gcc
	$(AGAIN) all test-programs CC=clang BUILD=$(BUILD)/clang
$(BUILD)/tidy/src/kernels/multi/%.ok: TIDY_ISA = -DTG_SIMD=scalar -DTG_SIMD_scalar=1
$(BUILD)/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	$(call say,tidy,$<)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- $(STD) $(INC) $(ISA_DEFS) $(TIDY_ISA)
	@touch $@

clean:                        ## removes build/
	rm -rf $(BUILD)
help:                         ## prints this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

-include $(sort $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ) $(UNIT_OBJ) $(RUN_OBJ) $(BENCH_OBJ)) $(TOOL_SRC:%.c=$(BUILD)/obj/%.d))
.PHONY: all test-programs test check repro soak demo bench bench-compare layers names size asan ubsan tsan cover tidy clean help FORCE
.SECONDARY:
