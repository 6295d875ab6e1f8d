"""q_max, the first peak of S(q) of the largest species, of liquids equilibrated with LAMMPS.

Published: G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Tables I and III. The check is of the models'
densities, compositions and pair terms, and for modified-kob-andersen of its cutoffs, which that paper does not
repeat. Run: ``pytest -m validation tests/validation/test_q_max.py -s``.
"""

from __future__ import annotations

import sys
import time

import freud
import numpy as np
import oracles
import pytest

import pelplug.models as models

pytestmark = pytest.mark.validation

LIKE_CUT = {"AA": 1.5, "AB": 2.5, "BB": 1.5}


def pair_commands(name: str) -> str:
    return {
        "inverse-power-law": oracles.ipl_commands,
        "modified-kob-andersen": lambda: oracles.lj_commands("shifted-force", LIKE_CUT),
        "sticky-spheres": oracles.sticky_commands,
    }[name]()


def equilibrated_frames(model, n, temperature, melt, cool, settle, sample, frames, seed=1):
    """Yield positions after melting at 4 T, cooling and equilibration; prints what shows equilibrium."""
    start = model.random_configuration(n, seed)
    lmp, _ = oracles.build_lammps(start, model.species, pair_commands(model.name))
    dt, hot = model.time_step, 4 * temperature
    lmp.commands_string(f"""
        timestep {dt}
        min_style fire
        minimize 0.0 1.0e-3 500 500
        reset_timestep 0
        velocity all create {hot} {seed + 5} mom yes dist gaussian
        fix nvt all nvt temp {hot} {hot} 0.2
        run {melt} post no
        unfix nvt
        fix nvt all nvt temp {hot} {temperature} 0.2
        run {cool} post no
        unfix nvt
        fix nvt all nvt temp {temperature} {temperature} 0.2
        run {settle} post no
        compute msd all msd com yes
        thermo_style custom step temp pe press c_msd[4]
    """)
    energies, pressures = [], []
    for _ in range(frames):
        lmp.command(f"run {sample // frames} post no")
        energies.append(lmp.get_thermo("pe") / n)
        pressures.append(lmp.get_thermo("press"))
        yield np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3)).reshape(n, 3).copy(), start
    half = frames // 2
    print(
        f"\n{model.name} density {model.density} N {n} T {temperature}: e {np.mean(energies[:half]):.4f} then "
        f"{np.mean(energies[half:]):.4f}, pressure {np.mean(pressures):.3f}, "
        f"mean squared displacement while sampling {lmp.numpy.extract_compute('msd', 0, 1)[3]:.3f}"
    )
    lmp.close()


def first_peak(frames, species, width=0.1, k_max=10.0):
    """Position of the first peak of S(q) of one species: bins of ``width``, then a parabola about the top."""
    structure = freud.diffraction.StaticStructureFactorDirect(
        bins=round((k_max - 3.0) / width), k_max=k_max, k_min=3.0, num_sampled_k_points=0
    )
    for positions, start in frames:
        length = start.cell[0, 0]
        chosen = positions[start.species == species]
        structure.compute((freud.box.Box.cube(length), chosen - length / 2), reset=False)
    q, s = structure.bin_centers, structure.S_k
    good = np.isfinite(s)
    q, s = q[good], s[good]
    top = q[np.argmax(s)]
    for _ in range(3):
        near = np.abs(q - top) < 0.5
        a, b, _c = np.polyfit(q[near], s[near], 2)
        top = -b / (2 * a)
    return top, float(s.max())


CASES = [
    pytest.param("inverse-power-law", {}, "L", 0.60, 6.35, id="ipl"),
    pytest.param("modified-kob-andersen", {}, "A", 0.50, 7.25, id="mblj"),
    pytest.param("sticky-spheres", {"density": 0.6}, "L", 0.50, 5.47, id="ss-0.6"),
    pytest.param("sticky-spheres", {"density": 0.7}, "L", 0.60, 5.87, id="ss-0.7"),
    pytest.param("sticky-spheres", {"density": 0.95}, "L", 1.10, 6.40, id="ss-0.95"),
]


@pytest.mark.parametrize(("name", "parameters", "largest", "temperature", "published"), CASES)
def test_first_peak_of_the_structure_factor(name, parameters, largest, temperature, published):
    model = models.build(name, **parameters)
    began = time.perf_counter()
    frames = equilibrated_frames(model, 1500, temperature, melt=4000, cool=16000, settle=20000, sample=30000, frames=40)
    position, height = first_peak(frames, largest)
    print(
        f"q_max {position:.3f}, published {published}, off by {100 * (position / published - 1):+.2f} %, "
        f"S(q_max) {height:.2f}, {time.perf_counter() - began:.0f} s"
    )
    sys.stdout.flush()
    assert abs(position / published - 1) < 0.02
