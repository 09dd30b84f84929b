# vpclab: `make` builds build/vpclab, `make demo` shows it, `make check` tests it.  `make help` lists the rest.
CC      ?= cc
BUILD   := $(if $(SAN),build-san,build)
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wno-missing-field-initializers
CPPFLAGS += -I. -D_GNU_SOURCE -DVPCLAB_VERSION='"0.1.0"'
ALL_CFLAGS = -std=c17 $(WARN) $(CFLAGS) $(if $(WERROR),-Werror) $(SANFLAGS)
ifdef SAN
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
PKGS    := jansson lua5.4 libnl-3.0 libnl-route-3.0 libnftables libmnl libnftnl
ALL_CFLAGS += $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lreadline -lpcap -lm

# Rooms in the order of the arrows: each may use those before it (tests/house.sh checks).
LIB_ROOMS  := base iampolicy netsim/model netsim/analysis netsim/interop netsim/flowlog netsim/live cloud cloud/awsmodel
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
$(BUILD)/libiampolicy.a: $(call obj,iampolicy)
$(BUILD)/libnetsim.a: $(call obj,netsim/model netsim/analysis netsim/interop netsim/flowlog)
$(BUILD)/libvpclab.a: $(LIB_OBJ)
$(BUILD)/%.a:
	rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# ---- tests ---------------------------------------------------------------------------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(FACE_OBJ) $(BUILD)/libvpclab.a
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

.PHONY: check-unit units
units: $(UNIT)
check-unit: $(UNIT)
	@set -e; for t in $(UNIT); do $$t 2>&1 | grep -vE '^\[ +(RUN|OK) ' | grep -v '^\[==========\] [0-9]* test' || true; test $${PIPESTATUS:-0} = 0; $$t >/dev/null 2>&1; done

check: all check-unit

clean:
	rm -rf build build-san build-fuzz

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
