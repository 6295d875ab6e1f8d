"""What shells, folders and file names do to a program: names of any kind, closed streams, foreign settings, limits."""

import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli import cli

L, N = 5.0, 20
RUN = ["analyze", "--plugin", "dynamics", "--quantities", "msd", "--frame-interval", "1"]
NAMES = [
    "a b.xyz",
    "ünï.xyz",
    "p%s%d{}.xyz",
    "new\nline.xyz",
    "-dash.xyz",
    "quo'te\".xyz",
    "[x]*?.xyz",
    "x" * 200 + ".xyz",
]
BYTES = os.fsdecode(b"caf\xe9.xyz")  # Latin-1 in a folder of UTF-8 names


def write(path):
    rng = np.random.default_rng(0)
    positions = L * rng.random((N, 3)) + np.cumsum(rng.normal(0, 0.05, (4, N, 3)), axis=0)
    with open(path, "w") as file:
        for frame in positions % L:
            file.write(f'{N}\nLattice="{L} 0 0 0 {L} 0 0 0 {L}"\n')
            file.writelines(f"A {x} {y} {z}\n" for x, y, z in frame)
    return path


def start(folder, *arguments, **keywords):
    keywords = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **keywords}
    keywords["env"] = {**os.environ, **keywords.get("env", {})}
    return subprocess.run([sys.executable, "-m", "pelplug", *arguments], cwd=folder, timeout=600, **keywords)


def plain(said):
    """Whether a message is one sentence and nothing else."""
    text = said.decode(errors="replace")
    return "Traceback" not in text and "internal error" not in text and "Exception ignored" not in text


@pytest.mark.parametrize("name", [*NAMES, BYTES], ids=range(len(NAMES) + 1))
def test_names_of_files(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    ended = CliRunner().invoke(cli, [*RUN, "--quiet", "--", name])
    assert ended.exit_code == 0, ended.stderr
    (result,) = tmp_path.glob("*.dynamics.nc")
    found = pelplug.read_results(result)["dynamics"]
    assert found.attrs["input_file"] == os.fsencode(name).decode(errors="replace")


@pytest.mark.parametrize("length", [232, 252, 300])
def test_names_that_are_too_long(tmp_path, monkeypatch, length):
    """Refused before the work; a shorter one works."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.xyz")
    ended = CliRunner().invoke(cli, [*RUN, "a.xyz", "-o", "x" * (length - 3) + ".nc"])
    assert ended.exit_code == 2 and "too long; choose a shorter one (-o)" in ended.stderr, ended.stderr
    assert CliRunner().invoke(cli, [*RUN, "a.xyz", "-o", "x" * 200 + ".nc"]).exit_code == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"MPLBACKEND": "module://nowhere.backend_inline", "PYTHONIOENCODING": "ascii", "COLUMNS": "3"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "TMPDIR": "/nowhere"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_settings_of_others(tmp_path, settings):
    write(tmp_path / "ä.xyz")
    ended = start(tmp_path, *RUN, "ä.xyz", "-o", "out.nc", "--plot", "out.png", env=settings)
    assert ended.returncode == 0 and plain(ended.stderr), ended.stderr
    assert (tmp_path / "out.png").stat().st_size > 1000


def test_closed_streams(tmp_path):
    write(tmp_path / "a.xyz")
    shell = f'"{sys.executable}" -m pelplug {" ".join(RUN)} a.xyz --overwrite'
    for redirection in (">&-", ">&- 2>&- <&-", "| head -c 1 >/dev/null"):
        ended = subprocess.run(f"{shell} -o out.nc {redirection}", shell=True, cwd=tmp_path, capture_output=True)
        assert plain(ended.stderr) and ended.stderr == b"", (redirection, ended.stderr)
        assert (tmp_path / "out.nc").exists(), redirection
        (tmp_path / "out.nc").unlink()
    ended = subprocess.run(f"{shell} -o out.nc > /dev/full", shell=True, cwd=tmp_path, capture_output=True)
    assert ended.returncode == 1 and b"disk is full" in ended.stderr


def test_a_small_quota(tmp_path):
    write(tmp_path / "a.xyz")
    shell = f'ulimit -f 1; "{sys.executable}" -m pelplug {" ".join(RUN)} a.xyz -o out.nc --quiet'
    ended = subprocess.run(shell, shell=True, cwd=tmp_path, capture_output=True)
    assert ended.returncode == 1 and b"full" in ended.stderr and plain(ended.stderr), ended.stderr
    assert not (tmp_path / "out.nc").exists()


@pytest.mark.parametrize(
    "options",
    ["--wave-number inf", "--per-decade 99999999999999999999", "--fit-end 2", "--overlap-length nan"],
)
def test_numbers_that_are_none(tmp_path, options):
    path = str(write(tmp_path / "a.xyz"))
    run = ["analyze", "--plugin", "dynamics", "--frame-interval", "1", path, "-o", str(tmp_path / "a.nc")]
    ended = CliRunner().invoke(cli, [*run, *options.split()])
    assert ended.exit_code == 2 and ended.stderr.count("\n") == 1, ended.stderr


def test_what_numpy_mutters_is_not_heard(tmp_path):
    """A wave number at which nothing is left of F_s, and frames in which nothing moves."""
    path = write(tmp_path / "a.xyz")
    lines = path.read_text().splitlines(keepends=True)[: N + 2]
    (tmp_path / "frozen.xyz").write_text("".join(lines * 5))
    for name in ("a.xyz", "frozen.xyz"):
        run = ["analyze", "--plugin", "dynamics", "--frame-interval", "1", str(tmp_path / name), "--wave-number", "1e9"]
        ended = CliRunner().invoke(cli, [*run, "--quiet", "-o", str(tmp_path / f"{name}.nc")])
        assert ended.exit_code == 0 and ended.stderr == "", ended.stderr
