"""Exceptions of the type checker can only shrink: each that pyproject.toml names must still be needed.

python .ci/exceptions.py             # in CI, after mypy: which exceptions are stale
python .ci/exceptions.py --shrink    # take those out of pyproject.toml
"""

import collections
import pathlib
import re
import sys
import tempfile
import textwrap
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
ERROR = re.compile(r"^(pelplug/\S+?)\.py:\d+: error: .*\[([a-z-]+)\]$", re.MULTILINE)
RULE = r"disable_error_code = \[[^]]*\]|disallow_untyped_defs = false"
EXCEPTION = re.compile(rf"^\[\[tool\.mypy\.overrides\]\]\nmodule = \[[^]]*\]\n(?:{RULE})\n\n", re.MULTILINE)
UNTYPED = "no-untyped-def"


def named(text: str) -> dict[str, set[str]]:
    """Return the error codes that are off, by module, as pyproject.toml names them."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for section in tomllib.loads(text)["tool"]["mypy"].get("overrides", ()):
        for module in section["module"]:
            found[module] |= {*section.get("disable_error_code", ())}
            found[module] |= {UNTYPED} if section.get("disallow_untyped_defs") is False else set()
    return {module: codes for module, codes in found.items() if codes}


def needed(text: str) -> dict[str, set[str]]:
    """Return the codes of the errors that there are where nothing is off, by module."""
    from mypy import api

    with tempfile.TemporaryDirectory() as folder:
        bare = pathlib.Path(folder) / "pyproject.toml"
        bare.write_text(EXCEPTION.sub("", text), encoding="utf-8")
        out, err, _ = api.run(["--config-file", str(bare), "--cache-dir", folder])
    if err:
        sys.exit(err)
    found: dict[str, set[str]] = collections.defaultdict(set)
    for path, code in ERROR.findall(out):
        found[path.removesuffix("/__init__").replace("/", ".")].add(code)
    return found


def sections(exceptions: dict[str, set[str]]) -> str:
    """Return the sections of pyproject.toml that name exceptions: those modules together that have the same."""
    together: dict[str, list[str]] = collections.defaultdict(list)
    for module, codes in sorted(exceptions.items()):
        if codes - {UNTYPED}:
            listed = ", ".join(f'"{code}"' for code in sorted(codes - {UNTYPED}))
            together[f"disable_error_code = [{listed}]"].append(module)
        if UNTYPED in codes:
            together["disallow_untyped_defs = false"].append(module)
    text = ""
    for rule, modules in sorted(together.items()):
        names = ", ".join(f'"{module}"' for module in modules)
        if len(names) > 100:
            names = f"\n{textwrap.indent(textwrap.fill(names, 118), '  ')},\n"
        text += f"[[tool.mypy.overrides]]\nmodule = [{names}]\n{rule}\n\n"
    return text


def main(arguments: list[str]) -> int:
    """Print what is stale, or take it out; the exit code says whether something was."""
    text = PROJECT.read_text(encoding="utf-8")
    before, now = named(text), needed(text)
    stale = {module: codes - now.get(module, set()) for module, codes in before.items()}
    stale = {module: codes for module, codes in stale.items() if codes}
    for module, codes in sorted(stale.items()):
        print(f"{module} no longer needs {', '.join(sorted(codes))} off: python .ci/exceptions.py --shrink")
    if stale and arguments == ["--shrink"]:
        left = {module: codes & now.get(module, set()) for module, codes in before.items()}
        at = EXCEPTION.search(text).start()
        bare = EXCEPTION.sub("", text)
        PROJECT.write_text(bare[:at] + sections({m: c for m, c in left.items() if c}) + bare[at:], encoding="utf-8")
        return 0
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
