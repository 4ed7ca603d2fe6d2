"""Messages as JSON, in protobuf's mapping with the fields' own names: 64-bit numbers are texts, bytes base64."""
import base64
import binascii
import json
import math
import re
from typing import Any

from .messages import MAX_DEPTH, DecodeError


def to_json(message: Any) -> str:
    """The JSON of a message."""
    return json.dumps(_plain(message), indent=2)


def _plain(message: Any) -> Any:
    return {field.name: [_value(message, field, item) for item in value] if field.repeated else _value(message, field, value)
            for field, value in message.ListFields()}


def _value(message: Any, field: Any, value: Any) -> Any:
    if field.kind == "message":
        return _plain(value)
    if field.kind == "bytes":
        return base64.b64encode(value).decode("ascii")
    if field.kind in ("int64", "uint64"):
        return str(value)
    if field.kind == "enum":
        return next((name for name, number in message._enums[field.name].items() if number == value), value)
    if field.kind in ("float", "double") and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.9g}") if field.kind == "float" else value


def merge(text: str, message: Any) -> None:
    """Adds what a JSON text says to a message. Names may also be in lowerCamelCase. Raises DecodeError."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"no JSON: {error}") from None
    _merge(given, message, type(message).__name__, 0)


def _merge(given: Any, message: Any, where: str, depth: int) -> None:
    if not isinstance(given, dict):
        raise DecodeError(f"{where}: found {type(given).__name__}, expected an object")
    if depth > MAX_DEPTH:
        raise DecodeError(f"messages are nested more than {MAX_DEPTH} deep")
    for name, value in given.items():
        field = message._fields.get(name) or message._fields.get(re.sub("[A-Z]", lambda letter: "_" + letter.group().lower(), name))
        if field is None:
            raise DecodeError(f"{where}: found {name!r}, expected a field of {type(message).__name__}")
        if value is None:
            continue
        place = f"{where}.{field.name}"
        if field.repeated and not isinstance(value, list):
            raise DecodeError(f"{place}: found {type(value).__name__}, expected a list")
        for item in value if field.repeated else [value]:
            if field.kind == "message":
                part = getattr(message, field.name).add() if field.repeated else getattr(message, field.name)
                part.SetInParent()
                _merge(item, part, place, depth + 1)
                continue
            try:
                item = _scalar(message, field, item)
                if field.repeated:
                    getattr(message, field.name).append(item)
                else:
                    setattr(message, field.name, item)
            except (ValueError, TypeError) as error:
                raise DecodeError(f"{place}: {error}") from None


def _scalar(message: Any, field: Any, value: Any) -> Any:
    if field.kind == "bytes":
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"no base64: {error}") from None
    if field.kind == "enum" and isinstance(value, str):
        return message._enums[field.name].Value(value)
    if field.kind in ("int64", "uint64", "int32"):
        return int(value)
    return float(value) if field.kind in ("float", "double") else value
