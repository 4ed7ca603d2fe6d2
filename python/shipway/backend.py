"""Shipway as a backend of the official ONNX test runner (onnx.backend.test), and for others of that interface."""
from typing import Any, List

from .errors import Error
from .session import InferenceSession


class ShipwayRep:
    """A prepared model."""

    def __init__(self, session: InferenceSession):
        self._session = session

    def run(self, inputs: Any, **kwargs: Any) -> List[Any]:
        """Runs on a list of inputs in order, or on a dict by name."""
        if not isinstance(inputs, dict):
            names = [argument.name for argument in self._session.get_inputs()]
            if len(inputs) > len(names):
                names += [argument.name for argument in self._session.get_overridable_initializers()]
            inputs = dict(zip(names, inputs))
        return self._session.run(None, inputs)


def is_compatible(model: Any, device: str = "CPU", **kwargs: Any) -> bool:
    """Whether every operator of `model` runs here."""
    try:
        prepare(model, device)
    except Error:
        return False
    return True


def supports_device(device: str) -> bool:
    """True for "CPU"."""
    return device == "CPU"


def prepare(model: Any, device: str = "CPU", **kwargs: Any) -> ShipwayRep:
    """Makes `model` (path, bytes, Model, onnx.ModelProto) ready to run."""
    return ShipwayRep(InferenceSession(model))


def run_model(model: Any, inputs: Any, device: str = "CPU", **kwargs: Any) -> List[Any]:
    """prepare and run in one."""
    return prepare(model, device).run(inputs)
