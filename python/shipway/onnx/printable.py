"""The short texts of onnx.helper.printable_graph and its parts. onnx.printer.to_text says more."""
from typing import Any, List, Tuple, Union

from .messages import TensorProto


def printable_dim(dim: Any) -> str:
    """The size, its name, or "?"."""
    which = dim.WhichOneof("value")
    return str(getattr(dim, which)) if which else "?"


def printable_type(t: Any) -> str:
    """ "FLOAT, 1x3xH" """
    kind = t.WhichOneof("value")
    if kind != "tensor_type":
        return f"Unknown type {kind}" if kind else ""
    name = TensorProto.DataType.Name(t.tensor_type.elem_type)
    if not t.tensor_type.HasField("shape"):
        return name
    return f"{name}, {'x'.join(map(printable_dim, t.tensor_type.shape.dim)) or 'scalar'}"


def printable_value_info(v: Any) -> str:
    """ "%x[FLOAT, 1x3]" """
    return f"%{v.name}[{printable_type(v.type)}]"


def printable_tensor_proto(t: Any) -> str:
    """ "%w[FLOAT, 64x3]" """
    return f"%{t.name}[{TensorProto.DataType.Name(t.data_type)}, {'x'.join(map(str, t.dims)) or 'scalar'}]"


def _text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value


def _scalar(tensor: Any) -> str:
    from . import helper
    return f"<Scalar Tensor {getattr(tensor, helper.tensor_dtype_to_field(tensor.data_type))}>"


def _attribute_and_graphs(attr: Any) -> Tuple[str, List[Any]]:
    graphs = ([attr.g] if attr.HasField("g") else []) + list(attr.graphs)
    if attr.HasField("f"):
        value = f"{attr.f:.15g}"
    elif attr.HasField("i"):
        value = str(attr.i)
    elif attr.HasField("s"):
        value = repr(_text(attr.s))
    elif attr.HasField("t"):
        value = "<Tensor>" if attr.t.dims else _scalar(attr.t)
    elif attr.HasField("g"):
        value = f"<graph {attr.g.name}>"
    elif attr.HasField("tp"):
        value = f"<Type Proto {attr.tp}>"
    elif attr.HasField("sparse_tensor"):
        value = "<Sparse Tensor>"
    elif attr.floats:
        value = "[" + ", ".join(f"{item:.15g}" for item in attr.floats) + "]"
    elif attr.ints:
        value = str(list(attr.ints))
    elif attr.strings:
        value = str([_text(item) for item in attr.strings])
    elif attr.tensors:
        value = "[<Tensor>, ...]"
    elif attr.sparse_tensors:
        value = "[<Sparse Tensor>, ...]"
    elif attr.type_protos:
        value = "[ " + ", ".join(f"<Type Proto {item}>" for item in attr.type_protos) + " ]"
    elif attr.graphs:
        value = "[ " + ", ".join(f"<graph {graph.name}>" for graph in attr.graphs) + " ]"
    else:
        value = "<Unknown>"
    return f"{attr.name} = {value}", graphs


def printable_attribute(attr: Any, subgraphs: bool = False) -> Union[str, Tuple[str, List[Any]]]:
    """ "name = value"; with subgraphs, also the graphs in it."""
    return _attribute_and_graphs(attr) if subgraphs else _attribute_and_graphs(attr)[0]


def _node_and_graphs(node: Any, prefix: str) -> Tuple[str, List[Any]]:
    graphs: List[Any] = []
    attributes = []
    for attribute in node.attribute:
        said, inside = _attribute_and_graphs(attribute)
        attributes.append(said)
        graphs.extend(inside)
    outputs = ", ".join("%" + name for name in node.output)
    listed = f"[{', '.join(sorted(attributes))}]" if attributes else ""
    line = f"{prefix}{outputs + ' = ' if outputs else ''}{node.op_type}{listed}({', '.join('%' + name for name in node.input)})"
    return line, graphs


def printable_node(node: Any, prefix: str = "", subgraphs: bool = False) -> Union[str, Tuple[str, List[Any]]]:
    """ "%y = Conv[group = 1](%x, %w)"; with subgraphs, also the graphs in it."""
    return _node_and_graphs(node, prefix) if subgraphs else _node_and_graphs(node, prefix)[0]


def printable_graph(graph: Any, prefix: str = "") -> str:
    """The graph, and then the graphs inside its nodes."""
    with_data = {tensor.name for tensor in graph.initializer}
    inputs = {info.name for info in graph.input}
    required = [printable_value_info(info) for info in graph.input if info.name not in with_data]
    defaults = [printable_value_info(info) for info in graph.input if info.name in with_data]
    constants = [printable_tensor_proto(tensor) for tensor in graph.initializer if tensor.name not in inputs]
    lines: List[str] = []
    head = ["graph", graph.name]
    if graph.input:
        head.append("(")
        parts = [("", required)] if required else []
        parts += [("optional inputs with matching initializers (", defaults)] if defaults else []
        parts += [("initializers (", constants)] if len(defaults) < len(with_data) else []
        for title, part in parts:
            if title:  # what closes the part before opens this one
                head += [")", title]
            lines += [prefix + " ".join(head), *(f"{prefix}  {line}" for line in part)]
            head = []
        head.append(")")
    lines.append(prefix + " ".join([*head, "{"]))
    inside: List[Any] = []
    for node in graph.node:
        line, graphs = _node_and_graphs(node, prefix + "  ")
        lines.append(line)
        inside.extend(graphs)
    outputs = ", ".join("%" + info.name for info in graph.output)
    lines += [f"{prefix}  return {outputs}" if outputs else f"{prefix}  return", prefix + "}"]
    return "\n".join([*lines, *("\n" + printable_graph(part) for part in inside)])
