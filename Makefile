# The steps, as files that depend on files.
#   make serve                 serve models/sdss.onnx at http://127.0.0.1:8080
#   make test                  everything that is checked
#   make check                 the quick part of it
#   make model DATA=table.csv  train, export, verify, rewrite models/sdss.onnx
#   make model                 the same on a simulated table, into artifacts/synthetic.onnx
#   make card                  rewrite docs/model-card.md from models/sdss.onnx
#   make experiments DATA=...  the long computing of the analysis, into its results.json
#   make report DATA=...       check the numbers in its prose, run its notebooks, measure a fold again
#   make bench                 load a server with Locust
#   make faults                break a server in every way there is, and count what it lost
#   make peers                 measure the server beside its peers
#   make clients               ask a server with clients of the Open Inference Protocol, and with schemathesis
#   make attack                try on a server what SECURITY.md says is kept out
#   make image                 build the serving image
#   make licences              rewrite docs/licences.md from the pins of the server
#   make manifests             check Dockerfile, compose.yaml and ops/kubernetes
#   make fuzz RUNS=10000       throw made-up input at all that reads some

PYTHON ?= python3
IMAGE ?= sextant
ARTIFACTS ?= artifacts
# Without a table, one is simulated, and its model is kept apart from the one we ship.
ifdef DATA
MODEL ?= models/sdss.onnx
else
SIMULATED = $(ARTIFACTS)/simulated.parquet
MODEL ?= $(ARTIFACTS)/synthetic.onnx
endif
DURATION ?= 20
USERS ?= 32
RUNS ?= 10000
SEED ?= 1

NEEDS_DATA = test -n "$(DATA)" || { echo "name the table: make $@ DATA=path/to/table.csv"; exit 2; }

.PHONY: serve test check model card experiments report bench faults peers clients attack image \
  licences manifests fuzz requirements
.DELETE_ON_ERROR:

serve: .venv-serve/installed
	@exec .venv-serve/bin/python -m server

test check: .venv/installed
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest -n auto --dist worksteal --durations 40 $(if $(filter check,$@),-m "not slow and not long")

model: .venv/installed $(SIMULATED)
	.venv/bin/python -m research.train --data "$(or $(DATA),$(SIMULATED))" --out $(ARTIFACTS)
	@test $(MODEL) != models/sdss.onnx || ! grep -q '"name": "synthetic"' $(ARTIFACTS)/metrics.json || { \
	  echo "$(DATA) is synthetic: name another file than the model we ship, with MODEL=..."; exit 2; }
	.venv/bin/python -m export $(ARTIFACTS)/pipeline.skops $(ARTIFACTS)/holdout.parquet \
	  --target class --train $(ARTIFACTS)/train.parquet --metrics $(ARTIFACTS)/metrics.json \
	  --features $(ARTIFACTS)/features.json -o $(MODEL)
	$(if $(DATA),,@echo "$(MODEL) is SYNTHETIC: no object it was trained on was ever measured")

$(ARTIFACTS)/simulated.parquet: research/simulate.py research/sequences.py research/placing.py \
  | .venv/installed
	.venv/bin/python -m research.simulate --out $@

card: .venv/installed
	.venv/bin/python -m export.model_card models/sdss.onnx --prose research/model_card.md \
	  -o docs/model-card.md

experiments: .venv/installed
	@$(NEEDS_DATA)
	.venv/bin/python -m research.report.experiments --data "$(DATA)"

report: .venv/installed
	@$(NEEDS_DATA)
	.venv/bin/python -m research.report.prose
	SEXTANT_SURVEY="$(DATA)" .venv/bin/python -m research.report.notebooks
	SEXTANT_SURVEY="$(DATA)" .venv/bin/pytest -n auto -m long tests/research/report

bench: .venv/installed
	.venv/bin/python -m benchmarks.bench --users $(USERS) --seconds $(DURATION)

# make faults FAULTS="kill9 sigterm" ROUNDS=10; SHORT=1 takes few rounds of each.
faults: .venv/installed
	.venv/bin/python -m benchmarks.faults $(FAULTS) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(SHORT),--short)

# make peers PEERS="fastapi node" ROUNDS=1 SECONDS=1
peers: .venv/installed
	.venv/bin/python -m benchmarks.peers --artifacts "$(ARTIFACTS)" --only $(PEERS) \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS))

clients: .venv/installed
	.venv/bin/python -m tests.clients.check

attack: .venv/installed
	.venv/bin/python -m tests.attack

image:
	docker build --build-arg REVISION=$$(git describe --always --dirty) -t $(IMAGE) .
	@echo "built $(IMAGE); run it with:"
	@echo "  docker run --rm --read-only --tmpfs /tmp -v sextant:/data -p 127.0.0.1:8080:8080 \\"
	@echo "    -e SEXTANT_OPEN_TO_ALL=predict,read,labels $(IMAGE)"

licences: .venv/installed
	.venv/bin/python -m ops.image.licences

manifests: .venv/installed
	.venv/bin/python -m tests.ops.check_manifests

fuzz: .venv/installed .venv-fuzz/installed
	PYTHONPATH=.venv-fuzz .venv/bin/python -m tests.fuzz.campaign --runs $(RUNS) --seed $(SEED)

# Beside what the tests have, and not in it: there are no builds of it for other systems than Linux.
.venv-fuzz/installed: tests/fuzz/fuzz.txt | .venv/installed
	.venv/bin/uv pip install -q --python .venv/bin/python --target $(@D) --require-hashes -r $<
	@touch $@

# Pins with hashes for Python 3.11 to 3.13. The first file holds everything; the other two agree
# with it because it constrains them.
requirements: .venv/installed
	$(COMPILE) -c constraints.txt -o requirements-dev.txt requirements-dev.in
	$(COMPILE) -c requirements-dev.txt -o requirements-train.txt requirements-train.in
	$(COMPILE) -c requirements-dev.txt -o requirements-serve.txt requirements-serve.in
	for client in triton kserve mlserver schemathesis; do \
	  $(COMPILE) -o tests/clients/$$client.txt tests/clients/$$client.in || exit; done
	$(COMPILE) -o tests/fuzz/fuzz.txt tests/fuzz/fuzz.in
	$(COMPILE) -o tests/ops/checkers.txt tests/ops/checkers.in
	for peer in benchmarks/peers/*/requirements.in; do \
	  $(COMPILE) -o $${peer%.in}.txt $$peer || exit; done
	cd benchmarks/peers/node && npm install --package-lock-only --ignore-scripts \
	  --omit-lockfile-registry-resolved
COMPILE = .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes \
  --no-header --quiet

.venv-serve/installed: requirements-serve.txt
.venv/installed: requirements-dev.txt
.venv-serve/installed .venv/installed:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	  echo "Sextant needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is another;" \
	    "name one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
