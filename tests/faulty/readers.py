"""Readers with one fault each, of text: ``N step L``, then ``species x y z`` for each particle, then ``end``."""

import numpy as np

import pelplug
from faulty import Faulty


def write(folder):
    """Three frames, of which the last lines are not the same."""
    rng, path = np.random.default_rng(3), folder / "some.rows"
    with open(path, "w") as file:
        for step in (0, 10, 20):
            print(6, step, 4.0, file=file)
            for k, row in enumerate(rng.uniform(0, 4, (6, 3))):
                print("AB"[k % 2], *row, file=file)
            print("end", file=file)
    return path


class Rows(pelplug.Reader):
    """Nothing is wrong with it."""

    name = "rows"
    summary = "text: N, step and edge, then a particle a line"
    suffixes = (".rows",)
    trial = {"trajectory": write}  # noqa: RUF012

    def __init__(self, path):
        super().__init__(path)
        self.take(open(path).read())  # noqa: SIM115

    def take(self, text):
        lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
        if not lines or lines[-1] != ["end"]:
            raise pelplug.InputError(f"{self.path} ends in the middle of a frame; copy it again.")
        self.lines = lines

    def rows(self, frame):
        ends = [-1, *(k for k, line in enumerate(self.lines) if line == ["end"])]
        return self.lines[ends[frame] + 1 : ends[frame + 1]]

    @property
    def n_frames(self):
        return self.lines.count(["end"])

    def configuration(self, frame):
        (_, step, edge), *rows = self.rows(frame)
        positions = np.array([row[1:] for row in rows], dtype=float)
        return pelplug.Configuration(positions, [float(edge)] * 3, [row[0] for row in rows], step=int(step))


class NoSummary(Rows):
    """Has no summary."""

    summary = ""


def local():
    class Local(Rows):
        """Is found nowhere."""

    return Local


class Stumbles(Rows):
    """Does not get over the second frame."""

    def configuration(self, frame):
        if frame == 1:
            raise ValueError("what is this?")
        return super().configuration(frame)


class FromTheFrameBefore(Rows):
    """Makes velocities of the frame that it read before."""

    before = None

    def configuration(self, frame):
        state = super().configuration(frame)
        velocities = 0 * state.positions if self.before is None else state.positions - self.before
        self.before = state.positions
        return state.replace(velocities=velocities)


class OneForAll(Rows):
    """Keeps what it has read where all of its kind find it."""

    def take(self, text):
        OneForAll.lines = [line.split() for line in text.splitlines()]
        if not text.endswith("end\n"):
            raise pelplug.InputError("cut short.")


class LeavesANote(Rows):
    """Writes into the file that it was there."""

    def __init__(self, path):
        super().__init__(path)
        with open(path, "a") as file:
            file.write("# read\n")


class Pads(Rows):
    """Puts zeros for what is missing."""

    def take(self, text):
        whole = text if text.endswith("end\n") else text[: text.rfind("\n") + 1] + "end\n"
        super().take(whole)

    def configuration(self, frame):
        (n, step, edge), *rows = self.rows(frame)
        rows += [["A", "0", "0", "0"]] * (int(n) - len(rows))
        positions = np.array([row[1:] for row in rows], dtype=float)
        return pelplug.Configuration(positions, [float(edge)] * 3, [row[0] for row in rows], step=int(step))


class Greedy(Rows):
    """Takes every file for its own."""

    @classmethod
    def recognises(cls, path, head):
        return True


GOOD = (Rows,)
FAULTY = tuple(
    Faulty(thing, check, words, kit={"trajectory": write})
    for thing, check, words in (
        (NoSummary, "check_reader_declared", "has no summary"),
        (local(), "check_reader_is_importable", "is not the class"),
        (Stumbles, "check_reader_reads", "what is this"),
        (FromTheFrameBefore, "check_reader_reads_in_any_order", "is another when others were read"),
        (OneForAll, "check_reader_shares_nothing", "once a second one was opened"),
        (LeavesANote, "check_reader_leaves_the_file", "reading changes the file"),
        (Pads, "check_reader_refuses_a_torn_file", "is read, and is another"),
        (Greedy, "check_reader_leaves_others_alone", "takes for its own"),
    )
)
