"""Each hook has a page, and each page an example that is run here, as its reader would: files, then Python and a shell.

A block of Python or TOML that begins with the name of a file (``# pelplug_foo.py``) is that file, and so is a file that
a page includes from ``examples/`` or the tests, with what lies beside it. All files lie in one folder, installed as
distributions: each module or package ``pelplug_NAME`` has its entry point. The other blocks of Python and of the shell
are run there, in order; what is no more than a part of an example is a ``{code-block}``.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from pelplug.host import hookspecs

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "hooks"
HOOKS = sorted(name.removeprefix("pelplug_") for name in dir(hookspecs) if name.startswith("pelplug_"))
_BLOCK = re.compile(r"^```(\{literalinclude\} )?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")


class Example:
    """The blocks of one page, in a folder of their own."""

    def __init__(self, folder):
        self.folder, self.ran, self.hooks = folder, 0, set()

    def follow(self, text):
        for included, language, body in _BLOCK.findall(text):
            if included:
                self.include((PAGES / language.strip()).resolve())
            elif (named := _NAMED.match(body)) and language in ("python", "toml"):
                self.write(named[1], body)
            elif language in ("python", "bash"):
                self.run(language, body)

    def include(self, path):
        """Copy a module; of a package all of it."""
        while (path.parent / "__init__.py").exists():
            path = path.parent
        copied = self.folder / path.name
        if path.is_dir():
            shutil.copytree(path, copied, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(path, copied)
        for one in [copied, *copied.rglob("*.py")]:
            if one.suffix == ".py":
                self.take_note(one.read_text())

    def write(self, name, body):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
        self.take_note(body)

    def take_note(self, source):
        self.hooks |= set(re.findall(r"@(?:pelplug\.)?hookimpl\s+def pelplug_(\w+)", source))

    def run(self, language, body):
        for path in self.folder.glob("pelplug_*"):
            name = path.stem.removeprefix("pelplug_")
            info = self.folder / f"pelplug_{name}-1.0.dist-info"
            if path.suffix in ("", ".py") and not info.exists():
                info.mkdir()
                (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pelplug-{name}\nVersion: 1.0\n")
                (info / "entry_points.txt").write_text(f"[pelplug]\n{name.replace('_', '-')} = pelplug_{name}\n")
        command = [sys.executable, "-c", body] if language == "python" else ["bash", "-euo", "pipefail", "-c", body]
        path = os.pathsep.join(filter(None, [os.fspath(self.folder), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
        environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{body}\n{done.stdout}{done.stderr}"
        self.ran += 1


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_each_hook_runs(hook, tmp_path):
    example = Example(tmp_path)
    example.follow((PAGES / f"{hook}.md").read_text())
    assert hook in example.hooks, f"docs/hooks/{hook}.md has no file that implements pelplug_{hook}"
    assert example.ran, f"docs/hooks/{hook}.md runs nothing"


def test_each_hook_has_its_page_and_its_place_in_the_index():
    index = (PAGES / "index.md").read_text()
    listed = re.search(r"^```\{toctree\}\n.*?\n\n(.*?)```$", index, re.MULTILINE | re.DOTALL)[1].split()
    assert sorted(listed) == HOOKS == sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "index")
    for hook in HOOKS:
        assert (PAGES / f"{hook}.md").read_text().startswith(f"# `pelplug_{hook}`\n")


def test_an_example_that_fails_is_found(tmp_path):
    page = (
        "```python\n# pelplug_foo.py\nimport pelplug\n```\n\n```python\nimport pelplug_foo, nothing_of_this_name\n```\n"
    )
    with pytest.raises(AssertionError, match="nothing_of_this_name"):
        Example(tmp_path).follow(page)
    assert (tmp_path / "pelplug_foo.py").read_text() == "# pelplug_foo.py\nimport pelplug\n"
