"""q_max, the first peak of S(q) of the largest species, of liquids equilibrated with LAMMPS.

Published: G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Tables I and III. The check is of the models'
densities, compositions and pair terms, and for modified-kob-andersen of its cutoffs, which that paper does not
repeat. Run: ``pytest -m validation tests/validation/test_q_max.py -s``.
"""

from __future__ import annotations

import itertools
import os
import time

import freud
import numpy as np
import oracles
import pytest
from oracles.stillinger_weber import write_sw_file

import pelplug.models as models

pytestmark = pytest.mark.validation

LIKE_CUT = {"AA": 1.5, "AB": 2.5, "BB": 1.5}


def pair_commands(name: str, folder) -> str:
    """What LAMMPS is told: its own Lennard-Jones, or splines through tables, several times faster than lepton."""
    if name == "modified-kob-andersen":
        return oracles.lj_commands("shifted-force", LIKE_CUT)
    lines = ["pair_style table spline 4000"]
    for (one, other), function in oracles.matscipy_pair_functions(name).items():
        cutoff = float(function.cutoff)
        r = np.sqrt(np.linspace(0.55**2, cutoff**2, 4000))
        rows = zip(range(1, 4001), r, function(r), -function.first_derivative(r), strict=True)
        path = folder / f"{name}-{one}{other}.table"
        body = "\n".join(f"{k} {x:.16g} {u:.16g} {f:.16g}" for k, x, u, f in rows)
        path.write_text(f"pair\nN 4000 RSQ {0.55!r} {cutoff!r}\n\n{body}\n")
        lines.append(f"pair_coeff {one} {other} {path} pair {cutoff!r}")
    return "\n".join(lines)


def equilibrated_frames(model, folder, n, temperature, settle, sample, frames, seed):
    """Yield positions of a liquid melted at 4 T, cooled and equilibrated; print what shows equilibrium."""
    start = model.random_configuration(n, seed)
    lmp, _ = oracles.build_lammps(start, model.species, pair_commands(model.name, folder))
    hot = 4 * temperature
    lmp.commands_string(f"""
        timestep {model.time_step}
        min_style fire
        minimize 0.0 1.0e-3 500 500
        reset_timestep 0
        velocity all create {hot} {seed + 5} mom yes dist gaussian
        fix nvt all nvt temp {hot} {hot} 0.2
        run {settle // 4} post no
        unfix nvt
        fix nvt all nvt temp {hot} {temperature} 0.2
        run {settle // 2} post no
        unfix nvt
        fix nvt all nvt temp {temperature} {temperature} 0.2
        run {settle} post no
        compute msd all msd com yes
        thermo_style custom step temp pe press c_msd[4]
        thermo_modify norm no
    """)
    energies, pressures = [], []
    for _ in range(frames):
        lmp.command(f"run {sample // frames} post no")
        energies.append(lmp.get_thermo("pe") / n)
        pressures.append(lmp.get_thermo("press"))
        positions = np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3)).reshape(n, 3).copy()
        yield start.replace(positions=positions)
    # The tables, or the other program's own style, are the model: same energy of the last frame.
    final = start.replace(positions=positions)
    assert model.potential(final).energy(final) == pytest.approx(lmp.get_thermo("pe"), rel=1e-6)
    half = frames // 2
    print(
        f"\n{model.name} density {model.density} N {n} T {temperature} seed {seed}: "
        f"e {np.mean(energies[:half]):.4f} then {np.mean(energies[half:]):.4f}, pressure {np.mean(pressures):.3f}, "
        f"mean squared displacement while sampling {lmp.numpy.extract_compute('msd', 0, 1)[3]:.3f}"
    )
    lmp.close()


def structure_factor(frames, species, width=0.1, k_min=4.0, k_max=9.0):
    """S(q) of one species in bins of ``width``, all wave vectors of the box: q, S."""
    structure = freud.diffraction.StaticStructureFactorDirect(
        bins=round((k_max - k_min) / width), k_max=k_max, k_min=k_min, num_sampled_k_points=0
    )
    for frame in frames:
        box, points = frame.freud()
        structure.compute((box, points[frame.species == species]), reset=False)
    good = np.isfinite(structure.S_k)
    return structure.bin_centers[good], structure.S_k[good]


def first_peak(q, s, half_width=0.5):
    """Maximum of the cubic through S(q) within ``half_width`` of it.

    The peak falls faster on its right than it rises on its left: a parabola would be drawn to the left.
    """
    top = q[np.argmax(s)]
    for _ in range(20):
        near = np.abs(q - top) < half_width
        slope = np.polynomial.Polynomial.fit(q[near], s[near], 3).deriv()
        roots = np.real(slope.roots()[np.isreal(slope.roots())])
        maxima = roots[slope.deriv()(roots) < 0]
        top = maxima[np.argmin(np.abs(maxima - top))]
    return top


CASES = [
    pytest.param("inverse-power-law", {}, "L", 0.55, 6.35, id="ipl"),
    pytest.param("modified-kob-andersen", {}, "A", 0.50, 7.25, id="mblj"),
    pytest.param("sticky-spheres", {"density": 0.6}, "L", 0.75, 5.47, id="ss-0.6"),
    pytest.param("sticky-spheres", {"density": 0.7}, "L", 1.10, 5.87, id="ss-0.7"),
    pytest.param("sticky-spheres", {"density": 0.95}, "L", 8.00, 6.40, id="ss-0.95"),
]


@pytest.mark.parametrize(("name", "parameters", "largest", "temperature", "published"), CASES)
def test_first_peak_of_the_structure_factor(name, parameters, largest, temperature, published, tmp_path):
    model = models.build(name, **parameters)
    began = time.perf_counter()
    # Slow liquids: independent melts tell more than a longer run of one.
    frames = itertools.chain.from_iterable(
        equilibrated_frames(model, tmp_path, 1500, temperature, settle=20000, sample=30000, frames=15, seed=seed)
        for seed in range(1, 5)
    )
    q, s = structure_factor(frames, largest)
    position = first_peak(q, s)
    if folder := os.environ.get("PELPLUG_VALIDATION_OUTPUT"):
        np.savetxt(os.path.join(folder, f"{name}-{model.density}.txt"), np.column_stack([q, s]))
    print(
        f"q_max {position:.3f}, published {published}, off by {100 * (position / published - 1):+.2f} %, "
        f"S(q_max) {s.max():.2f}, {time.perf_counter() - began:.0f} s"
    )
    assert abs(position / published - 1) < 0.02


def network_liquid_frames(folder, n, seed, stages):
    """Yield (temperature, frames) of a Stillinger-Weber liquid melted at T = 0.2 and cooled in stages, by LAMMPS `sw`.

    ``stages`` are (temperature, steps to cool, to hold, to sample); 20 frames a stage. Thermostat and time step are
    the paper's.
    """
    model = models.build("stillinger-weber")
    start = model.random_configuration(n, seed)
    lmp, _ = oracles.build_lammps(start, ("A",), write_sw_file(folder))
    lmp.commands_string(f"""
        timestep {model.time_step}
        min_style fire
        minimize 0.0 1.0e-3 300 300
        reset_timestep 0
        velocity all create 0.2 {seed + 5} mom yes dist gaussian
        fix nvt all nvt temp 0.2 0.2 6.5
        run 1000 post no
    """)
    before = 0.2
    for temperature, cool, hold, sample in stages:
        lmp.commands_string(f"""
            unfix nvt
            fix nvt all nvt temp {before} {temperature} 6.5
            run {cool} post no
            unfix nvt
            fix nvt all nvt temp {temperature} {temperature} 6.5
            run {hold} post no
            compute msd all msd com yes
            thermo_style custom step temp pe press c_msd[4]
            thermo_modify norm no
        """)
        frames, energies, pressures = [], [], []
        for _ in range(20):
            lmp.command(f"run {sample // 20} post no")
            energies.append(lmp.get_thermo("pe") / n)
            pressures.append(lmp.get_thermo("press"))
            positions = np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3)).reshape(n, 3).copy()
            frames.append(start.replace(positions=positions))
        assert model.potential(start).energy(frames[-1]) == pytest.approx(lmp.get_thermo("pe"), rel=1e-9)
        moved = lmp.numpy.extract_compute("msd", 0, 1)[3]
        lmp.commands_string("thermo_style one\nuncompute msd")
        print(
            f"\nstillinger-weber density {model.density} N {n} T {temperature} seed {seed}: "
            f"e {np.mean(energies[:10]):.4f} then {np.mean(energies[10:]):.4f}, pressure {np.mean(pressures):.3f}, "
            f"mean squared displacement while sampling {moved:.3f}"
        )
        yield temperature, frames
        before = temperature
    lmp.close()


def all_peaks(q, s):
    """Maxima of S(q) smoothed by a Gaussian of width 0.15, with their heights, as an array of rows."""
    weight = np.exp(-0.5 * ((q[:, None] - q) / 0.15) ** 2)
    smooth = weight @ s / weight.sum(axis=1)
    inner = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
    return np.column_stack([q[inner], smooth[inner]])


def test_every_peak_of_the_stillinger_weber_liquid(tmp_path):
    """Paper: q_max = 6.28 (Table I). No peak is there; see docs/records/2026-11-21-stillinger-weber-peak.md."""
    stages = [(0.08, 3000, 3000, 8000), (0.05, 6000, 6000, 12000)]
    for temperature, frames in network_liquid_frames(tmp_path, 1000, 1, stages):
        q, s = structure_factor(frames, "A", k_min=1.0, k_max=12.0)
        peaks = all_peaks(q, s)
        if folder := os.environ.get("PELPLUG_VALIDATION_OUTPUT"):
            np.savetxt(os.path.join(folder, f"stillinger-weber-{temperature}.txt"), np.column_stack([q, s]))
        print(
            f"T {temperature}: first peak {first_peak(q[q < 9.0], s[q < 9.0]):.3f}, S(6.28) {np.interp(6.28, q, s):.2f}"
        )
        print("   all peaks: " + ", ".join(f"{at:.2f} ({height:.2f})" for at, height in peaks))
        # Should the published peak ever turn up, docs/records/2026-11-21-stillinger-weber-peak.md has to change.
        assert not np.any(np.abs(peaks[:, 0] - 6.28) < 0.5)
