"""Benchmarks: `python -m bench` measures all of them and writes docs/benchmarks.md."""
