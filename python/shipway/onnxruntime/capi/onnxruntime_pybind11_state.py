"""The exceptions of onnxruntime, by its names. Each is a `shipway.Error` too."""
import contextlib
from typing import ContextManager, Dict, Iterator, Type

from ... import errors


class Fail(errors.Error):
    """A run or a load that did not work, and no other of these fits."""


class InvalidArgument(errors.InvalidArgument):
    """An argument or a feed does not fit."""


class NoSuchFile(errors.NotFound):
    """There is no such file."""


class NoModel(errors.InvalidModel):
    """There is no model."""


class EngineError(errors.InternalError):
    """Never raised here."""


class RuntimeException(errors.Error):
    """The system refused something, or Shipway made a mistake."""


class InvalidProtobuf(errors.InvalidModel):
    """The bytes are no ONNX file."""


class ModelLoaded(errors.Error):
    """Never raised here."""


class NotImplemented(errors.Unsupported):
    """Valid, but not implemented."""


class InvalidGraph(errors.InvalidModel):
    """The model breaks a rule of ONNX."""


class EPFail(errors.Error):
    """Never raised here: there is one execution provider."""


class ModelLoadCanceled(errors.Cancelled):
    """Never raised here: loading cannot be cancelled."""


class ModelRequiresCompilation(errors.Error):
    """Never raised here."""


class NotFound(errors.NotFound):
    """Never raised here; a file that is missing is NoSuchFile."""


class DeviceReset(errors.Error):
    """Never raised here."""


# In the words of onnxruntime's messages, with the numbers of its OrtErrorCode.
_CODES: Dict[Type[errors.Error], str] = {
    Fail: "1 : FAIL", InvalidArgument: "2 : INVALID_ARGUMENT", NoSuchFile: "3 : NO_SUCHFILE",
    RuntimeException: "6 : RUNTIME_EXCEPTION", InvalidProtobuf: "7 : INVALID_PROTOBUF", NotImplemented: "9 : NOT_IMPLEMENTED",
    InvalidGraph: "10 : INVALID_GRAPH",
}
_WHILE_LOADING: Dict[Type[errors.Error], Type[errors.Error]] = {
    errors.InvalidModel: InvalidGraph, errors.InvalidArgument: InvalidArgument, errors.NotFound: NoSuchFile,
    errors.Unsupported: NotImplemented, errors.InternalError: RuntimeException, errors.OutOfMemory: RuntimeException,
}
_WHILE_RUNNING: Dict[Type[errors.Error], Type[errors.Error]] = {
    errors.InvalidArgument: InvalidArgument, errors.NotFound: InvalidArgument, errors.Unsupported: NotImplemented,
    errors.InternalError: RuntimeException, errors.OutOfMemory: RuntimeException,
}


@contextlib.contextmanager
def _named(kinds: Dict[Type[errors.Error], Type[errors.Error]]) -> Iterator[None]:
    try:
        yield
    except errors.Error as error:
        if type(error) in _CODES:
            raise
        kind = kinds.get(type(error), Fail)
        raise kind(f"[ONNXRuntimeError] : {_CODES[kind]} : {error}") from None


def while_reading() -> ContextManager[None]:
    """Errors of Shipway inside become those that onnxruntime raises for bytes that are no model."""
    return _named({**_WHILE_LOADING, errors.InvalidModel: InvalidProtobuf})


def while_loading() -> ContextManager[None]:
    """Errors of Shipway inside become those that onnxruntime raises when it makes a session."""
    return _named(_WHILE_LOADING)


def while_running() -> ContextManager[None]:
    """Errors of Shipway inside become those that onnxruntime raises in a run."""
    return _named(_WHILE_RUNNING)


__all__ = [
    "DeviceReset", "EPFail", "EngineError", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "ModelLoadCanceled",
    "ModelLoaded", "ModelRequiresCompilation", "NoModel", "NoSuchFile", "NotFound", "NotImplemented", "RuntimeException",
]
