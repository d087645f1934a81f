# rplay: two commands set everything up: `make deps` (once, on a bare Debian) and `make up`.
#   make deps        what Debian must have, a venv with ansible-lint; checks Rust
#   make build       rplay and the static runner, optimised                          (about 4 minutes the first time)
#   make up          build, four lab hosts, kubernetes.yml on them: a cluster        (hosts: 2 s, the first time 1 to 2 minutes; 200 MB)
#   make up-ha       the same with three masters and three members of etcd
#   make artifacts   programs and images of the lab's cluster, into ~/.cache/rplay/artifacts (built once: about 45 minutes; needs Go 1.26)
#   make test        everything that can be tested; CI runs exactly this
#   make test-all    also what takes long: faults, upgrade, scaling, restore, loss of a master, boot over the network
#   make etcd-test   members of etcd come, go and are replaced; snapshots; a lab of its own, some minutes
#   make pxe-test    a boot server, and machines that boot from it
#   make smoketest   the roles' own tests (tag `test`) on the lab
#   make clean       takes the lab away
#   make vagrant     the Vagrant hosts' ssh.config (needs vagrant)
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

CACHE ?= $(HOME)/.cache/rplay
export CARGO_TARGET_DIR ?= $(CURDIR)/target
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin
TRIPLE := $(shell uname -m)-unknown-linux-gnu
RUNNER := rplay-runner-$(shell uname -m)-linux
RELEASE := $(CARGO_TARGET_DIR)/release
DEBUG := $(CARGO_TARGET_DIR)/debug
RPLAY := $(RELEASE)/rplay
STATIC := CARGO_TARGET_$(shell echo $(TRIPLE) | tr 'a-z-' 'A-Z_')_RUSTFLAGS='-C target-feature=+crt-static'
# prints what of the time was rplay's own work
TIMED := ANSIBLE_CALLBACKS_ENABLED=profile_waiting
ARGS ?=


.PHONY: help deps build runner debug artifacts cluster-cache up up-ha down test test-all lint unit roles-test molecule-test etcd-test pxe-test smoketest clean vagrant bench checksums
help:
	@sed -n 's/^#   //p' Makefile

deps:
	sh scripts/deps.sh

build: runner
	cargo build --release -p rplay --bin rplay
	install -m 755 $(CARGO_TARGET_DIR)/$(TRIPLE)/release/rplay-runner $(RELEASE)/$(RUNNER)

# the program that goes to targets: static, so that it runs anywhere
runner:
	@echo "== building rplay and its runner (Rust $$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or newer)"
	$(STATIC) cargo build --release --target $(TRIPLE) -p rplay-modules --bin rplay-runner

# rplay as tests use it: quick to build
debug:
	$(STATIC) cargo build --profile quick --target $(TRIPLE) -p rplay-modules --bin rplay-runner
	cargo build -p rplay --bin rplay
	install -m 755 $(CARGO_TARGET_DIR)/$(TRIPLE)/quick/rplay-runner $(DEBUG)/$(RUNNER)

artifacts:
	sh lab/artifacts.sh $(ARGS)

up: build cluster-cache
	@echo "== lab: four hosts (2 s; the first time 1 to 2 minutes and 200 MB for the base image)"
	$(RPLAY) lab up
	@echo "== kubernetes.yml on the lab (about two minutes)"
	$(TIMED) $(RPLAY) -i inventories/lab.ini kubernetes.yml $(ARGS)

# three members of etcd, three masters behind one address, two workers
up-ha: build cluster-cache
	@echo "== lab: eight hosts"
	$(RPLAY) lab up --file lab/lab-ha.yml
	@echo "== kubernetes.yml on the lab of eight hosts"
	$(TIMED) $(RPLAY) -i inventories/lab-ha.ini kubernetes.yml $(ARGS)

cluster-cache: build
	@echo "== PyPy from Debian's packages (the first time about half a minute)"
	$(RPLAY) lab pypy >/dev/null
	@echo "== the cluster's programs and images (the first time 20 to 30 minutes; lab/README.md)"
	sh lab/artifacts.sh cluster

down:
	$(RPLAY) lab down

smoketest:
	$(RPLAY) --tags test $(ARGS)
	$(RPLAY) smoke.yml $(ARGS)

clean:
	if [ -x $(RPLAY) ]; then $(RPLAY) lab clean; $(RPLAY) lab clean --file lab/lab-ha.yml; fi

test: lint unit roles-test

unit: debug
	cargo test --workspace --no-fail-fast

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	sh scripts/lint.sh

roles-test: debug
	bash scripts/roles-test.sh $(DEBUG)/rplay

test-all: test etcd-test pxe-test
	bash scripts/cluster-test.sh $(DEBUG)/rplay
	bash scripts/molecule-test.sh $(DEBUG)/rplay

molecule-test: debug
	bash scripts/molecule-test.sh $(DEBUG)/rplay

etcd-test: debug
	bash scripts/etcd-test.sh $(DEBUG)/rplay

pxe-test: debug
	bash scripts/pxe-test.sh $(DEBUG)/rplay
	bash scripts/pxe-join.sh $(DEBUG)/rplay

bench: build
	bash bench/run.sh $(RPLAY) $(ARGS)

checksums:
	sh scripts/checksums.sh

vagrant:
	sh scripts/vagrant-ssh-config.sh > ssh.config
