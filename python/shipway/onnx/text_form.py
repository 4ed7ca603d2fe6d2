"""Messages from protobuf's text, as str(message) writes it: `ir_version: 8 graph { name: "g" }`."""
import re
from typing import Any, List, Tuple

from .messages import MAX_DEPTH, DecodeError

_TOKEN = re.compile(r"""\s+|\#[^\n]*|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>[-+\w.]+)|(?P<sign>[{}<>\[\]:,;])""")
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_PLAIN = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def merge(text: str, message: Any) -> None:
    """Adds what `text` says to a message. Raises DecodeError with the line."""
    _Parser(text).fields(message, "", 0)


def unescaped(token: str) -> bytes:
    """The bytes of a quoted text."""
    def one(match: "re.Match[bytes]") -> bytes:
        octal, hexadecimal, short, long, other = match.groups()
        if octal or hexadecimal:
            return bytes([int(octal, 8) & 0xFF if octal else int(hexadecimal, 16)])
        if short or long:
            return chr(int(short or long, 16)).encode("utf-8")
        return _PLAIN.get(other, other)
    return _ESCAPE.sub(one, token[1:-1].encode("utf-8"))


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: List[Tuple[str, str, int]] = []  # kind, text, place
        self._text, self._at = text, 0
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if not match:
                self._fail(at, f"{text[at]!r} is not understood")
            elif match.lastgroup:
                self._tokens.append((match.lastgroup, match.group(), at))
            at = match.end() if match else at
        self._tokens.append(("end", "the end", len(text)))

    def _fail(self, at: int, what: str) -> None:
        raise DecodeError(f"line {self._text.count(chr(10), 0, at) + 1}: {what}")

    def _take(self, *signs: str) -> bool:
        if self._tokens[self._at][1] in signs and self._tokens[self._at][0] == "sign":
            self._at += 1
            return True
        return False

    def fields(self, message: Any, end: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._fail(self._tokens[self._at][2], f"messages are nested more than {MAX_DEPTH} deep")
        while True:
            kind, name, at = self._tokens[self._at]
            if kind == "end" and not end or kind == "sign" and name == end and end:
                self._at += 1
                return
            field: Any = message._fields.get(name) if kind == "word" else None
            if field is None:
                self._fail(at, f"found {name}, expected a field of {type(message).__name__}")
            self._at += 1
            has_colon = self._take(":")
            if field.kind != "message" and not has_colon:
                self._fail(at, f"field {name} has no colon")
            if self._take("["):
                while not self._take("]"):
                    self._value(message, field, depth)
                    self._take(",")
            else:
                self._value(message, field, depth)
            self._take(",", ";")

    def _value(self, message: Any, field: Any, depth: int) -> None:
        kind, token, at = self._tokens[self._at]
        if field.kind == "message":
            if not self._take("{", "<"):
                self._fail(at, f"found {token}, expected '{{'")
            part = getattr(message, field.name).add() if field.repeated else getattr(message, field.name)
            part.SetInParent()
            self.fields(part, "}" if token == "{" else ">", depth + 1)
            return
        self._at += 1
        value: Any = None
        try:
            if field.kind in ("string", "bytes"):
                if kind != "text":
                    self._fail(at, f"found {token}, expected a text in quotes")
                value = unescaped(token)
                while self._tokens[self._at][0] == "text":
                    value += unescaped(self._tokens[self._at][1])
                    self._at += 1
            elif field.kind in ("float", "double"):
                is_named = token.lstrip("-+").lower().startswith(("inf", "nan"))
                value = float(token if is_named else token.rstrip("fF"))
            elif field.kind == "enum" and not token.lstrip("-").isdecimal():
                value = message._enums[field.name].Value(token)
            else:
                value = int(token, 0)
            if field.repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
        except DecodeError:
            raise
        except (ValueError, TypeError) as error:
            self._fail(at, f"field {field.name} is {token}: {error}")
