"""The command ``pelplug`` in a folder of its own, in this process: what it returns, prints and writes."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from pelplug.host import functions
from pelplug.testing.samples import registry_with

__all__ = ["CommandRunner", "Finished"]


@dataclasses.dataclass(frozen=True)
class Finished:
    """A command that has ended.

    Attributes
    ----------
    code : int
        Its exit code.
    stdout, stderr : str
        What it printed.
    """

    code: int
    stdout: str
    stderr: str


@dataclasses.dataclass(frozen=True)
class CommandRunner:
    """The command ``pelplug`` run in a folder, as a shell does.

    ::

        done = run("analyze", path, "--plugin", "foo", "-o", "foo.nc", also=[Foo])
        assert done.code == 0, done.stderr
        dataset = pelplug.read_results(run.folder / "foo.nc")["foo"]

    Attributes
    ----------
    folder : Path
        Where it runs.
    """

    folder: Path

    def __call__(self, *arguments: object, also: Iterable[Any] = (), code: int | None = None) -> Finished:
        """Run a command in this process, which has the compiled kernels.

        Parameters
        ----------
        *arguments : object
            What follows ``pelplug`` on the command line; paths and numbers become text.
        also : iterable, optional
            Analyses, studies, models, engines, exporters and readers that are not installed.
        code : int, optional
            The exit code that is due: with another one the test fails, with what the command has said.
        """
        out, err = io.StringIO(), io.StringIO()
        before = functions.default_registry() if also else None
        if also:
            functions.use_registry(registry_with(*also))
        try:
            with (
                contextlib.chdir(self.folder),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
                mock.patch.object(sys, "argv", ["pelplug", *map(_text, arguments)]),
            ):
                try:
                    importlib.import_module("pelplug.__main__").main()  # what `python -m pelplug` runs
                    ended = 0
                except SystemExit as end:
                    ended = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            if also:
                functions.use_registry(before)
        done = Finished(ended, out.getvalue(), err.getvalue())
        if code is not None and done.code != code:
            said = f"{done.stdout}\n{done.stderr}".strip()
            raise AssertionError(f"pelplug {' '.join(map(str, arguments))} ended with {done.code}, not {code}: {said}")
        return done

    def start(self, *arguments: object) -> subprocess.Popen:
        """Begin a command in a process of its own, to be interrupted or killed; analyses must be installed."""
        command = [sys.executable, "-m", "pelplug", *map(_text, arguments)]
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )


def _text(argument: object) -> str:
    return os.fspath(argument) if isinstance(argument, os.PathLike) else str(argument)
