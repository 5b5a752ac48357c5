"""The command line: parses, calls and prints."""

from kdrec.cli.app import app, main

__all__ = ["app", "main"]
