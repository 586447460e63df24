# Gantry: what can be made. `make` alone lists it.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   = -s -w -X main.version=$(VERSION)
GO_BUILD  = CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
PROGRAMS  = ./agent/cmd/gantry-agent ./relay/cmd/gantry-relay
PRODUCT   = ./agent/... ./configs/... ./connectors/... ./installer/... ./relay/... ./tunnel/...
PLATFORMS = linux/amd64 linux/arm64 windows/amd64
TOOL      = go tool -modfile=.ci/tools.mod
FUZZTIME ?= 30s
# lib is SQLite, C translated to Go: its memory is its own, of which the detector knows nothing, and watching it takes five times as long. Only
# this package: one with generic code of sync/atomic in it would leave all of the program with an unwatched copy.
RACE      = -race -gcflags='modernc.org/sqlite/lib=-race=false'

# Packages want a version that begins with a digit and sorts: 1.2.3, and 1.2.3+4.gabcdef four commits later.
PACKAGE_VERSION = $(shell echo '$(VERSION)' | sed -E "/^v[0-9]/!s/^/v0.0.0-$$(git rev-list --count HEAD 2>/dev/null || echo 0)./; s/^v//; s/-/+/; s/-/./g")

# The time of everything that is released: the commit's.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.DEFAULT_GOAL := help
.PHONY: help demo build test check generate bench prove systems test-systems systems-down test-browser screenshots fuzz dist msi reproduce

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## run relay, agent and a demo plant, make real calls, and stay up; ARGS=--once ends after the calls
	@$(GO_BUILD) -o bin/ ./house/demo
	@bin/demo $(ARGS)

build: ## build both programs into bin/, static, without cgo
	@$(GO_BUILD) -o bin/ $(PROGRAMS)

test: ## run all tests with the race detector; needs no service
	go test $(RACE) -timeout 25m ./...

check: ## formatting, vet, staticcheck, go fix, and that it builds for every platform
	@unformatted="$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go'))"; \
		if [ -n "$$unformatted" ]; then echo "run gofmt -w on: $$unformatted"; exit 1; fi
	go vet -tags prove,systems,browser ./...
	$(TOOL) staticcheck -tags prove,systems,browser ./...
	@old="$$(go fix -diff ./... 2>&1)" || true; if [ -n "$$old" ]; then echo "$$old"; echo "run go fix ./..."; exit 1; fi
	go test ./house -run 'TestArrows|TestPackageComments'
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build $(PRODUCT)
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build $(PRODUCT)

generate: ## write the generated files anew: documents, published schemas, golden files
	go test ./tunnel/fault ./tunnel/check ./configs ./agent/bundle ./connectors/entity ./connectors/sql -run 'IsCurrent|TestRenderedStatements' -update
	go test ./relay/api -run TestDocumentIsCurrent -update
	go test -p 1 ./agent/cmd/gantry-agent ./relay/cmd/gantry-relay -run TestGenerated -update

bench: ## measure speed and memory beside direct access, two plain TLS hops and frp, in one table
	@house/bench/frp.sh .bench/frp || echo "frp could not be built: its column stays empty"
	@go build -o .bench/bench ./house/bench && .bench/bench -frp .bench/frp $(ARGS)
	@go test ./house -run '^$$' -bench Dashboard -benchtime 15x -timeout 30m

systems: ## install and start real systems on loopback (Debian 12, as root; Go, Node): Tryton, Odoo, PocketBase, a token server, SAP's mock server for OData, toxiproxy, OpenSSH, Samba, PHP's SoapServer
	@house/systems/systems.sh up

test-systems: ## run the connectors against the systems that `make systems` started
	go test -tags systems ./connectors/files ./connectors/jsonrpc ./connectors/odata ./connectors/rest ./connectors/soap ./house -run 'TestConformance|TestSFTP|TestRefusedLogin|TestOutboundOnServers|TestCSVDropOn|TestSecurity|TestSOAP|TestOData|TestTryton|TestOdoo|TestPocketBase|TestTokens|TestDefinitionsInAnEditor' -count 1 -timeout 30m -v

systems-down: ## stop them; their data stays in .systems
	@house/systems/systems.sh down

test-browser: house/chromium/node_modules ## work the dashboard in a real Chromium, by mouse and by keyboard, and let axe-core judge its pages; needs chromium, npm
	go test -tags browser ./house -run TestBrowser -count 1 -timeout 20m -v

screenshots: ## take pictures of every page of the dashboard, into docs/screenshots; needs chromium, pngquant, PostgreSQL
	go test -tags browser ./house -run TestScreenshots -count 1 -timeout 20m -screenshots $(CURDIR)/docs/screenshots

house/chromium/node_modules: house/chromium/package-lock.json
	npm ci --prefix house/chromium --silent --no-audit --no-fund

prove: fuzz ## what takes minutes: kills, a million rows, proxies, fuzzing
	go test -tags prove ./house -count 1 -timeout 60m -v

fuzz: ## run every fuzz target for FUZZTIME
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file" | while read -r target; do \
			echo "fuzz $$(dirname "$$file") $$target"; \
			go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x </dev/null || exit 1; \
		done || exit 1; \
	done

dist: build ## build what is released into dist/: programs, deb, rpm, MSI, SBOMs, checksums; the same bytes from the same commit
	@rm -rf dist && mkdir dist
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*}; arch=$${platform#*/}; suffix=; [ $$os = windows ] && suffix=.exe; \
		for program in $(PROGRAMS); do \
			name=$$(basename $$program); out=dist/$$name-$$os-$$arch$$suffix; echo $$out; \
			GOOS=$$os GOARCH=$$arch $(GO_BUILD) -buildvcs=false -o $$out $$program; \
			[ $$name-$$os != gantry-agent-windows ] || installer/msi/program.sh $(VERSION) $$out; \
			$(TOOL) cyclonedx-gomod bin -json -std -noserial -notimestamp -version $(VERSION) -output $$out.cdx.json $$out 2>/dev/null; \
			[ $$os = windows ] || NFPM="$$($(TOOL) -n nfpm)" installer/packages/build.sh $$name $$arch $(PACKAGE_VERSION) $$out bin/$$name dist; \
		done; \
	done
	@if command -v wixl >/dev/null; then installer/msi/build.sh $(VERSION) dist/gantry-agent-windows-amd64.exe dist/gantry-agent-amd64.msi; \
		else echo "no MSI: apt-get install wixl msitools"; fi
	@cd dist && sha256sum gantry-* > SHA256SUMS

msi: ## build the agent's MSI alone into bin/; SIGN_CERT, SIGN_KEY and SIGN_TIMESTAMP sign it, as they do in dist
	GOOS=windows GOARCH=amd64 $(GO_BUILD) -buildvcs=false -o bin/gantry-agent.exe ./agent/cmd/gantry-agent
	installer/msi/program.sh $(VERSION) bin/gantry-agent.exe
	installer/msi/build.sh $(VERSION) bin/gantry-agent.exe bin/gantry-agent-amd64.msi

reproduce: ## prove that the last commit gives the same bytes twice: make dist in two other folders, and compare
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
		for copy in one another/deeper; do git clone -q . "$$folder/$$copy"; done; \
		for copy in one another/deeper; do $(MAKE) -s -C "$$folder/$$copy" dist VERSION=$(VERSION); done; \
		diff "$$folder/one/dist/SHA256SUMS" "$$folder/another/deeper/dist/SHA256SUMS"; \
		cat "$$folder/one/dist/SHA256SUMS"; echo "the same bytes twice"
