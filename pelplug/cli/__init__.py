"""The command line: thin, and light to import (``pelplug --help`` loads no numerical library)."""

from pelplug.cli.main import cli, main

__all__ = ["cli", "main"]
