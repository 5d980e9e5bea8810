"""Dataclasses from records, the dictionaries that files hold: each field's type is checked.

This file knows nothing of what the fields mean.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

LARGEST_INTEGER = 1 << 53  # floats hold every integer up to here, and counts stay far below


def build(kind: type[T], record: object) -> T:
    """A dataclass from a record; fields that the class does not have are ignored.

    Args:
        kind: the dataclass. Its fields may be numbers, texts, tuples, other classes, dataclasses
            again, or unions of these. An integer stands for a float too, a list for a tuple. No
            integer may be larger than what a float holds exactly.

    Raises:
        ValueError: a field is missing or of another type; the end of a sentence that says which.
    """
    if not isinstance(record, Mapping):
        raise ValueError("it holds no fields")
    values = {}
    for field in fields(kind):  # pyright: ignore[reportArgumentType]
        if field.name in record:
            try:
                values[field.name] = _checked(record[field.name], _types(kind)[field.name])
            except ValueError as error:
                raise ValueError(f"its {field.name} is unusable") from error
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"it has no {field.name}")
    return kind(**values)


@cache
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _checked(value: Any, type_: Any) -> Any:
    """A value as a field of this type holds it; ValueError where it cannot be one."""
    if isinstance(type_, UnionType):
        for one in get_args(type_):
            try:
                return _checked(value, one)
            except ValueError:
                continue
    elif get_origin(type_) is tuple:
        parts = get_args(type_)
        if isinstance(value, list | tuple):
            if parts[-1] is Ellipsis:
                parts = parts[:1] * len(value)
            return tuple(_checked(v, t) for v, t in zip(value, parts, strict=True))
    elif is_dataclass(type_):
        return build(type_, value)  # pyright: ignore[reportArgumentType]
    elif isinstance(value, bool) and type_ is not bool:  # bool is an int too
        raise ValueError("it is of another type")
    elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise ValueError("it is too large")
    elif isinstance(value, get_origin(type_) or type_) or (type_, type(value)) == (float, int):
        return value
    raise ValueError("it is of another type")
