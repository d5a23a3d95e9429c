"""Benchmarks: each compares two things side by side in one run. Absolute times mean little on a shared machine; the ratio is the figure."""
