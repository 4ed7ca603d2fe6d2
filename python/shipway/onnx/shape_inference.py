"""onnx.shape_inference: the types and shapes of all values of a model, symbolic where sizes are."""
import os
from typing import Any, Dict, Optional, Sequence, Union

from .. import _core
from ..errors import InvalidModel as InferenceError
from ..shape_inference import infer_shapes
from .helper import IR_VERSION, make_opsetid
from .messages import GraphProto, ModelProto, TypeProto


def infer_shapes_path(model_path: Union[str, "os.PathLike[str]"], output_path: Union[str, "os.PathLike[str]"] = "",
                      check_type: bool = False, strict_mode: bool = False, data_prop: bool = False) -> None:
    """infer_shapes from file to file (the same when `output_path` is ""); tensors outside the model file stay there."""
    for path in (model_path, output_path):
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"found {type(path).__name__}, expected a path")
    infer_shapes(model_path, check_type, strict_mode, data_prop).save(os.fspath(output_path) or os.fspath(model_path))


def infer_node_outputs(schema: Any, node: Any, input_types: Dict[str, Any], input_data: Optional[Dict[str, Any]] = None,
                       input_sparse_data: Optional[Dict[str, Any]] = None, opset_imports: Optional[Sequence[Any]] = None,
                       ir_version: int = IR_VERSION) -> Dict[str, Any]:
    """The TypeProto of each output of a node, from those of its inputs and from the tensors that are known.

    schema: of the node's operator; its version counts when `opset_imports` do not name one. Raises KeyError for an input
    without a type, InferenceError when the operator refuses them.
    """
    missing = [name for name in node.input if name and name not in input_types]
    if missing:
        raise KeyError(missing[0])
    graph = GraphProto(name="graph", node=[node])
    for name, kind in input_types.items():
        graph.input.add(name=name, type=kind)
    for name, tensor in (input_data or {}).items():
        if name in node.input:
            graph.initializer.append(tensor)
            graph.initializer[-1].name = name
    for name in node.output:
        if name:
            graph.output.add(name=name)
    model = ModelProto(ir_version=ir_version, graph=graph, opset_import=opset_imports)
    if not any(opset.domain == node.domain for opset in model.opset_import):
        model.opset_import.append(make_opsetid(node.domain, schema.since_version))
    # Initializers that are no inputs cannot change, so that their elements count.
    for i in reversed(range(len(model.graph.input))):
        if model.graph.input[i].name in (input_data or {}):
            del model.graph.input[i]
    inferred = ModelProto.FromString(_core.infer_shapes(_core.load_bytes(model.SerializeToString()), True, True).serialize())
    return {info.name: TypeProto.FromString(info.type.SerializeToString()) for info in inferred.graph.output if info.HasField("type")}


__all__ = ["InferenceError", "infer_node_outputs", "infer_shapes", "infer_shapes_path"]
