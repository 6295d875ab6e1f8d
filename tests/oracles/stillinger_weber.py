"""The Stillinger-Weber potential in the words of LAMMPS and of matscipy."""

from __future__ import annotations

import pathlib

NUMBERS = {"epsilon": 1.0, "sigma": 1.0, "a": 1.80, "lambda": 18.75, "gamma": 1.20, "cos_theta0": -1 / 3,
           "A": 7.049556277, "B": 0.6022245584, "p": 4.0, "q": 0.0}  # fmt: skip


def write_sw_file(folder: pathlib.Path, **changed: float) -> str:
    """Write LAMMPS's parameter file and return the commands that use it."""
    path = folder / "network.sw"
    numbers = " ".join(repr(float(value)) for value in (NUMBERS | changed).values())
    path.write_text(f"Si Si Si {numbers} 0.0\n", encoding="utf-8")  # the last number is a tolerance
    return f"pair_style sw\npair_coeff * * {path} Si"


def matscipy_stillinger_weber():
    """matscipy's calculator with the same numbers; its cosine has the other sign."""
    from matscipy.calculators.manybody import Manybody
    from matscipy.calculators.manybody.explicit_forms import StillingerWeber

    numbers = {name: value for name, value in NUMBERS.items() if name not in ("lambda", "cos_theta0", "q")}
    more = {"el": "H", "lambda1": NUMBERS["lambda"], "costheta0": -NUMBERS["cos_theta0"]}
    return Manybody(**StillingerWeber(numbers | more))
