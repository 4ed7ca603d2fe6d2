"""onnx.utils: a part of a model as a model."""
import os
from typing import Any, List, Union

from .. import _core
from .messages import ModelProto


class Extractor:
    """Cuts parts out of one ModelProto."""

    def __init__(self, model: Any):
        self.model = model
        self._encoded = model.SerializeToString()

    def extract_model(self, input_names: List[str], output_names: List[str]) -> Any:
        """The ModelProto that computes the values `output_names` from the values `input_names`."""
        return ModelProto.FromString(_core.extract(self._encoded, list(input_names), list(output_names), False))


def extract_model(input_path: Union[str, "os.PathLike[str]"], output_path: Union[str, "os.PathLike[str]"], input_names: List[str],
                  output_names: List[str], check_model: bool = True, infer_shapes: bool = True) -> None:
    """Writes the part of the model file `input_path` that computes `output_names` from `input_names` to `output_path`."""
    from . import checker, load, save, shape_inference
    model = load(input_path)
    if check_model:
        checker.check_model(model)
    if infer_shapes:
        model = shape_inference.infer_shapes(model)
    part = Extractor(model).extract_model(input_names, output_names)
    save(part, output_path)
    if check_model:
        checker.check_model(os.fspath(output_path))


__all__ = ["Extractor", "extract_model"]
