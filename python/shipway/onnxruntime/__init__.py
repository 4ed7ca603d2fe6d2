"""The names of the package `onnxruntime`: existing scripts change their import line only."""
from .. import __version__
from ..session import InferenceSession, ModelMetadata, NodeArg


def get_available_providers():
    return ["CPUExecutionProvider"]


def get_device():
    return "CPU"


__all__ = ["InferenceSession", "ModelMetadata", "NodeArg", "__version__", "get_available_providers", "get_device"]
