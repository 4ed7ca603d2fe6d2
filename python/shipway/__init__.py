"""Shipway takes neural networks from the framework they were written in to the machine they run on.

    import shipway
    session = shipway.InferenceSession("model.onnx")
    outputs = session.run(None, {"input": array})
"""
from . import checker, shape_inference
from ._core import version as __version__
from .errors import (Cancelled, Error, InternalError, InvalidArgument, InvalidModel, IoError, LimitReached, NotFound,
                     OutOfMemory, Unsupported)
from .model import Model, load, save
from .session import InferenceSession, ModelMetadata, NodeArg, compile_plan

__all__ = [
    "Cancelled", "Error", "InferenceSession", "InternalError", "InvalidArgument", "InvalidModel", "IoError",
    "LimitReached", "Model", "ModelMetadata", "NodeArg", "NotFound", "OutOfMemory", "Unsupported", "__version__",
    "checker", "compile_plan", "load", "save", "shape_inference",
]
