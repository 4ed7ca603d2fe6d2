"""Running models."""
import warnings
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from . import _core
from .errors import InvalidArgument
from .model import ModelLike, load


class NodeArg(NamedTuple):
    """An input or output: its name, type such as "tensor(float)", and shape (numbers, names, None for unknown)."""

    name: str
    type: str
    shape: List[Any]


class ModelMetadata(NamedTuple):
    """What the model says of itself."""

    producer_name: str
    graph_name: str
    domain: str
    description: str
    version: int
    custom_metadata_map: Dict[str, str]
    graph_description: str = ""


class InferenceSession:
    """A model made ready to run.

    path_or_bytes: a path, the bytes of a file, a shipway.Model, or an onnx.ModelProto.
    sess_options: an object like onnxruntime.SessionOptions (intra_op_num_threads is used).
    providers: names; only "CPUExecutionProvider" exists, others are warned of by name.
    threads: threads a run may use; None: all cores of the process.
    precision: "fp32".
    """

    def __init__(self, path_or_bytes: ModelLike, sess_options: Any = None, providers: Optional[Sequence[Any]] = None,
                 provider_options: Optional[Sequence[Dict[str, Any]]] = None, *, threads: Optional[int] = None,
                 precision: str = "fp32", reference: bool = False, **kwargs: Any):
        if precision != "fp32":
            raise InvalidArgument(f"precision {precision!r}: only 'fp32' runs yet")
        for provider in providers or []:
            name = provider[0] if isinstance(provider, (tuple, list)) else provider
            if name != "CPUExecutionProvider":
                warnings.warn(f"provider {name!r} does not exist here; running on 'CPUExecutionProvider'", stacklevel=2)
        if threads is None:
            threads = getattr(sess_options, "intra_op_num_threads", 0) or 0
        model = load(path_or_bytes)
        self._metadata = _core.metadata(model)
        self._session = _core.create_session(model, threads, 3, reference)
        self._inputs = [NodeArg(name, kind, shape) for name, kind, shape, optional in self._session.inputs() if not optional]
        self._overridable = [NodeArg(name, kind, shape) for name, kind, shape, optional in self._session.inputs() if optional]
        self._outputs = [NodeArg(name, kind, shape) for name, kind, shape, _ in self._session.outputs()]

    def run(self, output_names: Optional[Sequence[str]], input_feed: Dict[str, Any], run_options: Any = None) -> List[Any]:
        """Outputs in the order of `output_names` (None: all). Arrays are numpy's; sequences lists, maps dicts, an
        absent optional None. Raises shipway.InvalidArgument for inputs that are missing, unknown or do not fit."""
        return self._session.run(list(output_names) if output_names else None, input_feed)

    def get_inputs(self) -> List[NodeArg]:
        return list(self._inputs)

    def get_outputs(self) -> List[NodeArg]:
        return list(self._outputs)

    def get_overridable_initializers(self) -> List[NodeArg]:
        """Inputs with a default, which a feed may replace."""
        return list(self._overridable)

    def get_modelmeta(self) -> ModelMetadata:
        return ModelMetadata(*self._metadata)

    def get_providers(self) -> List[str]:
        return ["CPUExecutionProvider"]
