"""onnx.compose: models put together."""
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from .. import _core
from . import helper
from .messages import GraphProto, ModelProto, TensorProto, ValueInfoProto

Pairs = List[Tuple[str, str]]


def check_overlapping_names(g1: Any, g2: Any, io_map: Optional[Pairs] = None) -> List[Tuple[str, List[str]]]:
    """The names that both graphs have, by kind ("edge", "value_info", "initializer", "sparse_initializer"); inputs of the second
    graph that `io_map` connects do not count."""
    connected = {second for _, second in io_map or ()}

    def edges(graph: Any, without: Set[str]) -> Set[str]:
        return {name for node in graph.node for name in [*node.input, *node.output] if name and name not in without}

    def names(values: Iterable[Any]) -> Set[str]:
        return {value.name for value in values}

    def sparse(graph: Any) -> Set[str]:
        return {name for one in graph.sparse_initializer for name in (one.values.name, one.indices.name)}

    overlaps = [
        ("edge", edges(g1, set()) & edges(g2, connected)),
        ("value_info", names(g1.value_info) & names(g2.value_info)),
        ("initializer", names(g1.initializer) & names(g2.initializer)),
        ("sparse_initializer", sparse(g1) & sparse(g2)),
    ]
    return [(kind, sorted(common)) for kind, common in overlaps if common]


def merge_models(m1: Any, m2: Any, io_map: Pairs, inputs: Optional[List[str]] = None, outputs: Optional[List[str]] = None,
                 prefix1: Optional[str] = None, prefix2: Optional[str] = None, name: Optional[str] = None,
                 doc_string: Optional[str] = None, producer_name: Optional[str] = "onnx.compose.merge_models",
                 producer_version: Optional[str] = "1.0", domain: Optional[str] = "", model_version: Optional[int] = 1) -> Any:
    """One ModelProto of two: the outputs of `m1` named first in `io_map`'s pairs become the inputs of `m2` named second.

    `inputs` and `outputs` choose among those of both (default: all that are not connected). The prefixes go before every name
    of their model. Raises InvalidArgument naming what does not exist, what both models call the same, and other opsets."""
    merged = ModelProto.FromString(_core.merge(m1.SerializeToString(), m2.SerializeToString(), list(io_map), list(inputs or []),
                                               list(outputs or []), prefix1 or "", prefix2 or "", name))
    merged.producer_name, merged.producer_version = producer_name or "", producer_version or ""
    merged.domain, merged.model_version = domain or "", model_version or 0
    if doc_string is not None:
        merged.graph.doc_string = doc_string
    return merged


def merge_graphs(g1: Any, g2: Any, io_map: Pairs, inputs: Optional[List[str]] = None, outputs: Optional[List[str]] = None,
                 prefix1: Optional[str] = None, prefix2: Optional[str] = None, name: Optional[str] = None,
                 doc_string: Optional[str] = None) -> Any:
    """One GraphProto of two, as merge_models does it with models."""
    first, second = helper.make_model(g1), helper.make_model(g2)
    return merge_models(first, second, io_map, inputs, outputs, prefix1, prefix2, name, doc_string).graph


def add_prefix(model: Any, prefix: str, rename_nodes: Optional[bool] = True, rename_edges: Optional[bool] = True,
               rename_inputs: Optional[bool] = True, rename_outputs: Optional[bool] = True,
               rename_initializers: Optional[bool] = True, rename_value_infos: Optional[bool] = True,
               rename_functions: Optional[bool] = True, inplace: Optional[bool] = False) -> Any:
    """The ModelProto with `prefix` before its names of the kinds asked for; `inplace` changes `model` itself. What is declared
    of a value follows the value's name, whatever `rename_value_infos` says."""
    data = _core.prefix(model.SerializeToString(), prefix, bool(rename_nodes), bool(rename_edges), bool(rename_inputs),
                        bool(rename_outputs), bool(rename_initializers), bool(rename_functions))
    target = model if inplace else ModelProto()
    target.ParseFromString(data)
    return target


def add_prefix_graph(graph: Any, prefix: str, rename_nodes: Optional[bool] = True, rename_edges: Optional[bool] = True,
                     rename_inputs: Optional[bool] = True, rename_outputs: Optional[bool] = True,
                     rename_initializers: Optional[bool] = True, rename_value_infos: Optional[bool] = True,
                     inplace: Optional[bool] = False, name_map: Optional[Dict[str, str]] = None) -> Any:
    """The same for a GraphProto. `name_map` names values that get a given name instead of the prefix."""
    model = helper.make_model(graph)
    if name_map:
        chosen = {f"{prefix}{old}": new for old, new in name_map.items()}
        renamed = add_prefix(model, prefix, rename_nodes, rename_edges, rename_inputs, rename_outputs, rename_initializers)
        model = ModelProto.FromString(_core.rename(renamed.SerializeToString(), list(chosen.items())))
    else:
        model = add_prefix(model, prefix, rename_nodes, rename_edges, rename_inputs, rename_outputs, rename_initializers)
    target = graph if inplace else GraphProto()
    target.ParseFromString(model.graph.SerializeToString())
    return target


def expand_out_dim_graph(graph: Any, dim_idx: int, inplace: Optional[bool] = False) -> Any:
    """The GraphProto with an axis of size 1 more in every output, at `dim_idx` (below zero: from the end)."""
    target = graph if inplace else GraphProto()
    if target is not graph:
        target.CopyFrom(graph)
    inner = {output.name: f"{output.name}_collapsed_dim_{dim_idx}" for output in target.output}
    for node in target.node:
        for names in (node.input, node.output):
            for i, name in enumerate(list(names)):
                names[i] = inner.get(name, name)
    axis = f"{target.name}_expand_out_dim_idx"
    value = helper.make_tensor(f"{axis}-value", TensorProto.INT64, [1], [dim_idx])
    target.node.append(helper.make_node("Constant", [], [axis], name=f"{axis}-constant", value=value))
    outputs = [ValueInfoProto.FromString(output.SerializeToString()) for output in target.output]
    del target.output[:]
    for output in outputs:
        target.node.append(helper.make_node("Unsqueeze", [inner[output.name], axis], [output.name], name=f"unsqueeze-{output.name}"))
        kind = output.type.tensor_type
        shape = [dim.dim_param or (dim.dim_value if dim.HasField("dim_value") else None) for dim in kind.shape.dim]
        shape.insert(dim_idx if dim_idx >= 0 else len(shape) + 1 + dim_idx, 1)
        target.output.append(helper.make_tensor_value_info(output.name, kind.elem_type, shape))
    return target


def expand_out_dim(model: Any, dim_idx: int, inplace: Optional[bool] = False) -> Any:
    """The same for a ModelProto."""
    target = model if inplace else ModelProto()
    if target is not model:
        target.CopyFrom(model)
    expand_out_dim_graph(target.graph, dim_idx, inplace=True)
    return target


__all__ = ["add_prefix", "add_prefix_graph", "check_overlapping_names", "expand_out_dim", "expand_out_dim_graph", "merge_graphs",
           "merge_models"]
