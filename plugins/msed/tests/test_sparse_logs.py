"""Logs that not every frame has, and potentials that belong to one frame each."""

import gsd.hoomd
import numpy as np
import pytest

import pelplug

N = 20


def write(path, frames, logged):
    rng = np.random.default_rng(0)
    energies = np.cumsum(rng.normal(size=frames))
    with gsd.hoomd.open(path, "w") as file:
        for k in range(frames):
            frame = gsd.hoomd.Frame()
            frame.particles.N, frame.particles.types = N, ["A"]
            frame.particles.position = rng.uniform(-4, 4, (N, 3))
            frame.configuration.box, frame.configuration.step = [9, 9, 9, 0, 0, 0], 10 * k
            if k in logged:
                frame.log["md/compute/potential_energy"] = [energies[k]]
            file.append(frame)
    return energies[list(logged)]


@pytest.mark.parametrize("logged", [range(0, 600, 3), range(1, 598, 3), range(100, 600, 2)])
def test_a_log_of_every_nth_frame(tmp_path, logged):
    energies = write(tmp_path / "t.gsd", 600, logged)
    found = pelplug.analyze("msed", tmp_path / "t.gsd", dt=0.1)
    assert float(found.mean_energy) == pytest.approx(energies.mean() / N)
    assert float(found.lag[0]) == pytest.approx(logged.step)  # 10 steps of 0.1 each frame
    expected = np.mean((energies[1:] - energies[:-1]) ** 2) / N**2
    assert float(found.msed[0]) == pytest.approx(expected)


def test_diameters_that_swaps_change_count_in_each_frame(tmp_path):
    model = pelplug.model("polydisperse-soft-spheres")
    state = model.random_configuration(60, 1)
    rng = np.random.default_rng(2)
    states = [state.replace(diameters=rng.permutation(state.diameters), step=k, time=float(k)) for k in range(120)]
    pelplug.write_trajectory(tmp_path / "swap.nc", states)
    found = pelplug.analyze("msed", tmp_path / "swap.nc", model=model, energies="model", time_step=1.0)
    own = [model.potential(one).energy(one) for one in states]
    assert float(found.mean_energy) == pytest.approx(np.mean(own) / 60, rel=1e-10)
