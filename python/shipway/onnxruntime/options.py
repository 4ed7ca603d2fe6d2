"""SessionOptions, RunOptions, and their enumerations. What has no effect is listed in docs/python.md."""
import enum
from typing import Any, Dict, Sequence

from .. import _core
from .capi.onnxruntime_pybind11_state import InvalidArgument, NotImplemented


class GraphOptimizationLevel(enum.IntEnum):
    """How much a model is optimised before it runs; EXTENDED may round differently, LAYOUT and ALL are the same here."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Accepted, without effect: one run is one sequence of steps, each on all threads."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(enum.IntEnum):
    """Accepted, without effect."""

    DEFAULT = 0
    PRIORITY_BASED = 1
    MEMORY_EFFICIENT = 2


class _Options:
    """Attributes of fixed names and kinds, as onnxruntime's options have."""

    _defaults: Dict[str, Any] = {}

    def __init__(self) -> None:
        self._entries: Dict[str, str] = {}
        for name, value in self._defaults.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            if name not in self._defaults:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            kind = type(self._defaults[name])
            converts = kind is bool or kind is int and hasattr(value, "__index__")
            if not converts and not isinstance(value, kind):
                raise TypeError(f"{type(self).__name__}.{name} is {value!r} of {type(value).__name__}, expected {kind.__name__}")
            value = kind(value)
        object.__setattr__(self, name, value)

    def _add_entry(self, key: str, value: str) -> None:
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"configuration entry {key!r} = {value!r}: both must be str")
        self._entries[key] = value

    def _get_entry(self, key: str) -> str:
        if key not in self._entries:
            raise RuntimeError(f"{type(self).__name__} does not have configuration with key: {key}")
        return self._entries[key]


class SessionOptions(_Options):
    """How a session is made; for shipway.onnxruntime.InferenceSession."""

    intra_op_num_threads: int
    inter_op_num_threads: int
    graph_optimization_level: GraphOptimizationLevel
    execution_mode: ExecutionMode
    execution_order: ExecutionOrder
    enable_profiling: bool
    profile_file_prefix: str
    optimized_model_filepath: str
    enable_cpu_mem_arena: bool
    enable_mem_pattern: bool
    enable_mem_reuse: bool
    log_severity_level: int
    log_verbosity_level: int
    logid: str
    use_deterministic_compute: bool
    use_per_session_threads: bool

    _defaults = {
        "intra_op_num_threads": 0, "inter_op_num_threads": 0,
        "graph_optimization_level": GraphOptimizationLevel.ORT_ENABLE_ALL, "execution_mode": ExecutionMode.ORT_SEQUENTIAL,
        "execution_order": ExecutionOrder.DEFAULT, "enable_profiling": False, "profile_file_prefix": "onnxruntime_profile_",
        "optimized_model_filepath": "", "enable_cpu_mem_arena": True, "enable_mem_pattern": True, "enable_mem_reuse": True,
        "log_severity_level": -1, "log_verbosity_level": 0, "logid": "", "use_deterministic_compute": False,
        "use_per_session_threads": True,
    }

    def __init__(self) -> None:
        super().__init__()
        self._sizes: Dict[str, int] = {}
        self._sizes_by_denotation: Dict[str, int] = {}
        self._initializers: Dict[str, Any] = {}

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Keeps the entry; none of onnxruntime's keys has an effect here."""
        self._add_entry(key, value)

    def get_session_config_entry(self, key: str) -> str:
        """What was added under this key. Raises RuntimeError when nothing was."""
        return self._get_entry(key)

    def add_free_dimension_override_by_name(self, name: str, value: int) -> None:
        """Wherever the model declares a size by this name, it is `value`."""
        self._sizes[name] = int(value)

    def add_free_dimension_override_by_denotation(self, denotation: str, value: int) -> None:
        """Wherever an input declares a size of this denotation ("DATA_BATCH"), it is `value`."""
        self._sizes_by_denotation[denotation] = int(value)

    def add_initializer(self, name: str, ortvalue: Any) -> None:
        """The initializer of this name gets other data, of the same type and shape."""
        self._initializers[name] = ortvalue

    def add_external_initializers(self, names: Sequence[str], ortvalues: Sequence[Any]) -> None:
        """The initializers of these names get other data, of the same types and shapes."""
        if len(names) != len(ortvalues):
            raise InvalidArgument(f"{len(names)} names of initializers, but {len(ortvalues)} values")
        self._initializers.update(zip(names, ortvalues))

    def register_custom_ops_library(self, library_path: str) -> None:
        """Refused: libraries of operators for onnxruntime cannot run here."""
        raise NotImplemented(f"custom operators of {library_path!r}: libraries written for onnxruntime cannot run here; Shipway takes "
                             "operators through its own C structure (docs/python.md)")

    def add_provider(self, provider_name: str, provider_options: Dict[str, str]) -> None:
        """Accepted, without effect for the CPU; any other is refused by name."""
        if provider_name != "CPUExecutionProvider":
            raise InvalidArgument(f"provider {provider_name!r} does not exist here, only 'CPUExecutionProvider'")

    def has_providers(self) -> bool:
        """False: the one provider is always there."""
        return False


class RunOptions(_Options):
    """How one run goes; `terminate = True`, also from another thread, ends it."""

    log_severity_level: int
    log_verbosity_level: int
    logid: str
    only_execute_path_to_fetches: bool

    _defaults = {"log_severity_level": -1, "log_verbosity_level": 0, "logid": "", "only_execute_path_to_fetches": False,
                 "terminate": False}

    def __init__(self) -> None:
        self._cancellation = _core.Cancellation()
        super().__init__()

    @property
    def terminate(self) -> bool:
        """True ends the runs that were given these options."""
        return self._cancellation.cancelled

    @terminate.setter
    def terminate(self, value: bool) -> None:
        self._cancellation.cancelled = value

    def add_run_config_entry(self, key: str, value: str) -> None:
        """Keeps the entry; none of onnxruntime's keys has an effect here."""
        self._add_entry(key, value)

    def get_run_config_entry(self, key: str) -> str:
        """What was added under this key. Raises RuntimeError when nothing was."""
        return self._get_entry(key)
