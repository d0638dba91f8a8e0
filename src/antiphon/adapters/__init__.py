"""Agents of other libraries as runs: each module wraps the unmodified agent of one library, and needs that library."""
