"""The bundle is the union of its plugins' own tables, so that each of them could be published by itself."""

import pathlib
import re
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "plugins"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))


def table(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())


def requirements(entries):
    return {entry.split(">")[0].split("=")[0].split("[")[0].strip(): entry for entry in entries}


def test_there_are_plugins_and_each_folder_is_one():
    assert PLUGINS
    assert {path.name for path in ROOT.glob("plugins/*") if path.is_dir()} == {path.name for path in PLUGINS}


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_plugin_is_bundled_as_it_declares(folder):
    root, own = table(ROOT), table(folder)
    bundled = root["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for package in own["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"plugins/{folder.name}/{package}" in bundled
        assert (folder / package / "__init__.py").is_file()
    entry_points = own["project"]["entry-points"]["pelplug"]
    assert entry_points.items() <= root["project"]["entry-points"]["pelplug"].items()
    root_requirements = requirements(root["project"]["dependencies"])
    for name, entry in requirements(own["project"]["dependencies"]).items():
        if name != "pelplug":
            assert root_requirements.get(name) == entry
    assert own["project"]["version"] == root["project"]["version"]
    assert own["project"]["requires-python"] == root["project"]["requires-python"]
    # Installing it over the bundle and removing it would delete the bundle's files.
    assert "Private :: Do Not Upload" in own["project"]["classifiers"]
    assert (folder / "README.md").is_file()
    assert list((folder / "tests").glob("test_*.py"))


def lists():
    """Every list that names the bundled plugins: where it stands, what it has, and the line of each plugin."""
    root = table(ROOT)
    linter = root["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    build = root["tool"]["hatch"]["build"]
    names = {package: f'  "{package}",' for folder in PLUGINS for package in packages(folder)}
    entry_points, found = {}, root["project"]["entry-points"]["pelplug"]
    for folder in PLUGINS:
        entry_points |= table(folder)["project"]["entry-points"]["pelplug"]
    own = {"engines": "pelplug.engines", "models": "pelplug.models", "potentials": "pelplug.potentials"}
    wheel = {f"plugins/{folder.name}/{package}" for folder in PLUGINS for package in packages(folder)}
    folders = {f"plugins/{folder.name}" for folder in PLUGINS}
    return {
        "[project.entry-points.pelplug] of pyproject.toml": (
            set(found.items()),
            {pair: '{} = "{}"'.format(*pair) for pair in (own | entry_points).items()},
        ),
        "packages in [tool.hatch.build.targets.wheel] of pyproject.toml": (
            set(build["targets"]["wheel"]["packages"]),
            {entry: f'  "{entry}",' for entry in {"pelplug", *wheel}},
        ),
        "dev-mode-dirs in [tool.hatch.build] of pyproject.toml": (
            set(build["dev-mode-dirs"]),
            {entry: f'  "{entry}",' for entry in {".", *folders}},
        ),
        "root_packages in [tool.importlinter] of pyproject.toml": (
            set(linter["root_packages"]),
            {"pelplug": '  "pelplug",', **names},
        ),
        'source_modules of the contract "Plugins see the public face only" in pyproject.toml': (
            set(contracts["Plugins see the public face only"]["source_modules"]),
            names,
        ),
        'modules of the contract "Plugins never import each other" in pyproject.toml': (
            set(contracts["Plugins never import each other"]["modules"]),
            names,
        ),
        "the table under Plugins in README.md": (
            set(re.findall(r"`([\w-]+)`", "".join(row.split("|")[1] for row in readme_rows()))),
            {cls.name: f"| `{cls.name}` | {cls.summary} | |" for cls in (*analyses(), *offered("pelplug_studies"))},
        ),
        "the toctree of docs/plugins/index.md": (
            set(re.search(r"{toctree}(.*?)```", PAGES.joinpath("index.md").read_text(), re.DOTALL)[1].split()[2:]),
            {page.stem: page.stem for page in PAGES.glob("*.md") if page.stem != "index"},
        ),
    }


def packages(folder):
    return table(folder)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def analyses():
    """The analyses of the bundled plugins, found by their folders."""
    return offered("pelplug_analyses")


def offered(hook):
    """What the bundled plugins offer by a hook."""
    modules = [import_module(name) for folder in PLUGINS for name in packages(folder)]
    found = [cls for one in modules if hasattr(one, hook) for cls in getattr(one, hook)()]
    assert found
    return found


def readme_rows():
    section = (ROOT / "README.md").read_text().partition("\n## Plugins\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


def complaint(where, found, wanted):
    """What to add to a list and what to take out of it, line by line; empty if nothing."""
    words = []
    if missing := [line for entry, line in sorted(wanted.items()) if entry not in found]:
        words += [f"add to {where}:", *missing]
    if extra := sorted(map(str, found - set(wanted))):
        words += [f"take out of {where}, as no folder of plugins/ has it: {', '.join(extra)}"]
    return "\n".join(words)


def test_lists_name_the_plugins_there_are():
    words = "\n".join(filter(None, (complaint(where, *entries) for where, entries in lists().items())))
    assert not words, f"\n{words}"


def test_a_missing_plugin_is_told_with_the_line_to_add():
    """Each line proposed is one that stands in the file, so it may be pasted."""
    for where, (found, wanted) in lists().items():
        text = (ROOT / re.search(r"[\w/]+\.(toml|md)", where)[0]).read_text()
        for entry, line in wanted.items():
            assert complaint(where, found - {entry}, wanted).splitlines() == [f"add to {where}:", line]
            assert (line.partition(" | ")[0].strip("| ") if line.startswith("|") else line) in text
        assert "no-such" in complaint(where, found | {"no-such"}, wanted)


def test_continuous_integration_runs_the_readmes_commands():
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Install and run") : text.index("## Simulate")]
    commands = [block.partition("```")[0].strip() for block in section.split("```bash")[1:]]
    assert len(commands) == 2 and all("&&" in command for command in commands)
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    places = [script.index(command) for command in commands]
    assert places == sorted(places)
    again = commands[0].partition("&& ")[2]
    assert again in script[places[1] :]


def test_an_editable_installation_puts_every_package_on_the_path():
    """What an old version left in site-packages hides what an import hook finds, but not a package on the path."""
    build = table(ROOT)["tool"]["hatch"]["build"]
    assert "dev-mode-exact" not in build


def test_what_an_old_version_left_behind_hides_nothing(tmp_path):
    for name in ("pelplug", "pelplug_kappa"):
        (tmp_path / name / "__pycache__").mkdir(parents=True)
        (tmp_path / name / "__pycache__" / "kernels.nbi").touch()
    packages = table(ROOT)["tool"]["hatch"]["build"]["dev-mode-dirs"]
    folders = [str(tmp_path), *(str(ROOT / folder) for folder in packages)]
    script = f"import sys; sys.path[:0] = {folders!r}\nimport pelplug, pelplug_kappa\n"
    script += "print(pelplug.__file__, pelplug_kappa.__file__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    found = [str(ROOT / "pelplug" / "__init__.py"), str(ROOT / "plugins" / "kappa" / "pelplug_kappa" / "__init__.py")]
    assert done.stdout.split() == found, done.stderr
