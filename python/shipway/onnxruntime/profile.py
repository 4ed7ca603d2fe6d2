"""What runs spent their time on, in the form that onnxruntime writes and chrome://tracing reads."""
import json
import os
import threading
import time
from typing import Any, Dict, List, Mapping


class Profile:
    """Collects the steps of runs; one a session. Any thread may add."""

    def __init__(self, prefix: str) -> None:
        self.start_ns = time.time_ns()
        self._began = time.perf_counter_ns()
        self._file = f"{prefix}_{time.strftime('%Y-%m-%d_%H-%M-%S')}_{self.start_ns // 1_000_000 % 1000:03}.json"
        self._events: List[Dict[str, Any]] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        """Microseconds since the beginning."""
        return (time.perf_counter_ns() - self._began) / 1000

    def add(self, category: str, name: str, start: float, duration: float, args: Mapping[str, Any]) -> None:
        """One event, in microseconds."""
        event = {"cat": category, "pid": os.getpid(), "tid": threading.get_native_id(), "dur": round(duration, 3), "ts": round(start, 3),
                 "ph": "X", "name": name, "args": dict(args)}
        with self._lock:
            self._events.append(event)

    def add_run(self, start: float, steps: List[Dict[str, Any]]) -> None:
        """A run that began at `start` and has just ended."""
        end = self.now()
        for number, step in enumerate(steps):
            # Steps tell the monotonic clock, which is that of perf_counter here.
            self.add("Node", f"{step['name']}_kernel_time", (step["start_ns"] - self._began) / 1000, step["nanoseconds"] / 1000, {
                "op_name": step["op_type"], "provider": "CPUExecutionProvider", "node_index": str(number), "kernel": step["kernel"],
                "origins": step["origins"], "layout": step["layout"], "output_size": str(step["output"]),
                "flops": step["flops"], "bytes": step["bytes"], "threads": step["threads"], "refused": step["refused"]})
        self.add("Session", "model_run", start, end - start, {})

    def write(self) -> str:
        """Writes the file and gives its name."""
        with self._lock, open(self._file, "w", encoding="utf-8") as file:
            file.write("[\n" + ",\n".join(json.dumps(event) for event in self._events) + "\n]\n")
        return self._file
