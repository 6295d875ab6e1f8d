""".ci/exceptions.py: exceptions of the type checker are named by module, and one that is not needed fails."""

import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
NEEDED = {"pelplug.a": {"misc"}, "pelplug.b": {"misc", "no-untyped-def"}, "pelplug.c": {"arg-type"}}
BEFORE, AFTER = "[tool.mypy]\nstrict = true\n\n", "[tool.importlinter]\n"


@pytest.fixture
def exceptions(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("exceptions", ROOT / ".ci" / "exceptions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(module, "needed", lambda text: NEEDED)
    return module


def test_what_is_written_is_what_is_read(exceptions):
    text = exceptions.sections(NEEDED)
    assert exceptions.named(BEFORE + text + AFTER) == NEEDED
    assert exceptions.EXCEPTION.sub("", BEFORE + text + AFTER) == BEFORE + AFTER


def test_only_what_is_needed_passes(exceptions, capsys):
    exceptions.PROJECT.write_text(BEFORE + exceptions.sections(NEEDED) + AFTER)
    assert exceptions.main([]) == 0
    more = {**NEEDED, "pelplug.c": {"arg-type", "misc"}, "pelplug.d": {"index", "no-untyped-def"}}
    exceptions.PROJECT.write_text(BEFORE + exceptions.sections(more) + AFTER)
    assert exceptions.main([]) == 1
    said = capsys.readouterr().out
    assert (
        "pelplug.c no longer needs misc off" in said and "pelplug.d no longer needs index, no-untyped-def off" in said
    )
    assert exceptions.main(["--shrink"]) == 0
    assert exceptions.PROJECT.read_text() == BEFORE + exceptions.sections(NEEDED) + AFTER


def test_the_project_names_modules_that_there_are(exceptions):
    found = exceptions.named((ROOT / "pyproject.toml").read_text())
    paths = [ROOT / module.replace(".", "/") for module in found]
    assert found and all(path.with_suffix(".py").is_file() or (path / "__init__.py").is_file() for path in paths)


def test_an_ignored_error_says_which_and_why():
    bare = []
    for path in sorted((ROOT / "pelplug").rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            _, ignored, rest = line.partition("# type: ignore")
            if ignored and not (rest.startswith("[") and "  # " in rest):
                bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert bare == []
