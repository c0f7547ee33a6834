SHELL := bash
.DEFAULT_GOAL := help

MODULE  := github.com/flomesh-io/fsmc
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PKG     ?= ./...
BENCH   ?= .
FUZZTIME ?= 30s

# Tools are pinned in a module of their own, so that what they need never reaches the graph of what we ship.
TOOL  := go tool -modfile=tools/go.mod
# Expanded where it is used: the path of a real Envoy, fetched if need be, or the recipe fails.
ENVOY  = FSMC_ENVOY="$$(scripts/envoy.sh)" && export FSMC_ENVOY
# The race detector needs a C compiler, which Go looks for by itself.
RACE   = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race,$(info There is no C compiler here, so the tests run without the race detector.))

# No go.work of the surroundings, and goldens are rewritten by `make golden` alone.
export GOWORK := off
unexport GOLDIE_UPDATE

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: build build-demo tools ## Compile the bookstore, have a real Envoy load it, show the mesh, and run it with live traffic
	@$(ENVOY) && scripts/demo.sh

.PHONY: test
test: tools go-test demo-test ## Run every test, with the race detector and a real Envoy

.PHONY: test-deep
test-deep: ## Run the properties with many more random meshes and edits (minutes)
	@$(ENVOY) && FSMC_DEEP=1 go test -count=1 -timeout 60m ./model ./compiler ./sources/... ./sinks/ads

.PHONY: build
build: ## Build bin/fsmc
	@go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/fsmc ./cmd/fsmc

.PHONY: build-demo
build-demo: ## Build bin/fsm-demo, the programs of the bookstore
	@cd demo && go build -trimpath -o ../bin/fsm-demo ./cmd/fsm-demo

.PHONY: tools
tools: ## Install what the mesh on one machine needs, where that can be done
	@scripts/tools.sh

.PHONY: golden
golden: ## Rewrite the goldens under testdata/ from nothing; then read the diff
	@$(ENVOY) && GOLDIE_UPDATE=1 go test -count=1 . -run TestPipeline

.PHONY: check
check: check-fmt go-vet go-lint check-codegen ## Everything that can be said without running the tests

.PHONY: bench
bench: ## Measure everything (25 minutes); BENCH=push/1000 chooses, KEEP=date keeps the figures
	@$(ENVOY) && go run ./tests/bench -run '$(BENCH)' $(if $(KEEP),-keep '$(KEEP)')

.PHONY: soak
soak: ## Edit a mesh with real Envoys under load for FOR (30m); SEED=2 edits otherwise, JSON=file keeps the report
	@$(ENVOY) && go run ./tests/soak -for '$(or $(FOR),30m)' -seed '$(or $(SEED),1)' $(if $(JSON),-json '$(JSON)')

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: go-test
go-test: ## Run the tests; PKG=./compiler narrows
	@$(ENVOY) && go test $(RACE) -shuffle=on -timeout 20m $(PKG)

.PHONY: go-bench
go-bench: ## Run Go's own benchmarks; BENCH=regexp chooses, PKG=./compiler narrows
	@go test -timeout 60m -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

.PHONY: demo-test
demo-test: ## Run the tests of the demo's programs
	@cd demo && go vet ./... && go test $(RACE) -shuffle=on ./...

.PHONY: go-test-coverage
go-test-coverage: ## Run the tests, write coverage/index.html, fail below 80 %
	@$(ENVOY) && scripts/coverage.sh

.PHONY: go-lint
go-lint: ## Run golangci-lint
	@$(TOOL) golangci-lint run

.PHONY: go-fmt
go-fmt: ## Format the code with goimports
	@$(TOOL) goimports -local $(MODULE) -w .

.PHONY: check-fmt
check-fmt: ## Fail if go-fmt would change a file
	@files="$$($(TOOL) goimports -local $(MODULE) -l .)" && { [ -z "$$files" ] || { echo "make go-fmt would change:"; echo "$$files"; exit 1; }; }

.PHONY: go-vet
go-vet: ## Run go vet
	@go vet ./...

.PHONY: codegen
codegen: ## Regenerate what is generated from code
	@go generate ./...

.PHONY: check-codegen
check-codegen: ## Fail if codegen would change a file
	@scripts/check-codegen.sh

.PHONY: clean
clean: ## Remove what was built; the fetched Envoy stays
	@rm -rf bin out coverage
