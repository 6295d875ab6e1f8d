"""Habits that a test can hold: expected failures say why, and one that passes is a failure."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).parents[1]


def test_every_expected_failure_has_its_reason(pytestconfig):
    assert pytestconfig.getini("xfail_strict") is True
    found = 0
    for path in [*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "xfail" and path.name != pathlib.Path(__file__).name:
                found += 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "xfail":
                found -= 1
                given = {word.arg: word.value for word in node.keywords}
                assert "reason" in given, f"{path}: line {node.lineno}"
                assert not (isinstance(given.get("strict"), ast.Constant) and given["strict"].value is False), path
    assert found == 0, "a mark without its reason"
