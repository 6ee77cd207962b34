"""Measurements of speed. `make bench` runs them all; figures compare within one run only."""
