"""Errors of Shipway: one class per kind, all of them `shipway.Error`."""


class Error(Exception):
    """Something did not work; the message says what, where, what was found and what was expected."""


class InvalidModel(Error):
    """The model breaks a rule of its format or of ONNX."""


class InvalidArgument(Error, ValueError):
    """An argument or an input does not fit."""


class NotFound(Error, FileNotFoundError):
    """There is no such file, value or name."""


class Unsupported(Error, NotImplementedError):
    """Valid, but not implemented."""


class LimitReached(Error):
    """A limit of time, memory, depth or size was reached."""


class OutOfMemory(Error, MemoryError):
    """The system has no memory left."""


class Cancelled(Error):
    """The run was cancelled."""


class IoError(Error, OSError):
    """The operating system refused a read or a write."""


class InternalError(Error):
    """A mistake of Shipway's own; please report it."""


_BY_CODE = {
    "invalid_model": InvalidModel,
    "invalid_argument": InvalidArgument,
    "not_found": NotFound,
    "unsupported": Unsupported,
    "limit": LimitReached,
    "out_of_memory": OutOfMemory,
    "cancelled": Cancelled,
    "io": IoError,
    "internal": InternalError,
}


def by_code(code: str) -> type:
    """The class for a StatusCode of C++; used by the C++ side."""
    return _BY_CODE.get(code, Error)
