# One target a job. Two matter to a newcomer: `make demo` and `make test`.
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/release
ROLES := syncer controlplane agent hub
SEEDS ?= 2000
PARITY ?= all
SECONDS ?= 60
ARGS ?=
ONLY ?=
DOCKER ?= docker
IMAGE ?= ghcr.io/mqtt-informer/mqtt-informer:0.1.0

.PHONY: build man test parity bench guards demo pictures image lint deny fuzz sim bed-up bed-down clean

## bin/: mqtt-informer, a link for each role, the kubectl plugin, and what completes its words in kubectl
build:
	$(CARGO) build --release --workspace --bins
	mkdir -p bin
	cp -f $(RELEASE)/mqtt-informer $(RELEASE)/kubectl-mqinformer bin/
	for role in $(ROLES); do ln -sf mqtt-informer bin/$$role; done
	ln -sf kubectl-mqinformer bin/kubectl_complete-mqinformer

## The manual pages, into man/man1: man -M man kubectl-mqinformer-get
man: build
	mkdir -p man/man1
	bin/kubectl-mqinformer man --dir man/man1

## Everything: unit tests, the simulator, CLI snapshots, real clusters. Sets up all that it needs.
# The tests' own build makes the programs, too: `build` first would compile half of the dependencies twice, since
# dev-dependencies switch features of them on.
test:
	$(CARGO) test --release --workspace --no-run
	$(RELEASE)/bed build
	$(CARGO) test --release --workspace
	$(RELEASE)/bench guards

## Every case of kubectl beside ours (`make test` takes a sample): make parity PARITY=300 takes so many
parity:
	$(CARGO) test --release --workspace --no-run
	$(RELEASE)/bed build
	PARITY=$(PARITY) $(CARGO) test --release --workspace --test suite -- parity --nocapture

## Instruction counts beside the committed ones: make guards UPDATE=1 writes them (needs valgrind, or says so)
guards:
	$(CARGO) test --release --workspace --no-run
	$(RELEASE)/bench guards $(if $(UPDATE),--update)

## The image of samples/kubernetes (needs docker with buildx, or podman: make image DOCKER=podman)
image:
	$(DOCKER) build --build-arg REVISION=$$(git rev-parse HEAD) -t $(IMAGE) .

## The measured comparisons, into docs/benchmarks.md: make bench ONLY=latency, make bench BENCH_PODS=300 for a trial
bench: build
	$(RELEASE)/bench run $(ONLY)

## Formatting, clippy, layering, docs
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	CARGO_MANIFEST_DIR=$(CURDIR) rustc --edition 2024 --test tests/suite/layering.rs --out-dir $(TARGET) && $(TARGET)/layering --quiet
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

## Licences, sources and bans of every dependency (needs cargo-deny)
deny:
	cargo-deny --all-features check bans licenses sources

## The replica's simulator: make sim SEEDS=200000
sim:
	SEEDS=$(SEEDS) $(CARGO) test --release --workspace --lib -- replica::simulator::copies --nocapture

## Fuzz every decoder for SECONDS each (needs cargo-fuzz and a nightly toolchain)
fuzz:
	cd fuzz && for target in $$(cargo +nightly fuzz list); do \
	  cargo +nightly fuzz run $$target -- -max_total_time=$(SECONDS) || exit 1; done

## Simulated clusters behind a broker on loopback: make demo ARGS='-- get pods -A'
demo: build
	bin/kubectl-mqinformer demo $(ARGS)

## The README's pictures, out of the running demo: docs/pictures
pictures: build
	$(CARGO) build --release -p bed --example pictures
	$(RELEASE)/examples/pictures bin/kubectl-mqinformer docs/pictures

## Real clusters and a broker on this machine, until bed-down
bed-up: build
	$(RELEASE)/bed up

bed-down:
	$(RELEASE)/bed down

clean:
	$(CARGO) clean
	rm -rf bin man
