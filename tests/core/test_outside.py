"""What a stranger's file names is not opened without the user's word, and its numbers take no machine down."""

import hashlib
import json
import os
import socket
from pathlib import Path
from typing import Annotated

import gsd.hoomd
import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from oracles.metals import needs_shipped, write_table

import pelplug
from pelplug import models
from pelplug.cli import cli
from pelplug.core import outside
from pelplug.execution.lammps import shipped_potential
from pelplug.host.registry import Registry

LENGTH = 9.0


def states(species, frames=6, n=12, d=3):
    rng = np.random.default_rng(3)
    side = np.stack(np.meshgrid(*[np.arange(3)] * d), -1).reshape(-1, d)[:n] * 3.0 + 0.5
    for step in range(frames):
        yield pelplug.Configuration(side + 0.1 * rng.normal(size=(n, d)), [LENGTH] * d, species * (n // len(species)),
                                    step=10 * step)  # fmt: skip


def trajectory(path, record, species=("Cu", "Zr")):
    pelplug.write_trajectory(path, states(list(species)), model_record=record)
    return path


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def opened(monkeypatch):
    """Every path that is opened by Python, through the one door or past it."""
    names = []
    real_open, real = os.open, open

    def spy(path, *args, **kwargs):
        names.append(str(path))
        return real_open(path, *args, **kwargs)

    def spy_builtin(path, *args, **kwargs):
        names.append(str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", spy)
    monkeypatch.setattr("builtins.open", spy_builtin)
    return names


def eam_record(path, **more):
    return {"name": "eam", "parameters": {"file": str(path), "kind": "auto", "sha256": None} | more}


@pytest.mark.parametrize("suffix", ["gsd", "nc"])
@pytest.mark.parametrize("name", ["eam", "cu50zr50"])
def test_a_recorded_path_waits_for_the_users_word(tmp_path, opened, suffix, name):
    secret = tmp_path / "secret.txt"
    secret.write_text("somebody:x:0:0:hush:/home/somebody:/bin/bash\n" * 9)
    record = eam_record(secret) | {"name": name}
    path = trajectory(tmp_path / f"t.{suffix}", record)
    for words in (["inherent-structures"], ["vibrations"]):
        done = run("analyze", path, "--plugin", *words, "-o", tmp_path / "out.nc")
        assert done.exit_code == 2 and "--trust-model" in done.output and "hush" not in done.output
    # Without the SHA-256 nobody knows whether the file is the same, not even with trust; and what it says stays there.
    done = run("analyze", path, "--plugin", "inherent-structures", "--trust-model", "-o", tmp_path / "out.nc")
    assert done.exit_code == 2 and "without its SHA-256" in done.output and "hush" not in done.output
    assert str(secret) not in opened
    with pytest.raises(pelplug.InputError, match="only on your word"):
        pelplug.analyze("inherent-structures", path)
    # An analysis that needs no model never builds it.
    dataset = pelplug.analyze("dynamics", path, dt=0.01, quantities=("msd",), min_origins=1)
    assert dataset.attrs["model"] == "" and str(secret) not in opened
    # Even at the user's own word, what is no potential is not quoted.
    with pytest.raises(pelplug.InputError) as caught:
        pelplug.model(name, file=secret)
    assert "hush" not in str(caught.value) and "somebody" not in str(caught.value)


def test_trusted_files_are_used_if_they_are_the_same(tmp_path):
    table = write_table(tmp_path / "metal.eam.fs", "fs")
    record = pelplug.model("eam", file=table).to_dict()
    assert record["parameters"]["sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()
    path = trajectory(tmp_path / "t.gsd", record)
    arguments = [
        "analyze",
        path,
        "--plugin",
        "inherent-structures",
        "--stop",
        1,
        "--force-tolerance",
        1e-6,
        "--overwrite",
    ]
    output = ["-o", tmp_path / "out.nc"]
    assert run(*arguments, *output).exit_code == 2
    done = run(*arguments, "--trust-model", *output)
    assert done.exit_code == 0, done.output
    by_word = run(*arguments, "--model", "eam", "--model-param", f"file={table}", "-o", tmp_path / "other.nc")
    assert by_word.exit_code == 0, by_word.output
    one, other = (pelplug.read_results(tmp_path / name)["inherent-structures"] for name in ("out.nc", "other.nc"))
    assert one.energy.item() == other.energy.item()
    assert json.loads(one.attrs["model"])["parameters"]["sha256"] == record["parameters"]["sha256"]
    write_table(table, "fs", rho_max=61.0)
    done = run(*arguments, "--trust-model", *output)
    assert done.exit_code == 2 and "another one than was asked for" in done.output
    # The remedy of that sentence.
    write_table(tmp_path / "right.eam.fs", "fs")
    remedy = ["--model", "eam", "--model-param", f"file={tmp_path / 'right.eam.fs'}"]
    assert run(*arguments, *remedy, *output).exit_code == 0


@needs_shipped
def test_the_file_that_comes_with_lammps_needs_no_word(tmp_path):
    own = pelplug.model("cu50zr50")
    record = own.to_dict()
    for given in (record, {**record, "parameters": record["parameters"] | {"file": "/home/somebody/CuZr_mm.eam.fs"}}):
        path = trajectory(tmp_path / "t.gsd", given)
        dataset = pelplug.analyze("inherent-structures", path, stop=1, force_tolerance=1e-6)
        assert json.loads(dataset.attrs["model"])["parameters"] == record["parameters"]
        path.unlink()
    changed = {"file": shipped_potential("CuZr_mm.eam.fs"), "sha256": "0" * 64}
    other = {**record, "parameters": record["parameters"] | changed}
    with pytest.raises(pelplug.InputError, match="only on your word"):
        models.from_record(other)


def test_only_regular_files_of_sane_size(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.eam.fs")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    server = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path)
    server.bind("socket.eam.fs")
    (tmp_path / "folder.eam.fs").mkdir()
    for path, word in (
        ("/dev/zero", "a device"),
        (tmp_path / "pipe.eam.fs", "a pipe"),
        (tmp_path / "folder.eam.fs", "a folder"),
        (tmp_path / "socket.eam.fs", "cannot be read|a socket"),
    ):
        with pytest.raises(pelplug.InputError, match=word):
            pelplug.model("eam", file=path)
    server.close()
    with pytest.raises(pelplug.InputError, match="a device"):
        pelplug.model(str(tmp_path / "zero.toml"))
    with open(tmp_path / "huge.eam.fs", "wb") as file:
        file.truncate(outside.MOST + 1)  # a hole, takes no space
    with pytest.raises(pelplug.InputError, match="256 MiB that such a file may have"):
        pelplug.model("eam", file=tmp_path / "huge.eam.fs")
    link = tmp_path / "link.eam.fs"
    link.symlink_to(write_table(tmp_path / "metal.eam.fs", "fs"))
    assert pelplug.model("eam", file=link).masses["Cu"] > 0
    with pytest.raises(pelplug.InputError, match="null byte"):
        outside.read_outside("a\0b", "file")


class Tabulated(models.HarmonicSpheres):
    """A third party's model that reads a file."""

    name = "tabulated"
    aliases = ()

    def __init__(
        self,
        *,
        table: Annotated[Path | None, pelplug.Param("a file")] = None,
        note: Annotated[str | None, pelplug.Param("what this may be nobody has said")] = None,
        **base,
    ):
        super().__init__(**base)


class Plugin:
    @staticmethod
    @models.hookimpl
    def pelplug_models():
        return [Tabulated]


def test_third_party_models_pass_the_same_door(tmp_path):
    registry = Registry(third_party=False)
    registry.register(Plugin, "toy")
    classes = registry.models().values()
    table = tmp_path / "table.txt"
    table.write_text("1 2 3")
    record = Tabulated(table=table).to_dict()
    assert record["files"] == {"table": hashlib.sha256(b"1 2 3").hexdigest()}
    assert models.from_record(record, classes, trust=True).parameters["table"] == table
    assert models.from_record(Tabulated().to_dict(), classes).parameters["table"] is None
    for parameters in ({"table": str(table)}, {"note": "/etc/passwd"}):
        with pytest.raises(pelplug.InputError, match="only on your word"):
            models.from_record({"name": "tabulated", "parameters": parameters}, classes)
    table.write_text("1 2 4")
    with pytest.raises(pelplug.InputError, match="another one than was asked for"):
        models.from_record(record, classes, trust=True)


FORM = {"name": "u", "form": "lennard-jones", "species": ["Cu", "Zr"], "truncation": "cut"}


def definition(cutoff=2.5, **more):
    pairs = [
        {"species": list(pair), "sigma": 2.0, "epsilon": 1.0, "cutoff": cutoff}
        for pair in (("Cu", "Cu"), ("Cu", "Zr"), ("Zr", "Zr"))
    ]
    return {"name": "u", "parameters": {}, "definition": FORM | {"pair": pairs} | more}


@pytest.mark.parametrize(
    "record",
    [
        definition(cutoff=1e300),
        definition(cutoff=1e6),
        definition(cutoff=int("9" * 400)),
        definition(species=[f"S{k}" for k in range(60_000)]),
        definition(form="os.system('true')"),
        definition(form=["lennard-jones"]),
        definition(pair=[1, 2]),
        {"name": "u", "parameters": {}, "definition": 5},
        {"name": "u", "parameters": {}, "definition": {"form": {"form": {}}}},
        {"name": ["kob-andersen"], "parameters": {}},
        {"name": "kob-andersen", "parameters": {"cutoff": [1]}},
        {"name": "kob-andersen", "parameters": 3},
        {"name": "stillinger-weber", "parameters": {"three_body": "__import__('os')"}},
    ],
    ids=range(13),
)
def test_recorded_nonsense_is_one_sentence(tmp_path, record):
    path = trajectory(tmp_path / "t.nc", record)
    with pytest.raises(pelplug.InputError) as caught:
        pelplug.analyze("inherent-structures", path, stop=1)
    assert "\n" not in str(caught.value) and "tell its author" not in str(caught.value)
    assert pelplug.analyze("dynamics", path, dt=0.01, quantities=("msd",), min_origins=1).msd.size


def test_recorded_nonsense_of_mean_field(tmp_path):
    record = {"name": "mari-kurchan", "parameters": {"dimension": 8, "cutoff": 1e200}}
    pelplug.write_trajectory(tmp_path / "t.nc", states(["A"], d=8), model_record=record)
    with pytest.raises(pelplug.InputError, match="too many boxes"):
        pelplug.analyze("inherent-structures", tmp_path / "t.nc", stop=1)


def test_a_record_nobody_signed_stands_in_no_ones_way(tmp_path):
    """Where the user names a model, neither the file nor the units of such a record are believed."""
    path = tmp_path / "t.gsd"
    state = pelplug.model("kob-andersen").random_configuration(100, 1)
    pelplug.write_trajectory(
        path, [state.replace(step=0)], model_record={"name": "eam", "parameters": {"file": "/dev/zero"}}
    )
    found = pelplug.analyze("inherent-structures", path, model="kob-andersen", force_tolerance=1e-6)
    assert found.sizes["frame"] == 1


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"name": NaN', b"\xff\xfe", b"[1, 2]", b'"kob-andersen"'])
def test_damaged_records_are_no_record(tmp_path, text):
    assert outside.parse_record(text) is None
    with gsd.hoomd.open(tmp_path / "t.gsd", "w") as file:
        frame = gsd.hoomd.Frame()
        frame.particles.N, frame.particles.types = 2, ["A"]
        frame.particles.position = [[0, 0, 0], [2, 0, 0]]
        frame.configuration.box = [9, 9, 9, 0, 0, 0]
        for name in ("model", "simulation"):
            frame.log[f"pelplug/{name}"] = np.frombuffer(text, dtype=np.uint8)
        file.append(frame)
    with pelplug.open_trajectory(tmp_path / "t.gsd") as opened:
        assert opened.model_record is None and opened.simulation_record is None


def test_hdf5_files_take_nothing_out_of_others(tmp_path):
    path = trajectory(tmp_path / "t.nc", None)
    with h5py.File(path, "a") as file:
        shape = file["positions"].shape
        del file["positions"]
        file.create_dataset("positions", shape, "f8", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
    with pytest.raises(pelplug.InputError, match="'positions' out of another file"):
        pelplug.open_trajectory(path)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["value"] = np.zeros((3, 2, 3))
    with h5py.File(tmp_path / "t.h5md", "w") as file:
        file.create_group("h5md")
        file["particles/all/position"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
    with pytest.raises(pelplug.InputError, match="out of another file"):
        pelplug.open_trajectory(tmp_path / "t.h5md", format="h5md")
    with h5py.File(tmp_path / "r.nc", "w") as file:
        file.attrs["analysis"] = "dynamics"
        layout = h5py.VirtualLayout((3, 2, 3), "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "value", (3, 2, 3))
        file.create_virtual_dataset("x", layout)
    with pytest.raises(pelplug.InputError, match="'x' out of another file"):
        pelplug.read_results(tmp_path / "r.nc")
