# Two commands do everything on a fresh Debian 12 machine: `make demo` and `make test`. Every target can be repeated; what is
# done already is skipped. JOBS sets the number of parallel compilers and tests.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
JOBS ?= $(shell nproc)

MODEL := build/models/SmolLM2-135M-Instruct.Q4_1.gguf
QUESTION ?= What is the capital of France?
FUZZ_SECONDS ?= 5

.PHONY: help demo test build packages packages-checks model dev nompi check-style format tidy fuzz clean

help:
	@echo "make demo         install packages, build, split a real model over 2 ranks and let it answer (QUESTION=...)"
	@echo "make test         install packages, build, run every test"
	@echo "make build        the program alone: build/release/cleave"
	@echo "make check-style  include arrows, sizes, house rules, clang-format"
	@echo "make format       clang-format every source"
	@echo "make tidy         clang-tidy over every source"
	@echo "make fuzz         every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS) seconds"
	@echo "make clean        remove the builds; the model and the compiler cache stay"

demo: build model
	@echo "== run: build/release/cleave plan $(MODEL) --tp 2"
	@build/release/cleave plan $(MODEL) --tp 2
	@echo "== run: build/release/cleave generate $(MODEL) --tp 2 -p \"$(QUESTION)\""
	@build/release/cleave generate $(MODEL) --tp 2 -p "$(QUESTION)" --max-tokens 64 --temperature 0 2>&1

# The unit tests run twice: as they are, and (label "sanitizer") as the dev build's programs under ASan and UBSan. What the
# program and its collectives do without MPI is tested with a build of its own.
test: packages model dev nompi build/release/build.ninja
	@echo "== build: everything, optimised, into build/release"
	cmake --build --preset release --parallel $(JOBS)
	@echo "== test"
	ctest --preset release --parallel $(JOBS)

build: packages build/release/build.ninja
	@echo "== build: build/release/cleave"
	cmake --build --preset release --parallel $(JOBS) --target cleave cleave_library

dev: packages build/dev/build.ninja
	@echo "== build: unit tests under sanitizers, into build/dev"
	cmake --build --preset dev --parallel $(JOBS) --target unit_tests

nompi: packages build/nompi/build.ninja
	@echo "== build: the program without MPI, into build/nompi"
	cmake --build --preset nompi --parallel $(JOBS) --target cleave cleave_library comm_test

packages:
	@scripts/install_packages.sh build

packages-checks:
	@scripts/install_packages.sh build checks

model: packages
	@scripts/fetch_model.sh

check-style: packages-checks
	@echo "== style"
	@scripts/check_style.sh

format: packages-checks
	@scripts/sources.sh | xargs clang-format -i

tidy: packages-checks build/release/build.ninja
	@echo "== clang-tidy"
	@scripts/run_tidy.sh build/release $(JOBS)

fuzz: packages-checks build/fuzz/build.ninja
	@echo "== build: fuzz targets, into build/fuzz"
	cmake --build --preset fuzz --parallel $(JOBS) --target fuzz/all
	@scripts/run_fuzz.sh build/fuzz $(FUZZ_SECONDS)

clean:
	rm -rf build/release build/dev build/nompi build/tsan build/fuzz

# Ninja configures again by itself when a CMakeLists.txt changes; it does not know of the presets.
build/%/build.ninja: CMakePresets.json | packages
	cmake --preset $*
	@touch $@
