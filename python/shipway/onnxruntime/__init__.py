"""The names of the package `onnxruntime`: existing scripts change their import line only.

What is accepted and has no effect, and what is left out, is listed in docs/python.md.
"""
from typing import Any, List

from ..session import PROVIDERS, ModelMetadata, NodeArg
from . import capi
from .options import ExecutionMode, ExecutionOrder, GraphOptimizationLevel, RunOptions, SessionOptions
from .session import InferenceSession, IOBinding
from .values import OrtDevice, OrtValue

# The version whose names and behaviour these are: scripts compare with it. Shipway's own is shipway.__version__.
__version__ = "1.32.0"
version = __version__
package_name = "onnxruntime"


def get_available_providers() -> List[str]:
    """["CPUExecutionProvider"]"""
    return list(PROVIDERS)


def get_all_providers() -> List[str]:
    """["CPUExecutionProvider"]"""
    return list(PROVIDERS)


def get_device() -> str:
    """ "CPU" """
    return "CPU"


def get_version_string() -> str:
    """The version of onnxruntime whose names these are."""
    return __version__


def get_build_info() -> str:
    """Which Shipway this is."""
    from .. import __version__ as shipway_version
    return f"Shipway {shipway_version}"


def has_collective_ops() -> bool:
    """False."""
    return False


def set_default_logger_severity(severity: int) -> None:
    """Accepted, without effect: the library writes no log."""


def set_default_logger_verbosity(verbosity: int) -> None:
    """Accepted, without effect."""


def set_default_logger_callback(callback: Any) -> None:
    """Accepted, without effect: the library writes no log."""


def set_seed(seed: int) -> None:
    """Accepted, without effect: random operators take their `seed` attribute, else a fixed one."""


def set_global_thread_pool_sizes(intra_op_num_threads: int, inter_op_num_threads: int) -> None:
    """Accepted, without effect: one pool a process, as large as its cores; SessionOptions say how much of it a run uses."""


def disable_telemetry_events() -> None:
    """Accepted, without effect: there is no telemetry."""


def enable_telemetry_events() -> None:
    """Accepted, without effect: there is no telemetry."""


def preload_dlls(cuda: bool = True, cudnn: bool = True, msvc: bool = True, directory: Any = None) -> None:
    """Accepted, without effect: nothing else is needed."""


def print_debug_info() -> None:
    """Prints which Shipway this is."""
    print(get_build_info())


__all__ = [
    "ExecutionMode", "ExecutionOrder", "GraphOptimizationLevel", "IOBinding", "InferenceSession", "ModelMetadata", "NodeArg",
    "OrtDevice", "OrtValue", "RunOptions", "SessionOptions", "__version__", "capi", "disable_telemetry_events",
    "enable_telemetry_events", "get_all_providers", "get_available_providers", "get_build_info", "get_device",
    "get_version_string", "has_collective_ops", "preload_dlls", "print_debug_info", "set_default_logger_callback",
    "set_default_logger_severity", "set_default_logger_verbosity", "set_global_thread_pool_sizes", "set_seed",
]
