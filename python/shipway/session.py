"""Running models."""
import os
import warnings
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from . import _core
from .errors import InvalidArgument
from .model import ModelLike, load

PROVIDERS = ["CPUExecutionProvider"]
# Keyword arguments of onnxruntime.InferenceSession that mean nothing here.
WITHOUT_EFFECT = {"disabled_optimizers", "enable_fallback", "read_config_from_model"}


class NodeArg(NamedTuple):
    """An input or output: its name, type such as "tensor(float)", and shape (numbers, names, None for unknown)."""

    name: str
    type: str
    shape: List[Union[int, str, None]]


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

    path_or_bytes: a path, the bytes of a file, a shipway.Model, or an onnx.ModelProto; path or bytes may be of a plan file.
    sess_options: an object like onnxruntime.SessionOptions. Used are intra_op_num_threads and graph_optimization_level;
        of shipway.onnxruntime's own options all that docs/python.md lists.
    providers: names; only "CPUExecutionProvider" exists, others are warned of by name.
    threads: threads a run may use; None: all cores of the process.
    precision: "fp32".
    reference: every node by its plain reference loops, for comparisons.
    timeout: seconds that a run may take; None: SHIPWAY_TIMEOUT, else no limit.
    max_memory: bytes that the weights and the values of one run may take together; None: SHIPWAY_MAX_MEMORY, else no limit.

    Any number of threads may run one session at once; the GIL is released meanwhile.
    """

    def __init__(self, path_or_bytes: ModelLike, sess_options: Any = None, providers: Optional[Sequence[Any]] = None,
                 provider_options: Optional[Sequence[Dict[str, Any]]] = None, *, threads: Optional[int] = None,
                 precision: str = "fp32", reference: bool = False, timeout: Optional[float] = None,
                 max_memory: Optional[int] = None, **kwargs: Any):
        if precision != "fp32":
            raise InvalidArgument(f"precision {precision!r}: only 'fp32' runs yet")
        for name in kwargs.keys() - WITHOUT_EFFECT:
            warnings.warn(f"argument {name!r} of InferenceSession is unknown and has no effect", stacklevel=2)
        warn_of_other_providers(providers, stacklevel=3)
        if threads is None:
            threads = getattr(sess_options, "intra_op_num_threads", 0) or 0
        limits = (-1.0 if timeout is None else float(timeout), -1 if max_memory is None else int(max_memory))
        if is_plan(path_or_bytes):
            source: Any = path_or_bytes  # a path or bytes, as is_plan found
            source = source if isinstance(source, bytes) else os.fspath(source)
            self._session = _core.open_plan(source, threads, reference, *limits)
            self._metadata = ModelMetadata(*_core.metadata(self._session.model))
        else:
            model = self._load(path_or_bytes)
            self._metadata = ModelMetadata(*_core.metadata(model))
            self._session = _core.create_session(model, threads, level_of(sess_options), reference, *limits)
        self._inputs: List[NodeArg] = []
        self._overridable: List[NodeArg] = []
        for name, kind, shape, optional in self._session.inputs():
            (self._overridable if optional else self._inputs).append(NodeArg(name, kind, shape))
        self._outputs = [NodeArg(name, kind, shape) for name, kind, shape, _ in self._session.outputs()]

    def _load(self, source: ModelLike) -> _core.Model:
        return load(source)

    def run(self, output_names: Optional[Sequence[str]], input_feed: Mapping[str, Any], run_options: Any = None) -> List[Any]:
        """Outputs in the order of `output_names` (None: all). Arrays are numpy's; sequences lists, maps dicts, an
        absent optional None. Raises shipway.InvalidArgument for inputs that are missing, unknown or do not fit,
        shipway.Cancelled when run_options.terminate is set meanwhile."""
        return self._run(output_names, input_feed, run_options, None)

    def _run(self, output_names: Optional[Sequence[str]], input_feed: Mapping[str, Any], run_options: Any,
             profile: Optional[List[Dict[str, Any]]]) -> List[Any]:
        if isinstance(output_names, str):
            raise InvalidArgument(f"output_names is {output_names!r}, expected a list of names")
        feed = input_feed if isinstance(input_feed, dict) else dict(input_feed)
        return self._session.run(list(output_names) if output_names else None, feed, -1.0,
                                 getattr(run_options, "_cancellation", None), profile)

    def get_inputs(self) -> List[NodeArg]:
        """What a feed must have."""
        return list(self._inputs)

    def get_outputs(self) -> List[NodeArg]:
        """What a run gives."""
        return list(self._outputs)

    def get_overridable_initializers(self) -> List[NodeArg]:
        """Inputs with a default, which a feed may replace."""
        return list(self._overridable)

    def get_modelmeta(self) -> ModelMetadata:
        """What the model says of itself."""
        return self._metadata

    def get_providers(self) -> List[str]:
        """["CPUExecutionProvider"]"""
        return list(PROVIDERS)


def is_plan(source: ModelLike) -> bool:
    """True for the path or the bytes of a plan file."""
    if isinstance(source, os.PathLike):
        source = os.fspath(source)
    return isinstance(source, (str, bytes)) and bool(_core.is_plan(source))


def compile_plan(model: ModelLike, path: Union[str, "os.PathLike[str]"], *, level: int = 3, isa: Optional[str] = None,
                 shapes: Optional[Mapping[str, Sequence[int]]] = None) -> None:
    """Writes a plan file: the model optimised and planned, its weights packed, for InferenceSession to open at once.

    isa: "sse4", "avx2" or "avx512"; None: what this process uses. shapes: of inputs that will have no other.
    A plan file is for this version of Shipway and for machines that have the instruction set."""
    _core.compile(load(model), os.fspath(path), level, isa or "", {name: list(shape) for name, shape in (shapes or {}).items()})


def warn_of_other_providers(providers: Optional[Sequence[Any]], stacklevel: int) -> None:
    """One warning for each name in `providers` (names, or pairs of name and options) that does not exist here."""
    if isinstance(providers, str):
        raise InvalidArgument(f"providers is {providers!r}, expected a list of names")
    for provider in providers or []:
        name = provider[0] if isinstance(provider, (tuple, list)) and provider else provider
        if not isinstance(name, str):
            raise InvalidArgument(f"providers has {provider!r}, expected names or pairs of name and options")
        if name not in PROVIDERS:
            warnings.warn(f"provider {name!r} does not exist here; running on 'CPUExecutionProvider'", stacklevel=stacklevel + 1)


def level_of(sess_options: Any) -> int:
    """Shipway's level for an onnxruntime GraphOptimizationLevel (0 none, 1 basic, 2 extended, 3 and 99 all)."""
    return max(0, min(3, int(getattr(sess_options, "graph_optimization_level", 3))))
