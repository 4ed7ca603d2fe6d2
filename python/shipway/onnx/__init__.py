"""The names of the package `onnx`: existing scripts change their import line only."""
from .. import checker, shape_inference
from ..model import load as load_model
from ..model import save as save_model

load = load_model
save = save_model

__all__ = ["checker", "load", "load_model", "save", "save_model", "shape_inference"]
