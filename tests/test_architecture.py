"""docs/architecture.md shows the house as it is: its rooms, its floors, and arrows that go one way."""

import importlib.util
import pathlib
import re
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rooms = load("rooms")


def block_after(heading):
    return re.search(r"```\n(.*?)\n```", PAGE.partition(f"\n## {heading}\n")[2], re.DOTALL)[1]


def test_the_tree_on_the_page_is_the_tree_there_is():
    shown, there = block_after("The rooms").splitlines(), rooms.tree().splitlines()
    missing = [line for line in there if line not in shown]
    gone = [line for line in shown if line not in there]
    told = "\n".join(["docs/architecture.md lacks", *missing, "and shows what is not there", *gone])
    assert not (missing or gone), told
    assert shown == there, "docs/architecture.md: the order is that of the floors; paste python docs/rooms.py --tree"


def test_the_tree_has_every_room_and_loose_module():
    """Counted here by the file system alone, so that the script is held to it too."""
    shown = {line.split()[0] for line in block_after("The rooms").splitlines() if re.match(r"  \S", line)}
    package = ROOT / "pelplug"
    loose = {path.name for path in package.glob("*.py")} - {"__main__.py"}
    folders = {f"{path.parent.relative_to(package).parts[0]}/" for path in package.glob("*/**/*.py")}
    assert shown == loose | folders


def test_the_floors_on_the_page_are_those_of_import_linter():
    floors = [re.findall(r"\w+", line) for line in block_after("Floors and arrows").splitlines()]
    assert floors == rooms.floors()
    names = {name.removesuffix("/").removesuffix(".py") for name in rooms.rooms()} - {"__init__"}
    assert sorted(name for floor in floors for name in floor) == sorted(names)


def test_no_arrow_goes_upwards_and_none_in_a_circle():
    assert len(rooms.arrows()) > 50
    assert rooms.upward_arrows() == []
    assert rooms.circles() == []


def test_an_upward_arrow_and_a_circle_would_be_found(monkeypatch):
    there = rooms.arrows()
    wrong = {("core", "execution"): 1, ("plotting", "pelplug"): 1, ("testing", "cli"): 1}
    monkeypatch.setattr(rooms, "arrows", lambda: {**there, **wrong})
    assert sorted(rooms.upward_arrows()) == sorted(wrong)
    assert rooms.circles() == [["cli", "testing"], ["core", "execution"]]


def test_each_room_says_in_its_first_line_whom_it_is_for():
    silent = [name for name, line in rooms.rooms().items() if name.endswith("/") and not re.search(r"\bFor \w", line)]
    assert silent == [], "write the first line of its __init__.py as 'What it is. For whom.'"
    folders = [name for name in rooms.rooms() if name.endswith("/")]
    unnamed = [room + inner for room in folders for inner, line in rooms.inner_rooms(room).items() if not line]
    assert unnamed == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:pelplug|plugins|tests|docs)/[a-z0-9_/.-]+)`", PAGE))))
def test_paths_on_the_page_exist(name):
    assert (ROOT / name).exists()


def test_contracts_name_the_rooms_there_are():
    """The two lists of rooms beside the floors: what plugins may not import, and where click may not be."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    names = {name for floor in rooms.floors() for name in floor}
    every = {f"pelplug.{name}" for name in names}
    assert set(contracts["Plugins see the public face only"]["forbidden_modules"]) == every - {"pelplug.testing"}
    assert set(contracts["click only in the command line"]["source_modules"]) == every - {"pelplug.cli"}
    assert not any(contract.get("ignore_imports") for contract in linter["contracts"])
