.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# A thousand modules of tests, and the code in each process that they start, are compiled once, whatever a machine's own
# environment says.
export PYTHONDONTWRITEBYTECODE :=

##@ Use
.PHONY: run
run: ## Install, migrate and serve on http://localhost:5000 (HOST=, PORT=)
	@$(PYTHON) scripts/start.py

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Develop
.PHONY: dev
dev: .dev ## Serve with reload on change
	@$(BIN)/python -m scripts.migrate && exec $(BIN)/python run.py

.PHONY: format
format: .dev ## Format Python and mend what the linter can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: migration
migration: .dev ## Write a migration from the models (MESSAGE="add groups")
	@next=$$(ls migrations/versions/*.py | wc -l | awk '{printf "%04d", $$1 + 1}') && \
		$(BIN)/alembic upgrade head && $(BIN)/alembic revision --autogenerate --rev-id $$next -m "$(MESSAGE)"

.PHONY: vendor
vendor: node_modules/.stamp ## Copy the browser's libraries from the npm lock
	node scripts/vendor.mjs

.PHONY: docs
docs: .dev ## Generate the reference documents
	$(BIN)/python -m scripts.generate_docs

.PHONY: holidays
holidays: .dev ## Read the public holidays from the library anew
	$(BIN)/python -m scripts.generate_holidays

.PHONY: screenshots
screenshots: .dev ## Take the pictures of the README anew
	PICTURES=docs/images $(BIN)/pytest tests/e2e/test_journey.py

.PHONY: lock
lock: .dev ## Lock the newest stable versions, with hashes
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-demo.in --overrides requirements-demo.overrides -o requirements-demo.txt
	$(LOCK) requirements-observe.in -o requirements-observe.txt
	$(LOCK) requirements-s3.in -o requirements-s3.txt
	$(LOCK) requirements-dev.in --overrides requirements-dev.overrides -o requirements-dev.txt
	$(LOCK) requirements-clients.in -o requirements-clients.txt
	$(LOCK) requirements-mutation.in -o requirements-mutation.txt
	$(subst 3.11,3.12,$(LOCK)) requirements-scan.in -o requirements-scan.txt
	$(LOCK) requirements-audit.in -o requirements-audit.txt

LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --upgrade \
	--universal --python-version 3.11 --generate-hashes

# Two processes of tests for each processor, for many wait, and eight at most; and a test to whoever is free.
PARALLEL := --numprocesses=$(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n > 4 ? 8 : 2 * n))) --dist=worksteal
# A site and a browser for each of a few processes, one more than processors, for each waits now and then; and a
# file to whoever is free: the last one weighs its site.
BROWSERS := --numprocesses=$(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n > 3 ? 4 : n + 1))) --dist=loadfile \
	--no-loadscope-reorder
# Of 1,100 tests in a browser one or two may fail by the moment alone: those that failed, once more; decision 109.
ONCE_MORE := --last-failed --last-failed-no-failures=none --maxfail=1
# What a test's many cases vary is mostly read before a statement is made, and SQLite is asked them all; a journey in
# the browser is made in every second of its looks.
CASES := --few-cases
# What other targets run.
ELSEWHERE := --ignore=tests/e2e --ignore=tests/faults --ignore=tests/stack --ignore=tests/compose

##@ Verify
.PHONY: test
test: services check test-sqlite test-mariadb test-faults stack-test e2e ## Everything CI runs

.PHONY: check
check: ## Format, lint, types, scripts of the pages, vendored files
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-python check-browser check-pages check-deployment

.PHONY: test-sqlite
test-sqlite: .dev .clients node_modules/.stamp ## Tests on SQLite
	MINGCHAT_CLIENTS=$(CURDIR)/.venv-clients/bin $(BIN)/pytest $(ELSEWHERE) $(PARALLEL)

.PHONY: test-mariadb
test-mariadb: .dev node_modules/.stamp ## Tests on MariaDB (CASES= for every case of those that have many)
	$(BIN)/pytest $(ELSEWHERE) --database=mariadb $(CASES) $(PARALLEL)

.PHONY: test-mysql
test-mysql: .mysql .dev node_modules/.stamp ## Tests on MySQL, as Debian's unstable has it (as root; half an hour)
	$(BIN)/pytest $(ELSEWHERE) --ignore=tests/routes/mariadb --database=mysql $(PARALLEL)

.PHONY: test-faults
test-faults: services .dev ## The quick ones of `make faults`, one for each row, in a minute
	$(BIN)/pytest tests/faults

.PHONY: stack-test
stack-test: services .dev ## nginx as shipped before two instances, MariaDB and Redis
	$(BIN)/pytest tests/stack

.PHONY: compose-test
compose-test: compose-services .dev ## Dockerfile and Compose file under a Docker engine of its own (as root; ten minutes)
	$(BIN)/pytest tests/compose

.PHONY: e2e
e2e: .dev node_modules/.stamp ## The whole journey in Chromium, with the real local model (CASES= in every look, LOOKS=others: the other colours, and motion)
	$(BIN)/pytest tests/e2e $(CASES) $(BROWSERS) || { [ $$? -eq 1 ] && $(BIN)/pytest tests/e2e $(BROWSERS) $(ONCE_MORE); }

.PHONY: lighthouse
lighthouse: .dev node_modules/.stamp ## Lighthouse on a phone: 95 at least in each category, over http and through nginx
	$(BIN)/python -m tests.e2e.lighthouse

.PHONY: bench
bench: .dev ## Cost of a relayed token against a bare relay; fails where a bound is missed
	$(BIN)/python -m bench

.PHONY: bench-scale
bench-scale: services .dev ## How many open answers one worker and two carry (twelve minutes)
	@$(BIN)/python -m bench.scale

.PHONY: bench-front
bench-front: services .dev ## What nginx adds to the first event, a message to the database, and a thousand slow clients to a page
	@$(BIN)/python -m bench.front

.PHONY: bench-search
bench-search: services .dev ## How long a search and a page of the list take among 10,000 conversations, on SQLite and MariaDB (half an hour)
	@$(BIN)/python -m bench.search

.PHONY: bench-passages
bench-passages: .dev ## How long the passages of a document of 2 MB of words are looked for (a minute)
	@$(BIN)/python -m bench.passages

.PHONY: bench-meaning
bench-meaning: .dev ## Whether an embedding model finds what words do not: ADDRESS=https://…/v1 MODEL=… (EMBEDDINGS_KEY in the environment)
	@$(BIN)/python -m bench.meaning $(ADDRESS) $(MODEL)

.PHONY: bench-requests
bench-requests: services .dev ## What the log of programs' requests costs, and its pages over a million rows, on SQLite and MariaDB (fifteen minutes)
	@$(BIN)/python -m bench.requests

.PHONY: bench-admin
bench-admin: services .dev ## How quick the pages of 5,000 people and a million entries of the audit log are, on SQLite and MariaDB (twenty minutes)
	@$(BIN)/python -m bench.admin

.PHONY: bench-page
bench-page: services .dev ## How quick the chat's page is in Chromium, wide and on a phone: first load, 1,000 messages, 10,000 conversations, 20,000 tokens (a quarter of an hour)
	@$(BIN)/python -m bench.page

.PHONY: bench-ledger
bench-ledger: .dev ## Pages, export and settlement over ten million entries (ROWS=, ROUNDS=, FOLDER=, REPORT=docs/ledger-at-scale.md)
	@$(BIN)/python -m bench.ledger

.PHONY: fuzz
fuzz: .dev ## A million made-up streams for the decoder of providers' answers
	$(BIN)/python -m bench.fuzz

.PHONY: properties
properties: .dev node_modules/.stamp ## The suite's properties, each asked with inputs drawn anew
	$(BIN)/pytest $(ELSEWHERE) -m hypothesis --hypothesis-profile=anew $(PARALLEL)

.PHONY: budgets
budgets: .dev ## Ten thousand sequences of a hundred acts that move budgets (RUNS=, STEPS=, DATABASE=mariadb)
	BUDGET_RUNS=$(or $(RUNS),10000) BUDGET_STEPS=$(or $(STEPS),100) $(BIN)/pytest $(PARALLEL) --hypothesis-profile=anew \
		--database=$(or $(DATABASE),sqlite) tests/services/test_budget_sequences.py

.PHONY: sequences
sequences: .dev ## As many of answers, stops, deaths, outages: the ledger is exact after each (RUNS=, STEPS=, DATABASE=mariadb)
	LEDGER_RUNS=$(or $(RUNS),10000) LEDGER_STEPS=$(or $(STEPS),100) $(BIN)/pytest $(PARALLEL) --hypothesis-profile=anew \
		--database=$(or $(DATABASE),sqlite) tests/routes/test_ledger_sequences.py

.PHONY: requests
requests: .dev ## Ten thousand requests of programs to a running server: one row for each, one end of each attempt (RUNS=, SEED=)
	GATEWAY_REQUESTS=$(or $(RUNS),10000) GATEWAY_SEED=$(or $(SEED),1) $(BIN)/pytest tests/serving/test_requests_logged.py

.PHONY: fuzz-gateway
fuzz-gateway: .dev ## A hundred thousand torn and mixed-up requests of programs to a running server: none is a fault of ours (RUNS=, SEED=)
	GATEWAY_FUZZED=$(or $(RUNS),100000) GATEWAY_SEED=$(or $(SEED),1) $(BIN)/pytest tests/serving/test_gateway_fuzzed.py

.PHONY: fuzz-pages
fuzz-pages: .dev ## A hundred thousand requests of everybody to every route of a running server: as described, no fault, nobody else's things (RUNS=, SEED=)
	PAGES_FUZZED=$(or $(RUNS),100000) PAGES_SEED=$(or $(SEED),1) $(BIN)/pytest tests/serving/test_pages_fuzzed.py

.PHONY: scan
scan: .dev ## An outside scanner (wapiti) over every page and list of a site that is set up, as a stranger and as its owner (SECONDS= for each attack)
	@MINGCHAT_VENV=$(CURDIR)/.venv-scan $(PYTHON) scripts/environment.py scan
	@$(BIN)/python -m tests.serving.scan .venv-scan/bin/wapiti $(SECONDS)

.PHONY: audit
audit: node_modules/.stamp ## Has any of the locked libraries a known weakness? Asks the databases of PyPI and npm, over the network
	@MINGCHAT_VENV=$(CURDIR)/.venv-audit $(PYTHON) scripts/environment.py audit
	@set -e; for lock in requirements requirements-demo requirements-observe requirements-s3 requirements-dev requirements-clients; do \
		.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement $$lock.txt; done
	npm audit

.PHONY: security
security: services compose-services .dev ## The tests that hold docs/security.md: notes how they went, fails unless every line passed (as root; half an hour)
	@rm -f tests/security/results.json
	@failed=; for tests in "$(ELSEWHERE) $(PARALLEL)" tests/stack "tests/e2e $(BROWSERS)" tests/compose; do \
		$(BIN)/python -m pytest $(NOTING) $$tests || failed=yes; done; $(BIN)/python -m scripts.generate_docs && \
		$(BIN)/python -m scripts.security_reference && [ -z "$$failed" ]

NOTING := -m security -p tests.support.security_results

.PHONY: coverage
coverage: .dev node_modules/.stamp ## Every branch of what books, limits and compares tokens and money is taken by its tests
	$(BIN)/pytest $(ELSEWHERE) $(PARALLEL) --cov --cov-report=term

.PHONY: mutation
mutation: export MINGCHAT_VENV := $(CURDIR)/.venv-mutation
mutation: ## Break the ledger and the tariffs in thousands of ways: tests must notice nine of ten (MODULES=, CHILDREN=)
	@$(PYTHON) scripts/environment.py run demo observe s3 dev mutation
	@$$MINGCHAT_VENV/bin/python -m scripts.mutation $(or $(CHILDREN),2) $(MODULES)

.PHONY: faults
faults: services .dev ## Faults at random under load, then a table (FAULTS=1000, SEED=, REPORT=docs/reliability.md)
	@$(BIN)/python -m tests.faults

.PHONY: services
services: ## Debian packages that the tests need (installs them as root)
	@$(PYTHON) scripts/test_services.py

.PHONY: compose-services
compose-services:
	@$(PYTHON) scripts/test_services.py compose

# A root folder of Debian's unstable, the only one with MySQL.
.mysql: | compose-services
	@rm -rf $@.part
	debootstrap --variant=minbase --include=mysql-server-core sid $@.part >/dev/null
	@mv $@.part $@

.PHONY: check-python
check-python: .dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy .

.PHONY: check-pages
check-pages: .dev
	$(BIN)/djlint --lint --quiet flask_app/templates

.PHONY: check-deployment
check-deployment: .dev
	$(BIN)/hadolint Dockerfile tests/compose/standins/*/Dockerfile
	$(BIN)/gixy nginx/nginx.conf
	$(BIN)/shellcheck scripts/*.sh mysql/*.sh tests/compose/standins/mysql/*.sh .ci/run

.PHONY: check-browser
check-browser: node_modules/.stamp
	node_modules/.bin/tsc -p jsconfig.json
	node scripts/vendor.mjs --check
	set -- tests/js/*.test.mjs; [ ! -e "$$1" ] || npm test --silent

.PHONY: .dev
.dev:
	@$(PYTHON) scripts/environment.py run demo observe s3 dev

.PHONY: .clients
.clients:
	@MINGCHAT_VENV=$(CURDIR)/.venv-clients $(PYTHON) scripts/environment.py clients

node_modules/.stamp: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
