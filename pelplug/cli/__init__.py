"""The command line, thin and light to import. For users at a shell."""

from pelplug.cli.main import cli, main

__all__ = ["cli", "main"]
