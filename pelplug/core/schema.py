"""The part of JSON Schema (2020-12) by which records are checked: structure, kinds and ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["faults"]

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_WORDS = {"object": "names with values", "array": "a list", "string": "text", "boolean": "true or false"}
_SAY_NOTHING = ("$schema", "$id", "$defs", "title", "description")


def faults(value: Any, schema: Mapping[str, Any], where: str = "", root: Mapping[str, Any] | None = None) -> list[str]:
    """Return what of a value is not as a schema says, in words, each with its place.

    Parameters
    ----------
    value : object
        As `json.loads` gives it.
    schema : mapping
        A JSON schema with the keywords type, const, enum, pattern, minimum, maximum, properties, patternProperties,
        additionalProperties, required, dependentRequired, items, anyOf and $ref to its own $defs.
    where : str
        Place of the value.
    root : mapping, optional
        The whole schema, of which this is a part.

    Raises
    ------
    ValueError
        If the schema has another keyword, which would not be looked at.
    """
    return list(_faults(value, schema, where, root or schema))


def _faults(value: Any, schema: Mapping[str, Any], where: str, root: Mapping[str, Any]) -> Iterator[str]:
    here = where or "the record"
    for keyword, said in schema.items():
        if keyword in _SAY_NOTHING:
            continue
        if keyword == "$ref":
            yield from _faults(value, root["$defs"][said.rpartition("/")[2]], where, root)
        elif keyword == "type":
            kinds = [said] if isinstance(said, str) else said
            if not any(_is(value, kind) for kind in kinds):
                yield f"{here} is {_short(value)}, not {' or '.join(_WORDS.get(one, f'a {one}') for one in kinds)}"
        elif keyword in ("const", "enum"):
            allowed = [said] if keyword == "const" else said
            if not any(_equal(value, one) for one in allowed):
                yield f"{here} is {_short(value)}, not {' or '.join(map(_short, allowed))}"
        elif keyword == "pattern":
            if isinstance(value, str) and not re.search(said, value):
                yield f"{here} is {_short(value)}, which is not of the form {said}"
        elif keyword in ("minimum", "maximum"):
            if _is(value, "number") and (value < said if keyword == "minimum" else value > said):
                yield f"{here} is {value}, {'below' if keyword == 'minimum' else 'above'} {said}"
        elif keyword == "required":
            yield from (f"{here} lacks {name}" for name in said if isinstance(value, Mapping) and name not in value)
        elif keyword == "dependentRequired":
            for name, others in said.items():
                if isinstance(value, Mapping) and name in value:
                    yield from (f"{here} has {name} without {one}" for one in others if one not in value)
        elif keyword == "items":
            for k, one in enumerate(value if _is(value, "array") else ()):
                yield from _faults(one, said, f"{where}[{k}]", root)
        elif keyword == "anyOf":
            tried = [list(_faults(value, one, where, root)) for one in said]
            if all(tried):
                yield min(tried, key=len)[0]
        elif keyword in ("properties", "patternProperties", "additionalProperties"):
            if isinstance(value, Mapping):
                yield from _members(value, keyword, schema, where, root)
        else:
            raise ValueError(f"the keyword {keyword} of a schema is not known here")


def _members(
    value: Mapping[str, Any], keyword: str, schema: Mapping[str, Any], where: str, root: Mapping[str, Any]
) -> Iterator[str]:
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, one in value.items():
        place = f"{where}.{name}" if where else str(name)
        if keyword == "properties" and name in named:
            yield from _faults(one, named[name], place, root)
        elif keyword == "patternProperties":
            for pattern, said in patterns.items():
                if re.search(pattern, name):
                    yield from _faults(one, said, place, root)
        elif keyword == "additionalProperties" and name not in named and not any(re.search(k, name) for k in patterns):
            yield from _faults(one, schema[keyword], place, root)


def _is(value: Any, kind: str) -> bool:
    if kind == "integer":
        return _is(value, "number") and float(value).is_integer()
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _equal(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
