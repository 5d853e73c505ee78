# Live call routing. `make` lists the targets.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

VERSION  := $(shell sed -n 's/^ *"version": *"\(.*\)",*$$/\1/p' manifest.json | head -n 1)
# The folder's path is left out of what is compiled, so that a clone elsewhere compiles nothing anew.
export GOFLAGS := $(strip -trimpath $(GOFLAGS))
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
PLUGIN   := bin/plugins/livecall
RACE     := $(if $(shell command -v $$(go env CC 2>/dev/null) 2>/dev/null),-race)
# Packages that compute and start no goroutines: the race detector would find nothing there, and make
# them many times slower.
PURE     := $(addprefix ./,plugin/internal/callflow/... plugin/internal/options plugin/internal/prompts plugin/internal/twiml \
	plugin/internal/render host-sdk/router/... host-sdk/internal/yamltree host-sdk/platform/embedded/switchboardfile \
	host-sdk/platform/embedded/schedule host-sdk/form host-sdk/phone host-sdk/oneline host-sdk/publicurl) \
	$(addprefix ./host-sdk/cmd/switchboard/internal/,cli/... installer inspect lists)
OTHERS   = $(shell go list ./... | grep -v -x -F "$$(go list $(PURE))")
# Tests that run the real programs: with the race detector they take twice as long.
PROGRAMS := ./docs/... ./integration-tests/... ./host-sdk/cmd/switchboard
# Packages at a time: mostly they wait.
TOGETHER := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2))))
# Packages whose tests mostly wait, the longest first: make test begins with them, and the others compute
# beside them.
WAITING  := $(addprefix ./integration-tests/,. attacks platforms goalert renderers browser campaign hosts)
# Tests that take longest: stories in a browser, hosts that die at each commit, campaigns, upgrades,
# commands that are killed at each step, the tutorial, recipes that change the sources, the store's suites
# on a server. make test leaves them to make test-long, so that it ends in a few minutes.
LONG     := ^(TestStory.*|TestRetentionOf.*|TestACallGoesOnWhicheverCommit.*|TestCallsGoOn.*|TestCampaign.*|TestUpgrade.*|TestAPluginIsUpgradedAndTaken.*|TestACallThatANewerPlugin.*|TestTutorialWith.*|TestRecipes|TestSurvivors.*|Test.*MayBeKilled.*|TestConformanceOnAServer|TestConformanceBehindAPgBouncer|TestConformanceWithTransactionsRunTwice)$$
LONGEST  := $(addprefix ./,integration-tests integration-tests/campaign integration-tests/mutate docs host-sdk/cmd/switchboard host-sdk/store/sqlstore host-sdk/platform/embedded)
# Test binaries without tables for a debugger are linked in two thirds of the time, and the linters
# vet. Without cgo, as the product is built (CGO_ENABLED=0 at the targets), both compile the same.
QUICK    := -vet=off -ldflags '-s -w' -timeout 20m
# The race detector leaves out SQLite, which is C that was translated to Go and most of what such tests
# compute. Only that package, as it has no generic functions: of those that several packages have, the
# linker takes one, and the detector would miss the locks in it.
GOTEST   := $(if $(RACE),,echo "no C compiler: the race detector is left out (apt-get install gcc)"; )go test -vet=off -ldflags '-s -w' $(if $(RACE),$(RACE) '-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0') -p $(TOGETHER) -timeout 20m
TOOLS    := .ci/bin
GOLANGCI := $(TOOLS)/golangci-lint
GOLANGCI_VERSION := v2.15.0
BUF_VERSION      := 1.75.0
ACTIONLINT       := go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
# From npm, which has it built: building it takes longer than all else that make generate does.
BUF              := npx --yes @bufbuild/buf@$(BUF_VERSION)

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## start switchboard, the plugin and a Twilio simulator with the sample file, and say what to try
	@bin/twiliosim demo

.PHONY: build
build: need-go ## build bin/switchboard, bin/twiliosim and the plugin's folder bin/plugins/livecall
	@echo "building switchboard, twiliosim and the plugin below bin/ (the first time takes a minute)"
	@$(BUILD) -o bin/switchboard ./host-sdk/cmd/switchboard
	@$(BUILD) -o bin/twiliosim ./integration-tests/twiliosim/cmd/twiliosim
	@mkdir -p $(PLUGIN)
	@$(BUILD) -o $(PLUGIN)/livecall ./plugin
	@go run ./host-sdk/manifest/sealmanifest -from manifest.json $(PLUGIN) >/dev/null

.PHONY: test
test: export GOGC ?= 400 # tests end before they need much memory
test: export CGO_ENABLED := 0
test: need-go ## run the tests, without the race detector and the longest (test-long); skip those whose component is missing
	@command -v npm >/dev/null || echo "no npm: tests against Twilio's OpenAPI document, of forms and of a host in Node are skipped"
	@command -v chromium google-chrome >/dev/null || [ -n "$$LIVECALL_CHROMIUM" ] || echo "no Chromium: tests of pages are skipped"
	@command -v nginx >/dev/null && command -v caddy >/dev/null || echo "no nginx or Caddy: tests of proxies are skipped"
	@command -v promtool >/dev/null || echo "no promtool: tests of the alert rules are skipped"
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || echo "no PostgreSQL: tests on it are skipped"
	@[ -x /usr/sbin/pgbouncer ] || command -v pgbouncer >/dev/null || echo "no PgBouncer: tests behind it are skipped"
	@go build ./... # once for both
	@go test $(QUICK) -p 2 -skip '$(LONG)' $(WAITING) & waiting=$$!; trap 'kill $$waiting' INT TERM; \
	go test $(QUICK) -p 2 -skip '$(LONG)' $$(go list ./... | grep -v -x -F "$$(go list $(WAITING))"); others=$$?; \
	wait $$waiting && exit $$others

.PHONY: test-long
test-long: export GOGC ?= 400
test-long: export CGO_ENABLED := 0
test-long: build ## run the longest tests: stories in a browser, dying hosts, campaigns, upgrades, the tutorial, suites on PostgreSQL
	go test $(QUICK) -p 3 -run '$(LONG)' $(LONGEST)

.PHONY: test-race
test-race: export GOGC ?= 400
test-race: export LIVECALL_TESTS := go
test-race: need-go ## run the tests of the packages that start goroutines under the race detector, without the real programs
	$(GOTEST) $(filter-out $(shell go list $(PROGRAMS)),$(OTHERS))

.PHONY: test-go
test-go: export LIVECALL_TESTS := go
test-go: need-go ## run the tests that need Go alone, with the race detector where there is a C compiler
	go test -p $(TOGETHER) $(PURE)
	$(GOTEST) $(OTHERS)

.PHONY: test-browser
test-browser: export LIVECALL_TESTS := all
test-browser: need-go ## run the tests of pages and forms, which need Chromium and npm
	$(GOTEST) ./integration-tests/browser ./integration-tests/renderers
	$(GOTEST) -run '^TestStory' ./integration-tests
	$(GOTEST) -run '^(TestARecordingDeletedWhileItPlays|TestTheWayInFitsATelephone)$$' ./host-sdk/cmd/switchboard/internal/pages

.PHONY: test-npm
test-npm: export CGO_ENABLED := 0
test-npm: export LIVECALL_TESTS := all
test-npm: need-go ## run the tests against Twilio's OpenAPI document, with an OpenID provider, and of a host in Node, which npm fetches once
	go test $(QUICK) -run '^TestOpenAPI' ./integration-tests/twiliosim/...
	go test $(QUICK) -run '^TestNode' ./integration-tests/hosts
	go test $(QUICK) -run '^TestOpenIDProvider' ./host-sdk/cmd/switchboard/internal/pages

.PHONY: test-monitoring
test-monitoring: export LIVECALL_TESTS := all
test-monitoring: need-go ## run the tests of the alert rules, which need promtool (Debian's package prometheus)
	$(GOTEST) -run '^TestRules' ./docs

.PHONY: test-proxies
test-proxies: export LIVECALL_TESTS := all
test-proxies: need-go ## run the test of the proxies in docs/reverse-proxy.md, which needs nginx and Caddy
	$(GOTEST) -run '^TestProxies$$' ./docs

.PHONY: test-postgres
test-postgres: export LIVECALL_TESTS := all
test-postgres: export LIVECALL_TEST_DATABASE := postgres
test-postgres: export LIVECALL_TEST_BOUNDARIES := all
test-postgres: need-go ## run the tests that can run on PostgreSQL (Debian's packages postgresql and pgbouncer) on it
	$(GOTEST) -timeout 40m ./host-sdk/store/... ./host-sdk/platform/embedded/... ./integration-tests/goalert # each pair of writers: minutes, where much else runs
	go test -timeout 30m -run '^(TestACallIsOne|TestACallGoesOn|TestAHostMayDie|TestCallsGoOn|TestHosts)' ./integration-tests # beside each other: they wait
	go test -timeout 20m -run '^TestCampaignOnTwoHosts$$' ./integration-tests/campaign

.PHONY: test-upgrade
test-upgrade: export LIVECALL_TESTS := all
test-upgrade: need-go ## play 200 calls on hosts of the previous release and of this one together, which needs PostgreSQL and the history of the repository
	$(GOTEST) -count=1 -v -run '^(TestUpgrade|TestAPluginIsUpgraded|TestACallThatANewerPlugin)' ./integration-tests -upgrade-calls 200

.PHONY: test-goalert
test-goalert: need-go ## run the tests of the GoAlert platform against the server of GOALERT_URL, with GOALERT_USER and GOALERT_PASSWORD
	@[ -n "$$GOALERT_URL" ] || { echo "GOALERT_URL is not set; integration-tests/goalertsim/FACTS.md says how to start the server"; exit 1; }
	go test -count=1 -parallel 1 -timeout 1h ./integration-tests/goalertsim ./integration-tests/goalert

.PHONY: search
search: need-go ## search the states of the call model to the full limit, without the race detector
	CALLFLOW_SEARCH_STATES=full go test -count=1 -timeout 15m -run '^TestSearch' -v ./plugin/internal/callflow

FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: need-go ## search for inputs that break a parser or a schedule, FUZZTIME (30s) for each target
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' host-sdk plugin integration-tests internal | \
	while IFS=: read -r file target; do \
		echo "$$(dirname $$file) $${target#func }"; \
		go test -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./$$(dirname $$file) </dev/null || exit 1; \
	done

.PHONY: lint
lint: export CGO_ENABLED := 0
lint: $(GOLANGCI) ## run the linters
	$(ACTIONLINT) -shellcheck= -pyflakes=
	$(GOLANGCI) run ./...
	cd .ci/tools && $(CURDIR)/$(GOLANGCI) run ./...

.PHONY: generate
generate: need-go need-npm ## generate code (protocol buffers, docs) with pinned tools
	$(BUF) lint
	$(BUF) format -w
	$(BUF) generate
	go generate ./...

.PHONY: check
check: test-go gates ## what a change must pass with Go and npm alone: tests, linters, generated code, modules

.PHONY: gates
gates: lint generated ## what a change must pass besides tests: linters, generated code, modules

.PHONY: generated
generated: need-go ## check modules, and that generated code is what make generate makes
	go mod tidy -diff
	go mod verify
	$(MAKE) generate
	@git diff --exit-code || { echo "generated files differ: run make generate and commit"; exit 1; }

PART ?= all
.PHONY: bench
bench: build ## measure the real processes: make bench PART=ratios, one, trouble, hosts, growth or quiet, ARGS=options; for minutes: hold, kills, acks, memory, node
	go run ./integration-tests/bench -part $(PART) -json bin/bench.json $(ARGS)

.PHONY: bench-compare
bench-compare: BASE ?= HEAD
bench-compare: build ## measure the commit BASE (default: the last one) and the working tree by turns; fail on a loss beyond noise
	@base=$$(mktemp -d) && trap 'git worktree remove --force "$$base"' EXIT && git worktree add --quiet --detach "$$base" $(BASE) && \
		$(MAKE) -C "$$base" build && \
		go run ./integration-tests/bench -part ratios -rounds 5 -base "$$base/bin" -json bin/bench.json

CALLS    ?= 10000
SEED     ?= 0
DURATION ?= 1h
REMOTE   ?= 25
HOSTS    ?= 1
STORAGE  ?= 1
.PHONY: campaign
campaign: need-go ## play random calls through the real programs and disturb everything: make campaign CALLS=500 SEED=7 DURATION=10m HOSTS=2
	go test -count=1 -v -timeout 3h -run '^TestCampaign$$' ./integration-tests/campaign -calls $(CALLS) -seed $(SEED) -duration $(DURATION) -remote $(REMOTE) $(if $(filter 1,$(HOSTS)),$(if $(filter 1,$(STORAGE)),-storage),-several)

.PHONY: mutate
mutate: need-go ## report decisions that a package's tests do not check: make mutate PKG=./host-sdk/webhook ARGS='-sample 100'
	go run ./integration-tests/mutate -exclude integration-tests/mutate/equivalent.txt $(ARGS) $(PKG)

PLATFORMS ?= linux-amd64,linux-arm64,darwin-amd64,darwin-arm64
DIST      := $(CURDIR)/dist

.PHONY: dist
dist: need-go ## build what a release consists of below dist/: archives, packages, image, list of parts, hashes, signatures
	@CGO_ENABLED=0 go -C .ci/tools run -trimpath ./dist -out $(DIST) -platforms $(PLATFORMS)

.PHONY: test-dist
test-dist: need-go ## build a release for this platform, sign, install and run it, and judge the licences of all that is linked
	go -C .ci/tools test -count=1 -timeout 15m ./dist

.PHONY: reproducible
reproducible: need-go ## build releases from two clones with other folders, modes and time zones, and compare them
	@.ci/reproducible $(PLATFORMS)

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist .ci/bin coverage.out

.PHONY: need-go
need-go:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or newer from https://go.dev/dl/"; exit 1; }

.PHONY: need-npm
need-npm:
	@command -v npx >/dev/null || { echo "npm is missing: install it (apt-get install npm)"; exit 1; }

$(GOLANGCI): Makefile
	@mkdir -p $(TOOLS)
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@touch $@
