"""The same question asked of GROMACS in double precision, Debian's package of which has the program gmx_d."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

__all__ = ["Answer", "gromacs", "needs_gromacs", "run_gmx", "write_g96"]

needs_gromacs = pytest.mark.skipif(
    shutil.which("gmx_d") is None, reason="the program gmx_d is not there (Debian: apt-get install gromacs)"
)

_MDP = {
    "integrator": "md", "nsteps": 0, "nstxout": 1, "nstfout": 1, "nstenergy": 1, "nstcalcenergy": 1,
    "cutoff-scheme": "Verlet", "coulombtype": "Cut-off", "coulomb-modifier": "none", "continuation": "yes",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Answer:
    """Energy [kJ/mol], positions [nm] and forces [kJ/mol/nm] as GROMACS prints them."""

    energy: float
    positions: np.ndarray
    forces: np.ndarray


def run_gmx(folder: pathlib.Path, *words: str, typed: str = "") -> None:
    done = subprocess.run(["gmx_d", *words], cwd=folder, input=typed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def gromacs(folder: pathlib.Path, start: str, **mdp) -> Answer:
    """Energy and forces of ``topol.top`` in a folder at a file of positions."""
    settings = _MDP | {key.replace("_", "-"): value for key, value in mdp.items()}
    (folder / "one.mdp").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    run_gmx(folder, "grompp", "-f", "one.mdp", "-c", start, "-p", "topol.top", "-o", "one.tpr", "-maxwarn", "9")
    run_gmx(folder, "mdrun", "-s", "one.tpr", "-deffnm", "one", "-nt", "1")
    run_gmx(folder, "energy", "-f", "one.edr", "-dp", "-o", "energy.xvg", typed="Potential\n")
    words = ("traj", "-f", "one.trr", "-s", "one.tpr", "-fp", "-ox", "x.xvg", "-of", "f.xvg")
    run_gmx(folder, *words, typed="0\n")
    x, f = (_last(folder / name).reshape(-1, 3) for name in ("x.xvg", "f.xvg"))
    return Answer(float(_last(folder / "energy.xvg")[0]), x, f)


def write_g96(path: pathlib.Path, positions: np.ndarray, cell, names) -> None:
    """Positions with nine decimals [nm]."""
    lines = [
        f"{k:5d} {name:<5} {name:<5}{k:7d}" + "".join(f"{x:15.9f}" for x in row)
        for k, (name, row) in enumerate(zip(names, positions, strict=True), start=1)
    ]
    box = "".join(f"{edge:15.9f}" for edge in cell)
    text = ["TITLE", "pelplug", "END", "POSITION", *lines, "END", "BOX", box, "END", ""]
    path.write_text("\n".join(text))


def _last(path: pathlib.Path) -> np.ndarray:
    rows = [line for line in path.read_text().splitlines() if line and line[0] not in "#@"]
    return np.array(rows[-1].split()[1:], dtype=float)
