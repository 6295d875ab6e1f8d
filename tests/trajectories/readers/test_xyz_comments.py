"""Comment lines of XYZ files as atooms, RUMD, i-PI and others write them: box, species, images, masses, times.

The lines are those that the programs print; the numbers in them are compared with what went in.
"""

import gzip

import numpy as np
import pytest

import pelplug
from pelplug.errors import InputError

BOX = np.array([6.5, 7.0, 8.25])


@pytest.fixture(scope="module")
def states():
    """Unwrapped positions (5, 12, 3), velocities and species of a small mixture."""
    rng = np.random.default_rng(2)
    positions = BOX * rng.random((12, 3)) + np.cumsum(rng.normal(0, 1.5, (5, 12, 3)), axis=0)
    return positions, rng.normal(0, 1, (5, 12, 3)), np.array([0, 0, 0, 1] * 3)


def write(path, comments, rows, opener=open):
    with opener(path, "wt") as file:
        for comment, table in zip(comments, rows, strict=True):
            file.write(f"{len(table)}\n{comment}\n")
            for row in table:
                file.write(" ".join(f"{one:.15g}" if isinstance(one, float) else str(one) for one in row) + "\n")
    return path


def centred(positions):
    """RUMD's: in a box around the origin, with images."""
    images = np.rint(positions / BOX)
    return positions - images * BOX, images.astype(int)


RUMD = (
    "ioformat=2 timeStepIndex={step} numTypes=2 integrator=IntegratorNVT,0.004,0.35,0.2,0 "
    "sim_box=RectangularSimulationBox,6.5,7.0,8.25 mass=1.0,0.57 columns=type,x,y,z,imx,imy,imz,vx,vy,vz,fx,fy,fz,pe"
)


@pytest.mark.parametrize("name", ["trajectory0000.xyz", "trajectory0000.xyz.gz"])
def test_rumd_with_images(tmp_path, states, name):
    positions, velocities, types = states
    rows = []
    for state, velocity in zip(positions, velocities, strict=True):
        wrapped, images = centred(state)
        rows.append(
            [
                [t, *map(float, p), *i, *map(float, v), 0.5, 0.5, 0.5, -3.0]
                for t, p, i, v in zip(types.tolist(), wrapped, images, velocity, strict=True)
            ]
        )
    opener = gzip.open if name.endswith("gz") else open
    path = write(tmp_path / name, [RUMD.format(step=50 * k) for k in range(5)], rows, opener)
    with pelplug.open_trajectory(path, species={"0": "A", "1": "B"}) as trajectory:
        assert trajectory.has("images") and trajectory.has("times")
        for k, conf in enumerate(trajectory):
            assert (conf.step, conf.time) == (50 * k, pytest.approx(0.004 * 50 * k))
            np.testing.assert_allclose(conf.cell, np.diag(BOX))
            np.testing.assert_allclose(
                conf.unwrapped_positions() - trajectory[0].unwrapped_positions(),
                positions[k] - positions[0],
                atol=1e-12,
            )
            np.testing.assert_allclose(conf.velocities, velocities[k])
            np.testing.assert_allclose(conf.masses, np.where(types == 0, 1.0, 0.57))
            assert conf.species.tolist() == ["AB"[t] for t in types]
    moved = positions - positions.mean(axis=1, keepdims=True)
    dataset = pelplug.analyze("dynamics", path, quantities="msd", remove_drift=False)
    expected = np.mean(np.sum((positions[1:] - positions[:-1]) ** 2, axis=2))
    assert float(dataset["msd"].sel(kind="all")[0]) == pytest.approx(expected)
    assert moved.shape == positions.shape


def test_rumd_format_1(tmp_path, states):
    positions, velocities, types = states
    comment = (
        "ioformat=1 dt=0.005000000 timeStepIndex={} boxLengths=6.5,7.0,8.25 numTypes=2 Nose-Hoover-Ps=-0.027281716 "
        "Barostat-Pv=0.000000000 mass=1.0000000,2.0000000 columns=type,x,y,z,vx,vy,vz"
    )
    rows = [
        [[t, *map(float, p), *map(float, v)] for t, p, v in zip(types.tolist(), centred(a)[0], b, strict=True)]
        for a, b in zip(positions, velocities, strict=True)
    ]
    path = write(tmp_path / "a.xyz", [comment.format(2**k) for k in range(5)], rows)
    with pelplug.open_trajectory(path) as trajectory:
        assert [conf.time for conf in trajectory] == pytest.approx(0.005 * 2.0 ** np.arange(5))
        np.testing.assert_allclose(trajectory[2].masses, types + 1.0)
        np.testing.assert_allclose(trajectory[3].positions, centred(positions[3])[0])
        np.testing.assert_allclose(trajectory[3].cell, np.diag(BOX))
        assert not trajectory.has("images")


@pytest.mark.parametrize(
    ("comment", "width"),
    [
        ("step:{step} columns:id,x,y,z cell:6.5,7.0,8.25", 3),
        ("columns:id,x,y,z dt:0.002 step:{step} cell:6.5,7.0,8.25", 3),
        ("columns=name,pos,vel dt=0.002 step={step} cell=6.5,7.0,8.25", 6),
        ("step:{step} columns:species,position,velocity dt:0.002 cell:6.5,7.0,8.25 ", 6),
        ("cell:6.5,7.0,8.25, columns:particle.species,particle.position step:{step} dt:0.002", 3),
        ("step:{step} cell:6.5,7.0,8.25", 3),
    ],
)
def test_atooms(tmp_path, states, comment, width):
    positions, velocities, types = states
    tables = [np.hstack([a, b])[:, :width] for a, b in zip(positions % BOX, velocities, strict=True)]
    rows = [[["AB"[t], *map(float, row)] for t, row in zip(types, table, strict=True)] for table in tables]
    path = write(tmp_path / "a.xyz", [comment.format(step=10 * k) for k in range(5)], rows)
    with pelplug.open_trajectory(path) as trajectory:
        conf = trajectory[4]
        assert conf.step == 40 and conf.time == (pytest.approx(0.08) if "dt" in comment else None)
        np.testing.assert_allclose(conf.positions, positions[4] % BOX)
        np.testing.assert_allclose(conf.cell, np.diag(BOX))
        assert conf.species.tolist() == ["AB"[t] for t in types]
        assert trajectory.has("velocities") == (width == 6)


def test_atooms_in_two_dimensions_with_radii(tmp_path, states):
    positions = states[0] % BOX
    rows = [[["A", float(x), float(y), 0.5 + 0.01 * i] for i, (x, y, _) in enumerate(state)] for state in positions]
    comment = "step:{} columns:species,position,radius dt:1 cell:6.5,7.0"
    path = write(tmp_path / "a.xyz", [comment.format(k) for k in range(5)], rows)
    with pelplug.open_trajectory(path) as trajectory:
        assert trajectory.dimension == 2
        np.testing.assert_allclose(trajectory[1].positions, positions[1][:, :2])
        np.testing.assert_allclose(trajectory[1].cell, np.diag(BOX[:2]))
        np.testing.assert_allclose(trajectory[1].diameters, 1.0 + 0.02 * np.arange(12))


def test_atooms_with_numbers_of_particles(tmp_path, states):
    """Where another column names the species, id is the number of the particle."""
    positions = states[0] % BOX
    order = np.random.default_rng(0).permutation(12)
    rows = [[[int(i) + 1, "AB"[states[2][i]], *map(float, state[i])] for i in order] for state in positions]
    path = write(tmp_path / "a.xyz", ["step:1 columns:id,species,x,y,z cell:6.5,7.0,8.25"] * 5, rows)
    with pelplug.open_trajectory(path) as trajectory:
        np.testing.assert_allclose(trajectory[3].positions, positions[3])


ABC = "# CELL(abcABC):    6.50000     7.00000     8.25000    90.00000    90.00000    60.00000  "
BOTH = "Step:          {}  Bead:       0 positions{{angstrom}}  cell{{angstrom}}"


@pytest.mark.parametrize(
    ("comment", "scale"),
    [
        (ABC + BOTH, 1.0),
        (ABC + "Traj: positions Step:          {}  Bead:       0", 1.0),
        (ABC + "cell{{atomic_unit}}  Traj: positions{{angstrom}} Step: {}  Bead: 0", 0.529177210903),
        ("# CELL(H): 6.5 3.5 0.0 0.0 6.06217782649107 0.0 0.0 0.0 8.25 " + BOTH, 1.0),
    ],
)
def test_ipi(tmp_path, states, comment, scale):
    positions = states[0] % BOX
    rows = [[["H", *map(float, row)] for row in state] for state in positions]
    path = write(tmp_path / "simulation.pos_0.xyz", [comment.format(10 * k) for k in range(5)], rows)
    with pelplug.open_trajectory(path, dt=0.5) as trajectory:
        assert [conf.time for conf in trajectory] == pytest.approx(5.0 * np.arange(5))
        cell = scale * np.array([[6.5, 0, 0], [3.5, 7 * np.sqrt(0.75), 0], [0, 0, 8.25]])
        np.testing.assert_allclose(trajectory[2].cell, cell, atol=1e-6)
        np.testing.assert_allclose(trajectory[2].positions, positions[2])


def test_ipi_without_positions(tmp_path, states):
    rows = [[["H", *map(float, row)] for row in state] for state in states[1]]
    comment = "# CELL(abcABC): 6.5 7.0 8.25 90 90 90  Step: 0  Bead: 0 velocities{atomic_unit}  cell{atomic_unit}"
    path = write(tmp_path / "simulation.vel_0.xyz", [comment] * 5, rows)
    with pytest.raises(InputError, match="holds velocities of i-PI, not positions"):
        pelplug.open_trajectory(path)


@pytest.mark.parametrize(
    "comment",
    ["sim_box=LeesEdwardsSimulationBox,6.5,7,8,0.3 columns=type,x,y,z", "boxLengths=6.5,x,8 columns=type,x,y,z"],
)
def test_boxes_that_are_not_understood(tmp_path, comment):
    path = write(tmp_path / "a.xyz", [comment], [[[0, 1.0, 2.0, 3.0]]])
    with pytest.raises(InputError, match="is not understood; pass a topology"):
        pelplug.open_trajectory(path)


def test_against_atooms(tmp_path, states):
    """Files that atooms itself writes, where it is installed."""
    pytest.importorskip("atooms")
    from atooms.system import Cell, Particle, System
    from atooms.trajectory import TrajectoryXYZ
    from atooms.trajectory.rumd import TrajectoryRUMD

    positions, velocities, types = states
    for kind, labels in ((TrajectoryXYZ, "AB"), (TrajectoryRUMD, "01")):
        path = tmp_path / f"{kind.__name__}.xyz"
        with kind(str(path), "w") as file:
            if kind is TrajectoryXYZ:
                file.variables = ["particle.species", "particle.position", "particle.velocity"]
            file.timestep = 0.002
            for k in range(5):
                particles = [
                    Particle(species="AB"[t], position=p, velocity=v, mass=1.0 + t)
                    for t, p, v in zip(types, centred(positions[k])[0], velocities[k], strict=True)
                ]
                file.write(System(particles, Cell(BOX)), 10 * k)
        with pelplug.open_trajectory(path) as trajectory:
            conf = trajectory[3]
            assert (conf.step, conf.time) == (30, pytest.approx(0.06))
            np.testing.assert_allclose(conf.positions, centred(positions[3])[0], atol=1e-6)
            np.testing.assert_allclose(conf.velocities, velocities[3], atol=1e-6)
            np.testing.assert_allclose(conf.cell, np.diag(BOX))
            assert conf.species.tolist() == [labels[t] for t in types]
