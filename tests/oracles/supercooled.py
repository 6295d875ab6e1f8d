"""A supercooled Kob-Andersen liquid run with LAMMPS, and what bisection must have in common with the dense quench."""

from __future__ import annotations

import numpy as np

import pelplug
from oracles.with_lammps import build_lammps, lj_commands

CUTOFF = 1.8
TIME_STEP = 0.005


def supercooled_run(path, n: int, temperature: float, every: int, frames: int, settle: int, seed: int = 1):
    """Write ``frames`` frames, ``every`` steps apart, of a run at constant N, V, T (Nose-Hoover), and return the path.

    Melted at T = 2, cooled and held for ``settle`` steps each. Potential and force vanish at the cutoff 1.8.
    """
    model = pelplug.model("kob-andersen", cutoff=CUTOFF, truncation="shifted-force")
    start = model.random_configuration(n, seed)
    lmp, _ = build_lammps(start, model.species, lj_commands("shifted-force", truncate_like=CUTOFF))
    lmp.commands_string(f"""
        timestep {TIME_STEP}
        min_style fire
        minimize 0.0 1.0e-3 500 500
        reset_timestep 0
        velocity all create 2.0 {seed + 5} mom yes dist gaussian
        fix nvt all nvt temp 2.0 2.0 0.5
        run 4000 post no
        unfix nvt
        fix nvt all nvt temp 2.0 {temperature} 0.5
        run {settle} post no
        unfix nvt
        fix nvt all nvt temp {temperature} {temperature} 0.5
        run {settle} post no
        reset_timestep 0
        thermo {every}
        run 0 post no
    """)

    def states():
        for k in range(frames):
            positions = np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3)).reshape(n, 3).copy()
            images = np.ctypeslib.as_array(lmp.gather_atoms("image", 0, 3)).reshape(n, 3).copy()
            yield start.replace(positions=positions, images=images, frame=k, step=k * every)
            lmp.command(f"run {every} pre no post no")

    try:
        pelplug.write_trajectory(path, states(), model_record=model.to_dict())
    finally:
        lmp.close()
    return path


def compare_searches(dense, bisection) -> tuple[int, float]:
    """Return the transitions lost in excursions and the true miss rate; fail on any other difference.

    Every transition of the bisection is one of the dense quench, with the same frames, time and energies. One that is
    lost lies between two quenched frames of one structure, neither of them next to the other.
    """
    np.testing.assert_array_equal(dense["frame"], bisection["frame"])
    true, filled = dense["energy"].values, bisection["energy"].values
    known = np.flatnonzero(bisection["quenched"].values)
    np.testing.assert_allclose(filled[known], true[known], atol=1e-9)
    where = {int(frame): k for k, frame in enumerate(dense["transition_before"].values)}
    kept = [where[int(frame)] for frame in bisection["transition_before"].values]
    for name in ("transition_before", "transition_after", "transition_time"):
        np.testing.assert_array_equal(dense[name].values[kept], bisection[name].values)
    np.testing.assert_allclose(
        dense["transition_distance"].values[kept], bisection["transition_distance"].values, atol=1e-5
    )
    structure = dense["structure"].values
    place = {int(frame): k for k, frame in enumerate(dense["frame"].values)}
    lost = set(where) - {int(frame) for frame in bisection["transition_before"].values}
    for frame in lost:
        k = place[frame]
        left, right = known[known <= k].max(), known[known > k].min()
        assert right - left > 1 and structure[left] == structure[right]
    skipped = np.flatnonzero(bisection["quenched"].values == 0)
    assert len(skipped) == int(bisection["skipped"])
    return len(lost), float(np.mean(np.abs(true - filled)[skipped] > 1e-6))
