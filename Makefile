# ivfbench: `make help` lists what can be made. Everything lives in .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUT    ?= results-ivfbench
FUZZ_SECONDS ?= 30
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ROOMS  := algorithms datasets results runner plots __main__.py __init__.py

.DEFAULT_GOAL := help
.PHONY: help bench figures test check suite lanes coverage work baseline kernels peers fuzz clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 18

$(VENV)/installed: pyproject.toml constraints.txt
	@echo "installing into $(VENV) (once; a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(PIP) --editable '.[test]'
	@touch $@

bench: $(VENV)/installed  ## run the quickstart experiment on the embedded dataset: table and figures
	@$(BIN)/ivfbench run quickstart --out $(OUT)

figures: $(VENV)/installed  ## draw the figures of OUT again
	@$(BIN)/ivfbench plot --out $(OUT)

test: check suite  ## checks and the suite (with `make lanes` and `make work` all that must pass)

check: $(VENV)/installed-test  ## style, types, packaging guards
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(ROOMS)
	$(BIN)/python -m pytest -q -W error tests/test_packaging.py

suite: $(VENV)/installed-test
	$(BIN)/python -m pytest -q -W error -n auto --dist loadfile --ignore tests/test_packaging.py

lanes: $(VENV)/installed-test  ## the tests of kernels again, with bounds checks and interpreted
	NUMBA_BOUNDSCHECK=1 NUMBA_OPT=1 $(BIN)/python -m pytest -q -W error -n auto --dist loadfile -m interpreted tests/algorithms
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -W error -n auto --dist loadfile -m interpreted tests/algorithms

coverage: $(VENV)/installed-test  ## lines of algorithms/ that the suite does not run with interpreted kernels
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -W error -n auto --dist loadfile -m interpreted tests/algorithms \
		--cov=ivfbench.algorithms --cov-report=term-missing:skip-covered

work: $(VENV)/installed-test  ## compare the quickstart's answers and work with the committed baseline
	$(BIN)/ivfbench run quickstart --mode batch --threads 2 --repetitions 1 --no-figures --out $(OUT)-work
	$(BIN)/ivfbench compare tests/baselines/quickstart.json $(OUT)-work

baseline: $(VENV)/installed-test  ## accept the present answers and work: writes the baseline anew
	$(BIN)/ivfbench run quickstart --mode batch --threads 2 --repetitions 1 --no-figures --out $(OUT)-work
	$(BIN)/ivfbench compare $(OUT)-work --write-baseline tests/baselines/quickstart.json

kernels: $(VENV)/installed-test  ## time the kernels with pytest-benchmark
	$(BIN)/python -m pytest -q --benchmark-enable --benchmark-only tests/benchmarks

peers: $(VENV)/installed-test  ## measure against faiss, in turns: make peers DATA="file.hdf5 ..."
	$(BIN)/python tests/benchmarks/against_faiss.py $(or $(DATA),drift)

fuzz: $(VENV)/installed-test  ## feed damaged files to the readers: make fuzz FUZZ_SECONDS=600 (each of four)
	@$(PIP) --editable '.[fuzz]'
	@mkdir -p .fuzz
	@for target in dataset vectors experiment result; do \
		echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
		$(BIN)/python tests/fuzz/fuzz.py $$target -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=.fuzz/$$target- \
			-print_final_stats=1 > .fuzz/$$target.log 2>&1 || { tail -n 30 .fuzz/$$target.log; exit 1; }; \
		grep stat::number_of_executed_units .fuzz/$$target.log; \
	done

clean:  ## remove the environment and everything generated here
	rm -rf $(VENV) $(OUT) $(OUT)-work build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .benchmarks .fuzz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
