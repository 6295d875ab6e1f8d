"""Files as modules: what they define is found by other processes, and each fault is one sentence with its line."""

import os
import pickle
import subprocess
import sys

import pytest

from pelplug import InputError
from pelplug.core.python_files import changed_file, file_of, load_file, split_file
from pelplug.core.versions import code_of, distribution_of

THING = """
import dataclasses

@dataclasses.dataclass
class Thing:
    factor: int = {}

    class Inner:
        pass

def twice(x):
    return 2 * x
"""
READ = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()))"


@pytest.fixture(params=["mine.py", "two words.v2 é.py"])
def path(request, tmp_path):
    written = tmp_path / request.param
    written.write_text(THING.format(1))
    return written


def read_elsewhere(thing):
    return subprocess.run([sys.executable, "-c", READ], input=pickle.dumps(thing), capture_output=True)


def test_another_process_finds_what_a_file_defines(path):
    module = load_file(path)
    done = read_elsewhere([module.Thing(7), module.Thing.Inner, module.twice])
    assert done.returncode == 0, done.stderr
    assert b"Thing(factor=7)" in done.stdout
    assert pickle.loads(pickle.dumps(module.twice)) is module.twice
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]  # no __pycache__ beside a user's file


def test_a_file_is_run_once_for_each_content(path, monkeypatch):
    first = load_file(path)
    monkeypatch.chdir(path.parent)
    assert load_file(path.name) is first
    sent = pickle.dumps(first.Thing())
    assert changed_file(sent) is None
    path.write_text(THING.format(2))
    assert changed_file(sent) == str(path) and changed_file(b"") is None
    second = load_file(path)
    assert (first.Thing().factor, second.Thing().factor) == (1, 2)
    gone = read_elsewhere(first.Thing())
    assert gone.returncode == 1 and b"has changed since it was loaded first" in gone.stderr


def test_code_is_told_by_the_files_content(path):
    thing = load_file(path).Thing
    assert file_of(thing).path == str(path)
    assert distribution_of(thing) == (path.name, file_of(thing).checksum)
    assert code_of(thing())[path.name] == code_of(thing)[path.name] == file_of(thing).checksum
    assert file_of(os.path.join) is None and file_of(3) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ndef f(:\n", r"bad\.py cannot be run \(line 2\): SyntaxError: invalid syntax\.$"),
        ("import os\n\n1 / 0\n", r"\(line 3\): ZeroDivisionError: division by zero\.$"),
        ("import sys\nsys.exit(3)\n", r"\(line 2\): SystemExit: 3\.$"),
        ("import helper\n", "'helper'; it is run alone, without helper beside it: put all into one file"),
        ("from .helper import x\n", "it is run alone, without helper beside it"),
        ("import no_such_module_anywhere\n", r"No module named 'no_such_module_anywhere'\.$"),
    ],
)
def test_a_file_that_raises_is_refused_with_its_line(tmp_path, text, said):
    (tmp_path / "helper.py").touch()
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(InputError, match=said):
        load_file(tmp_path / "bad.py")
    (tmp_path / "bad.py").write_text("value = 5\n")
    assert load_file(tmp_path / "bad.py").value == 5


def test_a_file_that_is_not_there_is_told_with_a_name_near_by(tmp_path):
    (tmp_path / "mine.py").touch()
    with pytest.raises(InputError, match=r"There is no file .*mime\.py; did you mean .*mine\.py\?"):
        load_file(tmp_path / "mime.py")


def test_a_path_may_carry_a_name():
    assert split_file("./mine.py:near-by") == ("./mine.py", "near-by")
    assert split_file("a/b.py") == ("a/b.py", "")
    assert split_file("kappa") is None and split_file("calc.pyc") is None
