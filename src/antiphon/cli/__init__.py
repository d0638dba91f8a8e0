"""The command line: `antiphon --help`."""

from antiphon.cli.app import main

__all__ = ["main"]
