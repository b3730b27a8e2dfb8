# What is done with this tree. `make help` lists it; CI runs `make test`.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BINARY  := bin/tollgate
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GOBUILD := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

# Packages whose work is concurrent run under the race detector. The others do
# not: pure-Go SQLite is ten times slower under it, and finds nothing there.
RACE := app bus gateway job mailbox marketsim meter notify quota sink testkit

PACKAGES  ?= ./...
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
WORKSPACES ?= 1000000
CYCLES    ?= 2000
ROUNDS    ?= 5
EACH      ?= 3

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## build the binary, without cgo, into bin/
	$(GOBUILD) -o $(BINARY) ./cmd/tollgate

.PHONY: demo
demo: build ## build and run the whole upgrade on this machine: one file, no services, mail included
	exec $(BINARY) demo

.PHONY: test
test: ## install what is missing, then run every check and every test (or those of PACKAGES), as CI does
	scripts/prepare.sh
	$(MAKE) --no-print-directory lint
	PACKAGES="$(PACKAGES)" scripts/test.sh $(RACE)

.PHONY: lint
lint: ## formatting, vet, generated files, and the guards on layers and sizes
	scripts/lint.sh

.PHONY: generate
generate: ## write the generated files anew
	scripts/generate.sh
	go generate ./...

.PHONY: fuzz
fuzz: ## fuzz each hostile input for FUZZTIME (10s)
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## run the benchmarks; compare two runs with benchstat
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

.PHONY: bench-billing
bench-billing: ## rating, and the close of WORKSPACES (1000000) against a bare COPY of their lines, on a PostgreSQL of its own
	TOLLGATE_POSTGRES_SETTINGS="shared_buffers=4GB max_wal_size=8GB" WORKSPACES="$(WORKSPACES)" \
		go test -tags bench -run '^TestBillingSpeed$$' -count 1 -v -timeout 60m ./internal/store/storetest

.PHONY: fire
fire: ## kill -9 processes CYCLES (2000) times in each of eight kinds of work; CI does it 50 times
	TOLLGATE_FIRE_CYCLES="$(CYCLES)" go test -run Killed -count 1 -v -timeout 12h ./internal/fire

.PHONY: bench-ledger
bench-ledger: ## deductions over the API beside pgbench, on a PostgreSQL of its own, and on SQLite: ROUNDS (5) of EACH (3) seconds
	TOLLGATE_POSTGRES_SETTINGS="shared_buffers=1GB max_wal_size=4GB" ROUNDS="$(ROUNDS)" EACH="$(EACH)" \
		go test -tags bench -run '^TestLedgerSpeed$$' -count 1 -v -timeout 20m ./internal/e2e

.PHONY: bench-gateway
bench-gateway: ## processor time of the gateway beside VictoriaMetrics, vmagent and bare servers: ROUNDS (5) of EACH (3) seconds
	scripts/peers.sh vmagent victoria-metrics
	ROUNDS="$(ROUNDS)" EACH="$(EACH)" \
		go test -tags bench -run '^TestGatewaySpeed$$' -count 1 -v -timeout 30m ./internal/e2e
	ROUNDS="$(ROUNDS)" go run -C scripts/bench-peers ./compare

.PHONY: golden
golden: ## write the golden files anew; read the diff before committing it
	@folders=$$(grep -rl --include='*_test.go' 'flag.Bool("update"' internal cmd 2>/dev/null | xargs -r -n1 dirname | sort -u); \
	for folder in $$folders; do go test "./$$folder" -update; done

.PHONY: clean
clean: ## remove what was built
	rm -rf bin out
