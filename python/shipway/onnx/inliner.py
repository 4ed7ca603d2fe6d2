"""onnx.inliner: calls of a model's own functions replaced by the functions' bodies."""
from typing import Any, List, Tuple

from .. import _core
from .messages import ModelProto
from .version_converter import convert_version as _convert_version


def inline_local_functions(model: Any, convert_version: bool = False) -> Any:
    """A ModelProto without functions of its own. With `convert_version`, first all of it in one opset, the model's."""
    if convert_version:
        opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        model = _convert_version(model, opset)
    return ModelProto.FromString(_core.inline_functions(model.SerializeToString()))


def inline_selected_functions(model: Any, function_ids: List[Tuple[str, str]], exclude: bool = False,
                              inline_schema_functions: bool = False) -> Any:
    """A ModelProto with the calls of the functions named (domain, name) replaced, or with `exclude` of all others."""
    if inline_schema_functions:
        raise ValueError("inline_schema_functions: operators run as they are here, their function bodies are not kept")
    return ModelProto.FromString(_core.inline_functions(model.SerializeToString(), list(function_ids), exclude))


__all__ = ["inline_local_functions", "inline_selected_functions"]
