# make demo, make demo-detection: grade the example submissions. make test: the whole suite. Neither needs root or Docker.

PYTHON ?= python3.11
VENV := .venv
CONSTRAINTS := harness/sandbox/environments/constraints.txt
TORCH_LOCK := harness/sandbox/environments/torch.lock
EXAMPLE := reference_solution/classification
DETECTION := reference_solution/detection
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check install --quiet --constraint $(CONSTRAINTS)

.PHONY: demo demo-detection data detection-data detectors detector-reference install test clean

demo:
	$(MAKE) --jobs 2 install data
	$(VENV)/bin/harness weights fetch mobilenet_v2
	$(VENV)/bin/harness grade submissions/ --assignment $(EXAMPLE)/assignment.toml --out reports/demo \
		|| test $$? -eq 1  # 1: done, and some submissions cannot be graded, as the example means to show

demo-detection:
	$(MAKE) --jobs 2 install detection-data
	$(VENV)/bin/harness weights fetch mobilenet_v2
	$(MAKE) --jobs 2 detectors detector-reference
	$(VENV)/bin/harness grade submissions_detection/ --assignment $(DETECTION)/assignment.toml \
		--out reports/demo-detection || test $$? -eq 1

data: $(VENV)/drawing
	$(VENV)/bin/python $(EXAMPLE)/render_images.py --out $(EXAMPLE)/data

detection-data: $(VENV)/drawing
	$(VENV)/bin/python $(DETECTION)/render_images.py

# Each trains on one core, so they run side by side.
detectors: install
	$(VENV)/bin/python submissions_detection/make_models.py

detector-reference: install
	$(VENV)/bin/harness reference train $(DETECTION)/assignment.toml

install: $(VENV)/installed

test: $(VENV)/bin/tox
	$(VENV)/bin/tox run

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# What draws the examples' images, at the versions that the rest is installed with: they are drawn meanwhile.
$(VENV)/drawing: $(TORCH_LOCK) | $(VENV)/bin/python
	$(PIP) $$(grep --extended-regexp '^(numpy|pillow)==' $(TORCH_LOCK))
	touch $@

# torch first, by its exact version: where a CPU build of it is configured, pip then takes that one.
$(VENV)/installed: pyproject.toml $(CONSTRAINTS) $(TORCH_LOCK) | $(VENV)/drawing
	$(PIP) "$$(grep '^torch==' $(TORCH_LOCK))"
	$(PIP) --editable '.[grade,torch]'
	touch $@

$(VENV)/bin/tox: $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) tox
	touch $@

clean:
	rm -rf $(VENV) .tox reports/demo reports/demo-detection $(EXAMPLE)/data $(DETECTION)/data $(EXAMPLE)/baseline $(DETECTION)/baseline
