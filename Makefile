# Two commands for users: `make teach` and `make test`. Everything is installed into .venv, nothing outside of it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TIMED  := tests/server/test_quick.py tests/web/test_quick.py
ARGS   ?= -p human --pretrain_labels 175 -e Reacher-v1 -n human-175

.PHONY: teach test check audit bench install page

teach: install
	$(BIN)/python rl_teacher/teach.py $(ARGS)

# As root this installs Chromium and OpenGL, and then no test of theirs may be skipped: see tests/system.py.
# Two processes, each with whole files: half of the time is spent waiting for commands that the tests start. What is
# timed runs after all the others, alone.
test: check audit
	$(BIN)/python web/build.py --check
	$(BIN)/python tests/system.py $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
		$(addprefix --ignore ,$(TIMED))
	$(BIN)/python tests/system.py $(BIN)/python -m pytest $(TIMED)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_architecture.py

# Known vulnerabilities of what is installed. Where the services do not answer it says "not audited" and goes on.
audit: install
	$(BIN)/python tests/audit.py

bench: install
	$(BIN)/python benchmarks/speed.py

install: $(VENV)/installed page

$(VENV)/installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || (echo "making $(VENV)" && $(PYTHON) -m venv $(VENV))
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		(echo "Python 3.11 or newer is needed; this is $$($(BIN)/python -V). Try: make PYTHON=python3.12" && exit 2)
	@echo "installing into $(VENV) (a few hundred MB, about two minutes the first time)"
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[dev]'
	@touch $@

page: $(VENV)/installed
	@$(BIN)/python web/build.py
