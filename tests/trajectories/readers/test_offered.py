"""Readers of plugins: chosen after pelplug's and MDAnalysis's, held to the same, told of by name when they fail."""

import pickle
import re

import MDAnalysis
import numpy as np
import pytest

import pelplug
from pelplug.cli import cli
from pelplug.core.offers import answering
from pelplug.errors import InputError, RunError
from pelplug.host import functions as host
from pelplug.host.checks import check_reader_contract
from pelplug.host.registry import Registry
from pelplug.tasks.provenance import input_record


class Binary(pelplug.Reader):
    """Frames of float64: N, d, step, edges, then positions; the head says so."""

    name = "raw-doubles"
    summary = "float64, frame after frame"
    suffixes = (".doubles", ".dbl")

    def __init__(self, path):
        super().__init__(path)
        numbers, self.frames = np.fromfile(path)[1:], []
        while numbers.size:
            n, d, step = (int(one) for one in numbers[:3])
            cell, numbers = numbers[3 : 3 + d], numbers[3 + d :]
            positions, numbers = numbers[: n * d].reshape(n, d), numbers[n * d :]
            self.frames.append((step, cell, positions))

    @classmethod
    def recognises(cls, path, head):
        return head.startswith(b"DOUBLES!")

    @property
    def n_frames(self):
        return len(self.frames)

    def configuration(self, frame):
        step, cell, positions = self.frames[frame]
        species = np.where(np.arange(len(positions)) % 5 == 0, "B", "A")
        return pelplug.Configuration(positions, cell, species, step=step)


def write(path, frames=3, n=20, d=3, ns=None):
    rng = np.random.default_rng(1)
    with open(path, "wb") as file:
        file.write(b"DOUBLES!")
        for k in range(frames):
            number = n if ns is None else ns[k]
            np.array([number, d, 10 * k, *[5.0] * d]).tofile(file)
            (np.random.default_rng(2).uniform(0, 5, (number, d)) + rng.normal(0, 0.05, (number, d))).tofile(file)
    return path


def offering(*readers, name="mine", registry=None):
    class Plugin:
        """Readers."""

        @staticmethod
        @pelplug.hookimpl
        def pelplug_readers():
            return list(readers)

    registry = registry or Registry(third_party=False)
    return registry, registry.register(Plugin(), name, f"pelplug-{name}", "1.0")


@pytest.fixture
def registry():
    made, record = offering(Binary)
    assert made.readers()["raw-doubles"] is Binary and record.error is None
    assert record.provides == {"readers": ["raw-doubles"]}
    host.use_registry(made)
    yield made
    host.use_registry(None)


def changed(**members):
    return type("Other", (Binary,), {"name": "other", "suffixes": (".other",), **members})


def refused(path, *readers, frame=None, **given):
    registry, _ = offering(*readers)
    with answering(registry.offers), pytest.raises((InputError, RunError)) as error:
        trajectory = pelplug.open_trajectory(path, **given)
        if frame is not None:
            trajectory.configuration(frame)
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


@pytest.mark.parametrize("name", ["a.doubles", "a.DBL", "a.unheard", "a"])
def test_a_file_is_known_by_its_ending_or_its_beginning(registry, tmp_path, name):
    trajectory = pelplug.open_trajectory(write(tmp_path / name), dt=0.5)
    assert (trajectory.format, trajectory.n_frames, trajectory.n) == ("raw-doubles", 3, 20)
    state = trajectory.configuration(2)
    np.testing.assert_array_equal(state.positions, Binary(str(tmp_path / name)).frames[2][2])
    assert (state.step, state.time, state.species_names) == (20, 10.0, ("A", "B"))
    assert trajectory.has("steps") and not trajectory.has("velocities")


def test_an_hdf5_file_with_an_ending_of_its_own_is_its_readers(tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.other", "w") as file:
        file["x"] = np.full((4, 3), 2.0)

    class Boxes(Binary):
        name, suffixes, n_frames = "boxes", (".other",), 1
        __init__ = pelplug.Reader.__init__

        def configuration(self, frame):
            with h5py.File(self.path) as file:
                return pelplug.Configuration(file["x"][()], [5.0] * 3, ["A"] * 4)

    made, _ = offering(Boxes)
    with answering(made.offers):
        assert pelplug.open_trajectory(tmp_path / "a.other").configuration(0).positions.sum() == 24.0
    with pytest.raises(InputError):
        pelplug.open_trajectory(tmp_path / "a.other")


def test_a_name_may_be_said_and_species_renamed(registry, tmp_path):
    path = write(tmp_path / "a.xyz")
    trajectory = pelplug.open_trajectory(path, format="Raw-Doubles", species={"A": "Ni", "B": "P"})
    assert trajectory.species_names == ("Ni", "P")


@pytest.mark.parametrize("d", [2, 5])
def test_other_dimensions(registry, tmp_path, d):
    assert pelplug.open_trajectory(write(tmp_path / "a.dbl", d=d)).configuration(1).dimension == d


def test_pelplugs_and_mdanalysis_formats_come_first(registry, tmp_path):
    greedy = changed(recognises=classmethod(lambda cls, path, head: True))
    both, _ = offering(greedy)
    gsd = pelplug.testing.make_trajectory(tmp_path / "t.gsd", frames=2)
    universe = MDAnalysis.Universe.empty(2, trajectory=True)
    universe.dimensions = [5, 5, 5, 90, 90, 90]
    universe.add_TopologyAttr("names", ["A", "B"])
    universe.atoms.write(str(tmp_path / "t.gro"))
    with answering(both.offers):
        assert pelplug.open_trajectory(gsd).format == "GSD"
        assert pelplug.open_trajectory(tmp_path / "t.gro").format == "GRO"


def test_it_pickles_and_reads_on_elsewhere(registry, tmp_path):
    trajectory = pelplug.open_trajectory(write(tmp_path / "a.dbl"))
    again = pickle.loads(pickle.dumps(trajectory))
    np.testing.assert_array_equal(again.configuration(2).positions, trajectory.configuration(2).positions)
    trajectory.close()


def test_it_is_a_topology_too(registry, tmp_path):
    from MDAnalysis.coordinates.XTC import XTCWriter

    path = write(tmp_path / "a.dbl")
    universe = MDAnalysis.Universe.empty(20, trajectory=True)
    universe.dimensions = [5, 5, 5, 90, 90, 90]
    with XTCWriter(str(tmp_path / "a.xtc"), 20) as writer:
        writer.write(universe.atoms)
    assert pelplug.open_trajectory(tmp_path / "a.xtc", topology=path).species_names == ("A", "B")


def test_what_it_says_is_believed(tmp_path):
    said = pelplug.Conditions(temperature=300.0, replica=4, units=pelplug.Units.of("metal"))

    class Said(Binary):
        units = "metal"
        conditions = lambda self: said  # noqa: E731
        log = lambda self, frame: {"pressure": 2.0 * frame}  # noqa: E731
        ids = lambda self, frame: np.roll(np.arange(20), frame)  # noqa: E731
        model_record = lambda self: {"name": "kob-andersen"}  # noqa: E731

    made, _ = offering(Said)
    with answering(made.offers):
        trajectory = pelplug.open_trajectory(write(tmp_path / "a.dbl"))
        assert trajectory.units == pelplug.Units.of("metal") and trajectory.log(1) == {"pressure": 2.0}
        assert trajectory.conditions.temperature == 300.0 and trajectory.conditions.replica == 4
        assert trajectory.model_record == {"name": "kob-andersen"}
        rows = Said(str(tmp_path / "a.dbl")).frames[1][2]
        np.testing.assert_array_equal(trajectory.configuration(1).positions, np.roll(rows, -1, axis=0))
        with pytest.raises(InputError, match="ids of frame"):
            Said.ids = lambda self, frame: np.arange(20) + frame
            pelplug.open_trajectory(tmp_path / "a.dbl").check_identity()
        with pytest.raises(InputError, match=r"No particle of .* can be followed .*rows are shuffled; or, if rows"):
            Said.ids, Said.unordered = Binary.ids, "rows are shuffled"
            pelplug.open_trajectory(tmp_path / "a.dbl").check_identity()


def test_frames_that_change_their_number_are_refused_as_in_any_format(registry, tmp_path):
    trajectory = pelplug.open_trajectory(write(tmp_path / "a.dbl", ns=[20, 20, 21]))
    with pytest.raises(InputError, match=r"Frame 2 of .* has 21 particles, but frame 0 has 20; split the file where"):
        trajectory.configuration(2)


def test_its_code_and_the_file_count(registry, tmp_path):
    path = write(tmp_path / "a.dbl")
    before = input_record(pelplug.open_trajectory(path))
    assert before["checksum"].startswith("sha256:") and before["format"] == "raw-doubles"
    assert Binary.__module__.partition(".")[0] in before["reader"]
    plain = pelplug.open_trajectory(pelplug.testing.make_trajectory(tmp_path / "t.gsd"))
    assert "reader" not in input_record(plain)
    write(path, frames=2)
    assert input_record(pelplug.open_trajectory(path))["checksum"] != before["checksum"]


def raising(error):
    def method(self, *arguments):
        raise error

    return method


def test_a_reader_that_raises_is_one_sentence_with_its_owner(tmp_path):
    path = write(tmp_path / "a.other")
    who = "the reader other of mine (pelplug-mine 1.0)"
    broken = changed(__init__=raising(KeyError("box")))
    assert f"cannot be read, for {who} failed (KeyError: 'box'); check the file, or tell" in refused(path, broken)
    sentence = refused(path, changed(n_frames=property(raising(ZeroDivisionError("by zero")))))
    assert f"{who} failed (ZeroDivisionError: by zero)" in sentence
    good = Binary.configuration

    def late(self, frame):
        if frame:
            raise RuntimeError("worn out")
        return good(self, frame)

    sentence = refused(path, changed(configuration=late), frame=1)
    assert re.match(
        r"Frame 1 of .*a.other: the reader other of mine .* failed \(RuntimeError: worn out\); use the", sentence
    )
    assert "(--stop 1)" in sentence
    wrong = changed(configuration=lambda self, frame: 3)
    assert f"{who} gave int for a Configuration; tell its author" in refused(path, wrong)
    flat = changed(
        configuration=lambda self, k: pelplug.Configuration(np.ones((20, 3 + k)), np.full(3 + k, 5.0), ["A"] * 20)
    )
    assert "it has d = 4, unlike the first (d = 3)" in refused(path, flat, frame=1)
    few = changed(ids=lambda self, frame: np.arange(3))
    assert f"{who} gave (3,) ids of 20 particles; tell its author" in refused(path, few)
    assert "no frames" in refused(path, changed(n_frames=0))
    said = changed(configuration=raising(InputError("this box is round; make it square.")))
    assert re.fullmatch(r"Frame 0 of .*a.other: this box is round; make it square.", refused(path, said))
    mad = changed(suffixes=(".x1",), recognises=classmethod(raising(ValueError("odd"))))
    assert f"is of the format of {who}, which failed (ValueError: odd)" in refused(write(tmp_path / "b.unheard"), mad)
    assert "pass its format (--format)" in refused(tmp_path / "b.unheard", mad)
    compressed = tmp_path / "a.other.gz"
    compressed.write_bytes(b"\x1f\x8b")
    assert f"is compressed, and {who} reads plain files; unpack it first" in refused(compressed, changed())


def test_two_that_recognise_a_file_are_told_and_the_format_settles_it(tmp_path):
    path, twin = write(tmp_path / "a.unheard"), changed()
    sentence = refused(path, Binary, twin)
    assert "is recognised by the reader raw-doubles of mine (pelplug-mine 1.0) and by the reader other" in sentence
    assert sentence.endswith("say which it is: --format raw-doubles, or other.")
    made, _ = offering(Binary, twin)
    with answering(made.offers):
        assert pelplug.open_trajectory(path, format="other").format == "other"


def test_a_name_or_an_ending_taken_twice_is_told_with_both_owners():
    registry, _ = offering(Binary)
    _, second = offering(changed(suffixes=(".dbl",)), name="second", registry=registry)
    _, third = offering(type("Third", (Binary,), {"suffixes": (".third",)}), name="third", registry=registry)
    assert list(registry.readers()) == ["raw-doubles"]
    assert second.error == (
        "The reader 'other' of second (pelplug-second 1.0) is refused: the name '.dbl' is taken, mine (pelplug-mine "
        "1.0) has it already."
    )
    assert "the name 'raw-doubles' is taken, mine (pelplug-mine 1.0) has it already" in third.error


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"name": "gsd"}, "the name 'gsd' of a reader is taken, pelplug reads a format of that name"),
        ({"name": "xtc"}, "the name 'xtc' of a reader is taken, MDAnalysis reads"),
        ({"suffixes": (".lammpstrj",)}, "the ending '.lammpstrj' of the reader raw-doubles is taken, pelplug reads"),
        ({"suffixes": (".gro",)}, "the ending '.gro' of the reader raw-doubles is taken, MDAnalysis reads"),
        ({"suffixes": (".gz",)}, "the ending '.gz'"),
        ({"suffixes": ("dbl",)}, "has the ending 'dbl'; write endings as '.particles'"),
        ({"suffixes": ".dbl"}, "must set suffixes to a tuple of strings"),
        ({"suffixes": (), "recognises": pelplug.Reader.recognises}, "so that no file is its"),
        ({"summary": " "}, "has no summary"),
        ({"name": "No Name"}, "use lower-case words"),
        ({"n_frames": pelplug.Reader.n_frames}, "lacks n_frames"),
    ],
)
def test_the_contract_is_checked_when_it_is_offered(wrong, sentence):
    with pytest.raises(TypeError, match=re.escape(sentence)):
        check_reader_contract(type("Wrong", (Binary,), wrong))
    check_reader_contract(Binary)


def test_the_command_reads_it_and_leaves_it_out_without_plugins(registry, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.doubles")

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([*arguments])
        return end.value.code, capsys.readouterr().err

    command = ("analyze", "a.doubles", "--plugin", "dynamics", "--dt", "1", "--quiet")
    code, error = run(*command, "--no-plugins")
    assert code == 2 and "The format DOUBLES of a.doubles is not one that pelplug reads" in error
    assert run(*command) == (0, "")
    code, error = run("analyze", "a.doubles", "--plugin", "dynamics", "--format", "raw-doubled")
    assert code == 2 and "did you mean --format RAW-DOUBLES?" in error
