"""onnx.reference: runs models by Shipway's plain reference loops."""
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from ..errors import Unsupported
from ..session import InferenceSession
from . import files
from .helper import IR_VERSION, OPSET_VERSION, make_node, make_opsetid, make_tensor_type_proto, np_dtype_to_tensor_dtype
from .messages import GraphProto, ModelProto, TensorProto


class ReferenceEvaluator:
    """Runs a model (ModelProto, path, bytes), or a GraphProto, FunctionProto or NodeProto.

    opsets: versions by domain for what does not say them itself. functions: FunctionProtos that the nodes may call.
    """

    def __init__(self, proto: Any, opsets: Optional[Mapping[str, int]] = None, functions: Optional[Sequence[Any]] = None,
                 verbose: int = 0, new_ops: Optional[Sequence[Any]] = None, optimized: bool = True) -> None:
        if new_ops:
            raise Unsupported("new_ops: operators written for onnx.reference cannot run here")
        if not hasattr(proto, "SerializeToString"):
            proto = files.load_model_from_string(proto) if isinstance(proto, bytes) else files.load_model(proto)
        self.proto_ = proto
        self._kind = type(proto).__name__
        self._opsets = dict(opsets or {"": OPSET_VERSION})
        self._functions = list(functions or [])
        self._session: Optional[InferenceSession] = None
        if self._kind == "ModelProto":
            self._opsets = {opset.domain: opset.version for opset in proto.opset_import}
        elif self._kind == "FunctionProto":
            self._opsets = {opset.domain: opset.version for opset in proto.opset_import}
        elif self._kind not in ("GraphProto", "NodeProto"):
            raise TypeError(f"found {self._kind}, expected a model, graph, function or node")

    @property
    def opsets(self) -> Dict[str, int]:
        """Versions by domain."""
        return dict(self._opsets)

    @property
    def input_names(self) -> List[str]:
        """Names of the inputs."""
        if self._kind == "ModelProto":
            return [info.name for info in self.proto_.graph.input]
        if self._kind == "GraphProto":
            return [info.name for info in self.proto_.input]
        return list(self.proto_.input)

    @property
    def output_names(self) -> List[str]:
        """Names of the outputs."""
        if self._kind == "ModelProto":
            return [info.name for info in self.proto_.graph.output]
        if self._kind == "GraphProto":
            return [info.name for info in self.proto_.output]
        return list(self.proto_.output)

    def _model(self, feeds: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
        """The ModelProto to run; of a node or function, the feeds give its inputs their types."""
        if self._kind == "ModelProto":
            model = ModelProto.FromString(self.proto_.SerializeToString())
            model.functions.extend(self._functions)
            return model
        model = ModelProto(ir_version=IR_VERSION, functions=self._functions)
        model.opset_import.extend(make_opsetid(domain, version) for domain, version in self._opsets.items())
        if self._kind == "GraphProto":
            model.graph.CopyFrom(self.proto_)
            return model
        if self._kind == "FunctionProto":
            function = self.proto_
            model.functions.append(function)
            if function.domain not in self._opsets:
                model.opset_import.append(make_opsetid(function.domain, 1))
            node = make_node(function.name, list(function.input), list(function.output), domain=function.domain,
                             overload=function.overload or None, **attributes)
        else:
            node = self.proto_
        model.graph.CopyFrom(GraphProto(name="graph", node=[node]))
        for name in dict.fromkeys(name for name in node.input if name in feeds):
            model.graph.input.add(name=name, type=_type_of(feeds[name]))
        for name in node.output:
            if name:
                model.graph.output.add(name=name)
        return model

    def run(self, output_names: Optional[Sequence[str]], feed_inputs: Mapping[str, Any], attributes: Optional[Mapping[str, Any]] = None,
            intermediate: bool = False) -> Any:
        """The outputs in order; with `intermediate`, a dict of every value by name."""
        if intermediate:
            model = self._model(feed_inputs, attributes or {})
            known = {info.name for info in model.graph.output}
            made = [name for node in model.graph.node for name in node.output if name]
            for name in made:
                if name not in known:
                    model.graph.output.add(name=name)
            results = InferenceSession(model, reference=True).run(made, feed_inputs)
            return {**feed_inputs, **dict(zip(made, results))}
        if self._kind in ("ModelProto", "GraphProto"):
            if self._session is None:
                self._session = InferenceSession(self._model({}, {}), reference=True)
            return self._session.run(output_names, feed_inputs)
        return InferenceSession(self._model(feed_inputs, attributes or {}), reference=True).run(output_names, feed_inputs)


def _type_of(value: Any) -> Any:
    array = np.asarray(value)
    kind = TensorProto.STRING if array.dtype.kind in "OUST" else np_dtype_to_tensor_dtype(array.dtype)
    return make_tensor_type_proto(kind, array.shape)


__all__ = ["ReferenceEvaluator"]
