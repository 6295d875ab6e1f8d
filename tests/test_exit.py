"""What is left open when a program ends is closed without a word."""

import subprocess
import sys

import click
import numpy as np
import pytest

import pelplug
from pelplug.cli.main import _answer
from pelplug.files.gsd import GSDWriter

# What outlives the interpreter's modules: things that C libraries, other modules and cycles hold.
KEPT = "import logging, sys; logging.kept = sys.kept = kept\nclass A: pass\na = A(); a.a, a.kept = a, kept; sys.a = a"
OPENED = {
    "trajectory": "kept = pelplug.open_trajectory('a.gsd'); kept.configuration(0)",
    "copy": "import pickle; kept = pickle.loads(pickle.dumps(pelplug.open_trajectory('a.gsd'))); kept.configuration(0)",
    "writer": "from pelplug.files.gsd import GSDWriter; kept = GSDWriter('b.gsd')\n"
    "kept.write(pelplug.read_configuration('a.gsd'))",
    "closed": "kept = pelplug.open_trajectory('a.gsd'); kept.close()",
}


@pytest.mark.parametrize("opened", OPENED)
def test_a_file_left_open_says_nothing(opened, tmp_path):
    state = pelplug.Configuration(np.random.default_rng(1).random((9, 3)), np.full(3, 3.0), ["A"] * 9)
    with GSDWriter(tmp_path / "a.gsd") as writer:
        writer.write(state)
    program = f"import pelplug\n{OPENED[opened]}\n{KEPT}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr, done.stderr
    if opened == "writer":
        assert np.allclose(pelplug.read_configuration(tmp_path / "b.gsd").positions, state.positions)


@pytest.mark.parametrize(
    ("cause", "code", "words"),
    [
        (EOFError("marshal data too short"), 1, "__pycache__"),
        (EOFError("Ran out of input"), 1, "Ran out of input"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_file_that_ends_too_early_is_no_interruption(cause, code, words, capsys):
    """Click makes the same exception of both."""
    abort = click.Abort()
    abort.__cause__ = cause
    assert _answer(abort, debug=False) == code
    assert words in capsys.readouterr().err
