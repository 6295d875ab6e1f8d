"""Exporters with one fault each."""

import pelplug
from faulty import Faulty


class Numbers:
    """Nothing is wrong with it: the numbers of each frame, a line each."""

    name = "numbers"
    summary = "numbers of each frame, a line each"
    suffixes = (".numbers",)

    def lines(self, datasets, trajectory):
        found = [
            f"{analysis}.{name} {number}"
            for analysis, dataset in datasets.items()
            for name, variable in dataset.data_vars.items()
            if variable.dims == ("frame",)
            for number in variable.values
        ]
        if not found:
            raise pelplug.InputError("These results have no numbers of frames; export them to .csv.")
        return found

    def export(self, datasets, trajectory, path):
        with open(path, "w") as file:
            file.write("\n".join(self.lines(datasets, trajectory)))


class NoSummary(Numbers):
    summary = ""


class OneEnding(Numbers):
    suffixes = (".numbers", ".counts")

    def export(self, datasets, trajectory, path):
        if path.suffix == ".counts":
            raise NotImplementedError("later")
        super().export(datasets, trajectory, path)


class Beside(Numbers):
    def export(self, datasets, trajectory, path):
        super().export(datasets, trajectory, path)
        (path.parent / "index.txt").write_text("all of it")


class Marks(Numbers):
    def export(self, datasets, trajectory, path):
        for dataset in datasets.values():
            dataset.attrs["exported"] = dataset.attrs.get("exported", 0) + 1
        super().export(datasets, trajectory, path)


class Always(Numbers):
    def export(self, datasets, trajectory, path):
        path.write_text("numbers:\n" + " ".join(datasets))


class NeedsFile(Numbers):
    def lines(self, datasets, trajectory):
        return [f"{trajectory.n} particles", *super().lines(datasets, trajectory)]


class Dump(Numbers):
    """Nothing is wrong with it: positions as a dump of LAMMPS."""

    name = "dump"
    suffixes = (".lammpstrj",)
    scale = 1.0

    def lines(self, datasets, trajectory):
        super().lines(datasets, trajectory)
        if trajectory is None:
            raise pelplug.InputError("A dump needs the trajectory; give it.")
        found = []
        for state in trajectory:
            found += ["ITEM: TIMESTEP", str(state.step), "ITEM: NUMBER OF ATOMS", str(state.n)]
            found += ["ITEM: BOX BOUNDS pp pp pp", *(f"0 {edge!r}" for edge in map(float, state.cell.diagonal()))]
            found += ["ITEM: ATOMS id element x y z"]
            for k, (name, place) in enumerate(zip(state.species, (self.scale * state.positions).tolist(), strict=True)):
                found += [f"{k + 1} {name} {place[0]!r} {place[1]!r} {place[2]!r}"]
        return [*found, ""]


class Scaled(Dump):
    """Writes positions in units of its own."""

    scale = 0.5


GOOD = (Numbers(), Dump())
FAULTY = (
    Faulty(NoSummary(), "check_exporter_declared", "has no summary"),
    Faulty(OneEnding(), "check_exporter_writes", "later"),
    Faulty(Beside(), "check_exporter_writes_one_file", "also writes index.txt"),
    Faulty(Marks(), "check_exporter_leaves_results", "changes the results that it writes: made"),
    Faulty(Always(), "check_exporter_refuses_nothing", "nothing for it"),
    Faulty(NeedsFile(), "check_exporter_without_trajectory", "has no attribute 'n'"),
    Faulty(Scaled(), "check_exporter_round_trip", "positions are read as others"),
)
