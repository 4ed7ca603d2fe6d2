"""InferenceSession and IOBinding with onnxruntime's methods."""
import concurrent.futures
import os
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np

from .. import _core
from .. import session as native
from ..errors import Error, InvalidModel
from ..model import ModelLike, load
from ..onnx import messages
from .capi.onnxruntime_pybind11_state import Fail, InvalidArgument, while_loading, while_reading, while_running
from .options import SessionOptions
from .profile import Profile
from .values import ElementType, OrtDevice, OrtValue, array_at, as_feed


class InferenceSession(native.InferenceSession):
    """As shipway.InferenceSession, with the methods and exceptions of onnxruntime's."""

    def __init__(self, path_or_bytes: ModelLike, sess_options: Any = None, providers: Optional[Sequence[Any]] = None,
                 provider_options: Optional[Sequence[Dict[str, Any]]] = None, **kwargs: Any) -> None:
        self._options = SessionOptions() if sess_options is None else sess_options
        self._profile = Profile(self._options.profile_file_prefix) if self._options.enable_profiling else None
        self._workers: Optional[concurrent.futures.ThreadPoolExecutor] = None
        start = self._profile.now() if self._profile else 0.0
        with while_loading():
            super().__init__(path_or_bytes, self._options, providers, provider_options, **kwargs)
        if self._profile:
            self._profile.add("Session", "session_initialization", start, self._profile.now() - start, {})

    def _load(self, source: ModelLike) -> _core.Model:
        try:
            with while_reading():
                model = load(source)
        except InvalidModel:
            with while_loading():
                _raise_if_well_formed(source)
            raise
        options = self._options
        sizes = dict(getattr(options, "_sizes", {}))
        by_denotation = getattr(options, "_sizes_by_denotation", {})
        if by_denotation:
            sizes.update(_sizes_of_denotations(model, by_denotation))
        if sizes:
            model = _core.with_sizes(model, sizes)
        if getattr(options, "_initializers", None):
            model = _core.with_initializers(model, as_feed(options._initializers))
        if options.optimized_model_filepath:
            _core.optimize(model, native.level_of(options)).save(os.fspath(options.optimized_model_filepath))
        return model

    def _run(self, output_names: Optional[Sequence[str]], input_feed: Mapping[str, Any], run_options: Any,
             profile: Optional[List[Dict[str, Any]]]) -> List[Any]:
        start = self._profile.now() if self._profile else 0.0
        steps: Optional[List[Dict[str, Any]]] = [] if self._profile else profile
        with while_running():
            results = super()._run(output_names, as_feed(dict(input_feed)), run_options, steps)
        if self._profile and steps is not None:
            self._profile.add_run(start, steps)
        return results

    def run_with_ort_values(self, output_names: Optional[Sequence[str]], input_dict_ort_values: Mapping[str, OrtValue],
                            run_options: Any = None) -> List[OrtValue]:
        """As run, with OrtValues in and out."""
        return [OrtValue(value) for value in self.run(output_names, input_dict_ort_values, run_options)]

    def run_async(self, output_names: Optional[Sequence[str]], input_feed: Mapping[str, Any],
                  callback: Callable[[Any, Any, str], None], user_data: Any, run_options: Any = None) -> None:
        """Returns at once; callback(results, user_data, error text) is called from a thread, with an empty text or no results."""
        if self._workers is None:
            self._workers = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="shipway-run-async")

        def work() -> None:
            try:
                results, said = self.run(output_names, input_feed, run_options), ""
            except Error as error:
                results, said = [], str(error)
            callback(results, user_data, said)

        self._workers.submit(work)

    def io_binding(self) -> "IOBinding":
        """Inputs and outputs bound to memory, for run_with_iobinding."""
        return IOBinding(self)

    def run_with_iobinding(self, iobinding: "IOBinding", run_options: Any = None) -> None:
        """Runs on what was bound; results are in the bound memory, or from get_outputs()."""
        iobinding._run(run_options)

    def create_ortvalue_from_shape_and_type(self, shape: Sequence[int], element_type: ElementType) -> OrtValue:
        """A tensor of zeros, to be filled."""
        return OrtValue.ortvalue_from_shape_and_type(shape, element_type)

    def end_profiling(self) -> str:
        """Writes the profile and gives its file's name; "" when enable_profiling was not set."""
        profile, self._profile = self._profile, None
        return profile.write() if profile else ""

    def get_profiling_start_time_ns(self) -> int:
        """Nanoseconds since 1970 when profiling began; 0 without."""
        return self._profile.start_ns if self._profile else 0

    def get_session_options(self) -> Any:
        """The options it was made with."""
        return self._options

    def get_provider_options(self) -> Dict[str, Dict[str, str]]:
        """{"CPUExecutionProvider": {}}"""
        return {name: {} for name in self.get_providers()}

    def set_providers(self, providers: Optional[Sequence[Any]] = None, provider_options: Optional[Sequence[Dict[str, Any]]] = None) -> None:
        """Warns of providers that do not exist here."""
        with while_loading():
            native.warn_of_other_providers(providers, stacklevel=2)

    def disable_fallback(self) -> None:
        """Accepted, without effect: there is nothing to fall back to."""

    def enable_fallback(self) -> None:
        """Accepted, without effect."""

    def set_ep_dynamic_options(self, options: Dict[str, str]) -> None:
        """Accepted, without effect."""

    def get_tuning_results(self) -> List[Any]:
        """[]: sessions do not tune."""
        return []


class IOBinding:
    """Inputs and outputs of a session bound to memory."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._inputs: Dict[str, Any] = {}
        self._outputs: Dict[str, Optional[np.ndarray]] = {}
        self._results: List[OrtValue] = []

    def _check(self, name: str, known: Sequence[native.NodeArg], what: str) -> None:
        if all(argument.name != name for argument in known):
            raise InvalidArgument(f"the model has no {what} {name!r}")

    def _bind_input(self, name: str, value: Any) -> None:
        self._check(name, self._session.get_inputs() + self._session.get_overridable_initializers(), "input")
        self._inputs[name] = value

    def _bind_output(self, name: str, memory: Optional[np.ndarray]) -> None:
        self._check(name, self._session.get_outputs(), "output")
        self._outputs[name] = memory

    def bind_cpu_input(self, name: str, arr_on_cpu: np.ndarray) -> None:
        """Binds an array."""
        self._bind_input(name, arr_on_cpu)

    def bind_input(self, name: str, device_type: str, device_id: int, element_type: ElementType, shape: Sequence[int],
                   buffer_ptr: int) -> None:
        """Binds memory at an address, which the caller keeps until the run is over."""
        OrtDevice.make(device_type, device_id)
        self._bind_input(name, array_at(buffer_ptr, element_type, shape))

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        """Binds an OrtValue."""
        self._bind_input(name, ortvalue)

    def bind_output(self, name: str, device_type: str = "cpu", device_id: int = 0, element_type: Optional[ElementType] = None,
                    shape: Optional[Sequence[int]] = None, buffer_ptr: Optional[int] = None) -> None:
        """Asks for an output; with an address, its elements are copied there. That memory must be large enough for the shape."""
        OrtDevice.make(device_type, device_id)
        if buffer_ptr is None:
            self._bind_output(name, None)
        elif element_type is None or shape is None:
            raise InvalidArgument(f"output {name!r}: element_type and shape are needed beside buffer_ptr")
        else:
            self._bind_output(name, array_at(buffer_ptr, element_type, shape))

    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None:
        """Asks for an output, whose elements are copied into a tensor."""
        self._bind_output(name, ortvalue.numpy())

    def _run(self, run_options: Any) -> None:
        if not self._outputs:
            raise InvalidArgument("no output is bound, expected at least one")
        names = list(self._outputs)
        results = self._session.run(names, self._inputs, run_options)
        self._results = []
        for name, value in zip(names, results):
            memory = self._outputs[name]
            if memory is not None:
                if memory.shape != np.shape(value) or memory.dtype != value.dtype:
                    raise Fail(f"output {name!r}: bound memory is {memory.dtype} of shape {list(memory.shape)}, "
                               f"the result {value.dtype} of shape {list(value.shape)}")
                memory[...] = value
                value = memory
            self._results.append(OrtValue(value))

    def get_outputs(self) -> List[OrtValue]:
        """The results of the last run, in the order of binding."""
        return list(self._results)

    def copy_outputs_to_cpu(self) -> List[Any]:
        """The results of the last run as arrays (lists, dicts, None)."""
        return [value.numpy().copy() if value.is_tensor() else value.to_python() for value in self._results]

    def clear_binding_inputs(self) -> None:
        """Forgets the inputs."""
        self._inputs.clear()

    def clear_binding_outputs(self) -> None:
        """Forgets the outputs and their results."""
        self._outputs.clear()
        self._results = []

    def synchronize_inputs(self) -> None:
        """Accepted, without effect: nothing runs behind the caller's back."""

    def synchronize_outputs(self) -> None:
        """Accepted, without effect."""


def _raise_if_well_formed(source: Any) -> None:
    """Raises InvalidModel for a model that has an ONNX file's form and could not be read all the same."""
    if hasattr(source, "SerializeToString"):
        source = source.SerializeToString()
    try:
        data = bytes(source) if isinstance(source, (bytes, bytearray, memoryview)) else open(source, "rb").read()
        model = messages.ModelProto.FromString(data)
    except (OSError, TypeError, messages.DecodeError):
        return
    if model.HasField("graph"):
        load(source)


def _sizes_of_denotations(model: _core.Model, by_denotation: Dict[str, int]) -> Dict[str, int]:
    """The names of the sizes that the inputs declare with these denotations."""
    graph = messages.ModelProto.FromString(model.serialize()).graph
    return {dim.dim_param: by_denotation[dim.denotation] for info in graph.input for dim in info.type.tensor_type.shape.dim
            if dim.denotation in by_denotation and dim.dim_param}


__all__ = ["IOBinding", "InferenceSession"]
