# Gantry: what can be made. `make` alone lists it.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   = -s -w -X main.version=$(VERSION)
GO_BUILD  = CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
PROGRAMS  = ./agent/cmd/gantry-agent ./relay/cmd/gantry-relay
PRODUCT   = ./agent/... ./configs/... ./connectors/... ./installer/... ./relay/... ./tunnel/...
PLATFORMS = linux/amd64 linux/arm64 windows/amd64
TOOL      = go tool -modfile=.ci/tools.mod
FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help demo build test check generate bench prove fuzz dist

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## run relay, agent and a demo plant, make real calls, and stay up; ARGS=--once ends after the calls
	@$(GO_BUILD) -o bin/ ./house/demo
	@bin/demo $(ARGS)

build: ## build both programs into bin/, static, without cgo
	@$(GO_BUILD) -o bin/ $(PROGRAMS)

test: ## run all tests with the race detector; needs no service
	go test -race ./...

check: ## formatting, vet, staticcheck, go fix, and that it builds for every platform
	@unformatted="$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go'))"; \
		if [ -n "$$unformatted" ]; then echo "run gofmt -w on: $$unformatted"; exit 1; fi
	go vet -tags prove ./...
	$(TOOL) staticcheck -tags prove ./...
	@old="$$(go fix -diff ./... 2>&1)" || true; if [ -n "$$old" ]; then echo "$$old"; echo "run go fix ./..."; exit 1; fi
	go test ./house -run 'TestArrows|TestPackageComments'
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build $(PRODUCT)
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build $(PRODUCT)

generate: ## write the generated files anew: documents, published schemas, golden files
	go test ./tunnel/fault ./tunnel/check ./configs ./connectors/entity ./connectors/sql -update

bench: ## measure speed and memory beside direct access, two plain TLS hops and frp, in one table
	@house/bench/frp.sh .bench/frp || echo "frp could not be built: its column stays empty"
	@go build -o .bench/bench ./house/bench && .bench/bench -frp .bench/frp $(ARGS)

prove: fuzz ## what takes minutes: kills, a million rows, proxies, fuzzing
	go test -tags prove ./house -count 1 -timeout 60m -v

fuzz: ## run every fuzz target for FUZZTIME
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file" | while read -r target; do \
			echo "fuzz $$(dirname "$$file") $$target"; \
			go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x </dev/null || exit 1; \
		done || exit 1; \
	done

dist: ## build static binaries of every platform into dist/, with their checksums
	@rm -rf dist && mkdir dist
	@for platform in $(PLATFORMS); do \
		os=$${platform%/*}; arch=$${platform#*/}; suffix=; [ $$os = windows ] && suffix=.exe; \
		for program in $(PROGRAMS); do \
			out=dist/$$(basename $$program)-$$os-$$arch$$suffix; echo $$out; \
			GOOS=$$os GOARCH=$$arch $(GO_BUILD) -o $$out $$program || exit 1; \
		done; \
	done
	@cd dist && sha256sum gantry-* > SHA256SUMS
