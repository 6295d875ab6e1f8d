"""What a topology is good for: alone it is told from a trajectory; masses of 0 stay; Amber's octahedra have angles."""

import warnings

import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.lib.mdamath import triclinic_vectors

import pelplug
from pelplug import InputError, open_trajectory
from pelplug.cli import cli
from pelplug.trajectories.readers.vectors import READERS

N = 27
MASSES = np.where(np.arange(N) % 9 == 4, 0.0, 39.948)  # three sites without mass

ALONE = {
    "a.psf": "PSF\n\n 1 !NTITLE\n REMARKS\n\n 1 !NATOM\n 1 A 1 ARG AR AR 0.0 39.9 0\n",
    "a.prmtop": "%VERSION  VERSION_STAMP = V0001.000\n%FLAG TITLE\n%FORMAT(20a4)\n\n",
    "a.parm7": "%VERSION  VERSION_STAMP = V0001.000\n%FLAG TITLE\n%FORMAT(20a4)\n\n",
    "a.top": "%VERSION  VERSION_STAMP = V0001.000\n%FLAG TITLE\n%FORMAT(20a4)\n\n",
    "b.top": "; GROMACS\n[ defaults ]\n1 2 yes 0.5 0.8333\n",
    "a.itp": "[ moleculetype ]\nAr 1\n[ atoms ]\n1 Ar 1 Ar Ar 1 0 39.9\n",
    "a.xml": '<?xml version="1.0"?>\n<hoomd_xml version="1.5"></hoomd_xml>\n',
}


@pytest.mark.parametrize("told", [False, True], ids=["by its ending", "by --format"])
@pytest.mark.parametrize("name", ALONE)
def test_a_topology_alone_belongs_behind_topology(tmp_path, name, told, capsys):
    path = tmp_path / name
    path.write_text(ALONE[name])
    kind = "ITP" if name == "b.top" else path.suffix[1:].upper()
    with pytest.raises(InputError, match=rf"is a topology \({kind}\), .*--topology"):
        open_trajectory(path, format=kind if told else None)
    command = ["analyze", str(path), "--plugin", "dynamics", "-o", str(tmp_path / "o.nc")]
    with pytest.raises(SystemExit) as caught:
        cli.main([*command, *(["--format", kind] if told else [])])
    assert caught.value.code == 2 and "--topology" in capsys.readouterr().err


def psf(path, masses=MASSES):
    rows = [f"{k + 1:8d} A    1    ARG  AR   AR     0.000000 {mass:13.4f}           0" for k, mass in enumerate(masses)]
    path.write_text("PSF\n\n       1 !NTITLE\n REMARKS\n\n" + f"{N:8d} !NATOM\n" + "\n".join(rows) + "\n")
    return path


def walk(path, frames=12):
    """Wrapped positions of a random walk, frame after frame; returns the unwrapped ones."""
    rng = np.random.default_rng(5)
    start = 3.0 * np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    x = start + np.concatenate([np.zeros((1, N, 3)), np.cumsum(0.3 * rng.normal(size=(frames - 1, N, 3)), axis=0)])
    with open(path, "w") as file:
        for k, positions in enumerate(x):
            file.write(f'{N}\nLattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3 step={k} time={k / 10}\n')
            file.writelines("Ar {:.12f} {:.12f} {:.12f}\n".format(*row) for row in positions % 9.0)
    return x


def test_sites_without_mass_do_not_take_the_masses_of_the_others(tmp_path):
    x = walk(tmp_path / "a.xyz")
    trajectory = open_trajectory(tmp_path / "a.xyz", topology=psf(tmp_path / "a.psf"))
    np.testing.assert_array_equal(trajectory[0].masses, MASSES)
    found = pelplug.analyze("dynamics", trajectory, temperature=0.5, quantities="msd", min_origins=1, per_decade=1000)
    # From the centre of mass of those that have one, and by the mean mass of the sites that the density counts.
    moved = x - np.average(x, axis=1, weights=MASSES)[:, None]
    last = np.mean(np.sum((moved[-1] - moved[0]) ** 2, axis=1))
    msd = found["msd"].sel(species="all") if "species" in found["msd"].dims else found["msd"]
    assert np.ravel(msd)[-1] == pytest.approx(last, rel=1e-9)
    a0 = (9.0**3 / N) ** (1 / 3)
    assert float(found["time_unit"]) == pytest.approx(a0 * np.sqrt(MASSES.mean() / 0.5), rel=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_a_temperature_means_nothing_where_units_are_half_known(tmp_path):
    """Amber's NetCDF is in Angstrom and ps: half a kelvin or half an epsilon, t0 is not the same."""
    x = walk(tmp_path / "a.xyz")
    universe = MDAnalysis.Universe.empty(N, trajectory=True)
    universe.dimensions = [9, 9, 9, 90, 90, 90]
    with MDAnalysis.Writer(str(tmp_path / "a.ncdf"), n_atoms=N) as writer:
        for k, positions in enumerate(x):
            universe.atoms.positions = positions % 9.0
            universe.trajectory.ts.frame, universe.trajectory.ts.time = k, k / 10
            writer.write(universe.atoms)
    names, given = psf(tmp_path / "a.psf"), {"temperature": 0.5, "quantities": "msd", "min_origins": 1}
    trajectory = open_trajectory(tmp_path / "a.ncdf", topology=names)
    found = pelplug.analyze("dynamics", trajectory, **given)
    assert "time_unit" not in found and "mass" in found.attrs["not_found"] and "--units" in found.attrs["not_found"]
    trajectory = open_trajectory(tmp_path / "a.ncdf", topology=names, units="lj")
    found = pelplug.analyze("dynamics", trajectory, **given)
    assert float(found["time_unit"]) == pytest.approx(3.0 * np.sqrt(MASSES.mean() / 0.5), rel=1e-3)


@pytest.mark.parametrize("bad", [np.zeros(N), np.where(np.arange(N) == 3, -1.0, 1.0)], ids=["all 0", "negative"])
def test_masses_that_are_none(tmp_path, bad):
    walk(tmp_path / "a.xyz", 2)
    assert open_trajectory(tmp_path / "a.xyz", topology=psf(tmp_path / "a.psf", bad))[0].masses is None
    with pytest.raises(InputError, match="masses"):
        pelplug.Configuration(np.zeros((N, 3)), [9.0] * 3, ["A"] * N, masses=bad)


def test_what_moves_needs_the_mass_of_every_particle():
    model = pelplug.model("kob-andersen")
    start = model.random_configuration(40, 1)
    start = start.replace(masses=np.where(np.arange(40) == 7, 0.0, 1.0))
    with pytest.raises(InputError, match="1 of 40 have the mass 0"):
        pelplug.isoconfigurational(start, model, temperature=1.0, times=[0.1], replicas=1)


def test_a_truncated_octahedron_of_amber(tmp_path):
    """Its text trajectory has one length three times, and the topology says that the angles are no right ones."""
    pointers = ["0"] * 31
    pointers[0], pointers[1] = str(N), "1"
    x = np.random.default_rng(1).uniform(0, 30, (2, N, 3))
    with open(tmp_path / "a.mdcrd", "w") as file:
        file.write("title\n")
        for positions in x:
            values = [f"{value:8.3f}" for value in positions.ravel()]
            file.writelines("".join(values[k : k + 10]) + "\n" for k in range(0, len(values), 10))
            file.write("".join(f"{30.0:8.3f}" for _ in range(3)) + "\n")

    def opened(shape, angle):
        pointers[27] = shape
        path = tmp_path / "a.prmtop"
        path.write_text(
            "%VERSION  VERSION_STAMP = V0001.000\n%FLAG TITLE\n%FORMAT(20a4)\n\n%FLAG POINTERS\n%FORMAT(10I8)\n"
            + " ".join(pointers)
            + f"\n%FLAG BOX_DIMENSIONS\n%FORMAT(5E16.8)\n {angle} 30 30 30\n%FLAG RADIUS_SET\n"
        )
        reader = READERS["MDCRD"](str(tmp_path / "a.mdcrd"), n_atoms=N)
        reader.of_topology(path)
        return [(ts.positions.copy(), triclinic_vectors(ts.dimensions)) for ts in reader]

    octahedron = triclinic_vectors([30, 30, 30, *[np.degrees(np.arccos(-1 / 3))] * 3])
    for k, (positions, cell) in enumerate(opened("2", 109.471219)):
        np.testing.assert_allclose(cell, octahedron, atol=1e-4)
        np.testing.assert_allclose(positions, x[k], atol=6e-4)
    np.testing.assert_allclose(opened("1", 90.0)[1][1], np.diag([30.0] * 3))
    with pytest.raises(InputError, match=r"no right angles.*NetCDF"):
        opened("3", 70.0)


def test_the_box_of_an_amber_restart(tmp_path):
    """It stands behind positions and velocities, and MDAnalysis leaves it alone."""
    x = np.random.default_rng(1).uniform(0, 30, (N, 3))
    names = tmp_path / "names.xyz"
    names.write_text(f"{N}\n\n" + "Ar 0 0 0\n" * N)

    def table(values):
        values = [f"{value:12.7f}" for value in np.ravel(values)]
        return "".join("".join(values[k : k + 6]) + "\n" for k in range(0, len(values), 6))

    for name, rest in {"a.inpcrd": "", "b.rst7": table(0.1 * x)}.items():
        path = tmp_path / name
        path.write_text(f"title\n{N:5d}  0.1000000E+02\n" + table(x) + rest + table([30, 31, 32, 90, 90, 60]))
        conf = open_trajectory(path, topology=names)[0]
        np.testing.assert_allclose(conf.positions, x, atol=1e-5)
        np.testing.assert_allclose(conf.cell, triclinic_vectors([30, 31, 32, 90, 90, 60]), atol=1e-5)
        path.write_text(f"title\n{N:5d}\n" + table(x) + rest)
        with pytest.raises(InputError, match="no periodic box"):
            open_trajectory(path, topology=names)[0]


def test_frames_of_one_frame_formats_are_frame_0():
    """MDAnalysis leaves -1 in timesteps of TPR and MMTF."""
    datafiles = pytest.importorskip(
        "MDAnalysisTests.datafiles", reason="pip install MDAnalysisTests (it has the files)"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = MDAnalysis.Universe(datafiles.TPR2021_bonded, to_guess=())
    assert plain.trajectory.ts.frame == -1  # or the reason for this test is gone
    assert open_trajectory(datafiles.TPR2021_bonded)[0].frame == 0
