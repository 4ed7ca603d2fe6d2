#!/usr/bin/env python3
"""Times Shipway and other engines side by side on the same models and inputs.

    scripts/bench_peers                                       the built-in models, all engines, 1 and all threads
    scripts/bench_peers --models resnet50,bert_base --engines shipway,onnxruntime --threads 1
    scripts/bench_peers --models photo.onnx,folder --shape x=1x3x512x512 --markdown out.md --json out.json

How: every engine has a process of its own, which loads the model once. Rounds go round the engines in turn, each round from
another one, and all processes but the one being timed are stopped, so that no engine's idle threads disturb another and
what else the machine does hits all alike. A turn is a warm-up and as many runs as make some 50 ms. Every engine gets the same
numpy arrays and gives numpy arrays back; copies count, as they do for a user. On a busy machine the processor time at one thread is
what can still be compared. Outputs are compared with the first
engine's of the list that ran: one that differs by more than --tolerance of its largest value is told so.

To add an engine: a subclass of Engine, and a line in ENGINES.
"""
import argparse
import ctypes
import datetime
import importlib.metadata
import json
import multiprocessing
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import onnx
    from onnx import helper

    import models as built_in
except ImportError:  # --help needs none of them, and comes before scripts/bench_peers installs them
    np = None

ROOT = pathlib.Path(__file__).resolve().parent.parent
CPU_FLAGS = ("avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile")


# ---------------------------------------------------------------------------------------------- engines


class Engine:
    """An engine in its process. `model`: path of an ONNX file; `feed`: {name: array}; `threads`; `cache`: a folder."""

    package = ""  # whose version is told

    def __init__(self, model, feed, threads, cache):
        self.model, self.feed, self.threads, self.cache = model, feed, threads, cache

    def version(self):
        return importlib.metadata.version(self.package)

    def convert(self):
        """Makes a file of the engine's own format, once for all numbers of threads, outside of any time."""

    def load(self):
        raise NotImplementedError

    def run(self):
        """The outputs in the model's order."""
        raise NotImplementedError

    def converted(self, ending):
        return str(pathlib.Path(self.cache) / (pathlib.Path(self.model).stem + ending))


class Shipway(Engine):
    def version(self):
        import shipway
        return shipway.__version__

    def load(self):
        import shipway
        self.session = shipway.InferenceSession(self.model, threads=self.threads)

    def run(self):
        return self.session.run(None, self.feed)


class OnnxRuntime(Engine):
    package = "onnxruntime"

    def load(self):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    def run(self):
        return self.session.run(None, self.feed)


class OpenVino(Engine):
    package = "openvino"

    def load(self):
        import openvino
        compiled = openvino.Core().compile_model(self.model, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": self.threads, "NUM_STREAMS": "1",
            "INFERENCE_PRECISION_HINT": "f32"})
        known = {name for value in compiled.inputs for name in value.get_names()}
        self.request, self.outputs = compiled.create_infer_request(), len(compiled.outputs)
        self.values = {name: value for name, value in self.feed.items() if name in known}

    def run(self):
        results = self.request.infer(self.values, share_inputs=True, share_outputs=True)
        return [results[i] for i in range(self.outputs)]


def last_line(text):
    """The last line that tells of an error, else the last one."""
    lines = text.strip().splitlines() or ["it says nothing"]
    return next((line for line in reversed(lines) if "rror" in line), lines[-1])[-200:]


class Mnn(Engine):
    package = "mnn"

    def convert(self):
        # Not through MNN.tools.mnnconvert: that installs packages into whatever Python it finds, and reports its use.
        arguments = ["mnnconvert", "-f", "ONNX", "--modelFile", self.model, "--MNNModel", self.converted(".mnn"), "--bizCode",
                     "benchmark"]
        result = subprocess.run([sys.executable, "-c", f"import _tools; _tools.mnnconvert({arguments!r})"], capture_output=True,
                                text=True, timeout=600, check=False, cwd=self.cache)  # where it leaves files
        if result.returncode != 0 or not os.path.exists(self.converted(".mnn")):
            raise RuntimeError(f"mnnconvert ended with {result.returncode}: " + last_line(result.stdout + result.stderr))

    def load(self):
        import MNN
        outputs = [value.name for value in onnx.load(self.model, load_external_data=False).graph.output]
        self.expr = MNN.expr
        # Kept: the module refers to it.
        self.manager = MNN.nn.create_runtime_manager(({"backend": "CPU", "numThread": self.threads, "precision": "high"},))
        self.net = MNN.nn.load_module_from_file(self.converted(".mnn"), list(self.feed), outputs, runtime_manager=self.manager)
        self.values = []
        for value in self.feed.values():
            value = value.astype(np.int32) if value.dtype == np.int64 else value
            kind = self.expr.int if value.dtype == np.int32 else self.expr.float
            self.values.append((self.expr.placeholder(list(value.shape), self.expr.NCHW, kind), value))

    def run(self):
        for variable, value in self.values:
            variable.write(value)
        results = self.net.onForward([variable for variable, _ in self.values])
        return [(self.expr.convert(x, self.expr.NCHW) if x.data_format == self.expr.NC4HW4 else x).read().copy()
                for x in results]


class Ncnn(Engine):
    package = "ncnn"

    def convert(self):
        # Its package would import PyTorch; only its program is wanted.
        program = next(file.locate() for file in importlib.metadata.files("pnnx") if str(file) == "pnnx/pnnx")
        kinds = {"float32": "f32", "int64": "i64", "int32": "i32"}
        shapes = ",".join("[" + ",".join(map(str, v.shape)) + "]" + kinds[str(v.dtype)] for v in self.feed.values())
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.abspath(self.model), f"{folder}/m.onnx")
            result = subprocess.run([str(program), "m.onnx", f"inputshape={shapes}", "fp16=0"], cwd=folder, capture_output=True,
                                    text=True, timeout=600, check=False)
            if not os.path.exists(f"{folder}/m.ncnn.param"):
                raise RuntimeError("pnnx: " + last_line(result.stderr + result.stdout))
            with open(f"{folder}/m.ncnn.param", encoding="utf-8") as file:
                layers = {line.split()[0] for line in file.read().splitlines()[2:] if line.strip()}
            foreign = sorted(layer for layer in layers if "." in layer or ":" in layer or layer.startswith("pnnx"))
            if foreign:
                raise RuntimeError("pnnx left what ncnn has not: " + ", ".join(foreign))
            for ending in (".param", ".bin"):
                os.replace(f"{folder}/m.ncnn{ending}", self.converted(".ncnn" + ending))

    def load(self):
        import ncnn
        self.ncnn, self.net = ncnn, ncnn.Net()
        options = self.net.opt
        options.num_threads, options.use_vulkan_compute = self.threads, False
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = False
        if self.net.load_param(self.converted(".ncnn.param")) or self.net.load_model(self.converted(".ncnn.bin")):
            raise RuntimeError("its converted files do not load")
        self.values = []
        for i, value in enumerate(self.feed.values()):  # ncnn knows no batch axis
            value = value.astype(np.int32) if value.dtype == np.int64 else value
            value = value[0] if value.ndim > 1 and value.shape[0] == 1 else value
            self.values.append((f"in{i}", np.ascontiguousarray(value)))
        self.outputs = sorted(self.net.output_names(), key=lambda name: int(name[3:]))

    def run(self):
        extractor = self.net.create_extractor()
        for name, value in self.values:
            extractor.input(name, self.ncnn.Mat(value))
        results = []
        for name in self.outputs:
            code, value = extractor.extract(name)
            if code:
                raise RuntimeError(f"extract {name}: {code}")
            results.append(np.array(value))
        return results


ENGINES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "mnn": Mnn, "ncnn": Ncnn, "shipway": Shipway}


# ---------------------------------------------------------------------------------------------- one process an engine


def status_bytes(key):
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))


def timed_runs(engine, count):
    """[(seconds, seconds of processor time of all its threads)]"""
    times = []
    for _ in range(count):
        start, cpu = time.perf_counter(), time.process_time()
        engine.run()
        times.append((time.perf_counter() - start, time.process_time() - cpu))
    return times


def serve(connection, name, arguments, task):
    """The worker: `task` "convert", or "run" until the pipe closes."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a stopped process would outlive a killed controller
    null = os.open(os.devnull, os.O_WRONLY)  # converters and engines talk a lot
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        engine = ENGINES[name](*arguments)
        if task == "convert":
            engine.convert()
            connection.send({})
            return
        before = status_bytes("VmRSS")
        version = engine.version()
        start = time.perf_counter()
        engine.load()
        loaded = time.perf_counter()
        outputs = [np.array(output) for output in engine.run()]
        connection.send({"version": version, "load_ms": 1e3 * (loaded - start), "outputs": outputs,
                         "first_ms": 1e3 * (time.perf_counter() - loaded)})
        while True:
            count = connection.recv()
            if count > 0:
                connection.send({"times": timed_runs(engine, count)})
            else:
                connection.send({"peak_bytes": status_bytes("VmHWM"), "bytes_before": before})
    except EOFError:
        pass
    except BaseException as error:  # told in the table, whatever it is
        connection.send({"error": f"{type(error).__name__}: {str(error).strip()[:200]}"})


class Worker:
    """A process that serves one engine. Stopped while nobody waits for it."""

    def __init__(self, name, arguments, task="run"):
        threads = str(arguments[2])
        os.environ.update({"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads})  # inherited
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, name, arguments, task), daemon=True)
        self.process.start()
        other.close()

    def answer(self, seconds=900):
        try:
            if self.connection.poll(seconds):
                return self.connection.recv()
            return {"error": f"no answer within {seconds} s"}
        except EOFError:
            self.process.join()
            return {"error": f"its process ended with {self.process.exitcode}"}

    def ask(self, count):
        """`count` runs, or with 0 what memory was used."""
        os.kill(self.process.pid, signal.SIGCONT)
        try:
            self.connection.send(count)
            return self.answer()
        except BrokenPipeError:
            return {"error": "its process is gone"}
        finally:
            self.pause()

    def pause(self):
        if self.process.is_alive():
            os.kill(self.process.pid, signal.SIGSTOP)

    def close(self):
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


# ---------------------------------------------------------------------------------------------- models and inputs


def find_models(text):
    """Names of built-in models, files, and folders with .onnx files: [(name, path, shapes)]."""
    found = []

    def add_built_in(name):
        found.append((name, built_in.path(name, ROOT / "build" / "models"), built_in.SHAPES.get(name, {})))

    for part in text.split(","):
        path = pathlib.Path(part)
        if part in ("all", "built-in"):
            for name in built_in.names():
                add_built_in(name)
        elif part in built_in.names():
            add_built_in(part)
        elif path.is_dir():
            found += [(file.stem, file, {}) for file in sorted(path.glob("*.onnx"))]
        elif path.is_file():
            found.append((path.stem, path, {}))
        else:
            raise SystemExit(f"bench_peers: there is no model {part!r}: no file, no folder, and not one of "
                             f"{', '.join(built_in.names())}")
    return found


def input_shape(value, shapes, dims):
    """Sizes of an input: its own, those of --shape, or those that --dim gives for their symbols."""
    tensor = value.type.tensor_type
    given = shapes.get(value.name)
    if given and len(given) != len(tensor.shape.dim):
        raise RuntimeError(f"input {value.name!r} has {len(tensor.shape.dim)} axes, --shape gives {len(given)}")
    sizes = []
    for axis, dim in enumerate(tensor.shape.dim):
        if dim.HasField("dim_value"):
            sizes.append(dim.dim_value)
        elif given or dim.dim_param in dims:
            sizes.append(given[axis] if given else dims[dim.dim_param])
        else:
            symbol = f" or --dim {dim.dim_param}=..." if dim.dim_param else ""
            raise RuntimeError(f"input {value.name!r} is of dynamic size: --shape {value.name}=1x...{symbol}")
    return sizes


def real_inputs(model):
    initializers = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in initializers]


def fixed_model(path, shapes, folder, dims=()):
    """The model with every input's size a number (converters read those best), written to `folder` if that changed it; and its
    inputs' arrays, seeded: ordinary floats, integers below 2 unless the model's own metadata allow more."""
    model = onnx.load(path)
    below = {p.key.removeprefix("benchmark.below."): int(p.value) for p in model.metadata_props
             if p.key.startswith("benchmark.below.")}
    random, feed, changed = np.random.Generator(np.random.PCG64(1)), {}, False
    for value in real_inputs(model):
        tensor, shape = value.type.tensor_type, input_shape(value, shapes, dims)
        for dim, size in zip(tensor.shape.dim, shape):
            changed = changed or not dim.HasField("dim_value")
            dim.dim_value = size
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        if np.issubdtype(dtype, np.floating):
            feed[value.name] = random.standard_normal(shape).astype(dtype)
        else:
            feed[value.name] = random.integers(0, below.get(value.name, 2), shape).astype(dtype)
    if changed:
        for value in model.graph.output:  # they may hold the old symbols
            value.type.tensor_type.ClearField("shape")
        del model.graph.value_info[:]
        path = pathlib.Path(folder) / pathlib.Path(path).name
        onnx.save(model, path)
    return str(path), feed


def difference(outputs, reference):
    """max |a - b| / max |b| over all outputs; axes of one may differ."""
    if len(outputs) != len(reference):
        return float("inf")
    worst = 0.0
    for a, b in zip(outputs, reference):
        if a.size != b.size or not np.isfinite(a).all():
            return float("inf")
        a, b = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
        worst = max(worst, float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-30)))
    return worst


# ---------------------------------------------------------------------------------------------- measuring


def measure(path, feed, engines, threads, rounds, tolerance, cache):
    """{engine: {"min_ms", "median_ms", ...} or {"error"}}."""
    results, workers, reference = {}, {}, None
    try:
        for name in engines:
            arguments = (path, feed, threads, cache)
            mark = pathlib.Path(cache) / f"{pathlib.Path(path).stem}.{name}.json"
            if ENGINES[name].convert is not Engine.convert:
                if not mark.exists():
                    worker = Worker(name, arguments, "convert")
                    mark.write_text(json.dumps(worker.answer()), encoding="utf-8")
                    worker.close()
                done = json.loads(mark.read_text(encoding="utf-8"))
                if "error" in done:
                    results[name] = {"error": "conversion: " + done["error"]}
                    continue
            worker = Worker(name, arguments)
            result = worker.answer()
            if "error" in result:
                results[name] = result
                worker.close()
                continue
            worker.pause()
            outputs = result.pop("outputs")
            reference = outputs if reference is None else reference
            result["difference"] = difference(outputs, reference)
            result["agrees"] = bool(result["difference"] <= tolerance)
            results[name], workers[name] = result, worker
        times = {name: [] for name in workers}
        counts = {}
        for round_number in range(rounds + 1):
            order = list(workers)
            turn = round_number % max(len(order), 1)
            for name in order[turn:] + order[:turn]:
                answer = workers[name].ask(1 + counts.get(name, 2))
                if "error" in answer:
                    results[name] = answer
                    workers.pop(name).close()
                    continue
                runs = answer["times"][1:]  # the first one warms what the others have cooled
                if name not in counts:  # a trial that says how many make a turn
                    counts[name] = max(1, min(500, int(0.05 / max(min(runs)[0], 1e-6))))
                else:
                    times[name] += runs
        for name, worker in workers.items():
            results[name].update(worker.ask(0))
            walls, cpus = zip(*times[name])
            results[name].update(min_ms=1e3 * min(walls), median_ms=1e3 * statistics.median(walls), cpu_ms=1e3 * min(cpus),
                                 runs=len(walls))
    finally:
        for worker in workers.values():
            worker.close()
    return results


def machine():
    """What figures depend on."""
    info, text = {}, pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n", maxsplit=1)[0]
    for line in text.splitlines():
        key, _, value = line.partition(":")
        info[key.strip()] = value.strip()
    commit = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], cwd=ROOT,
                            capture_output=True, text=True, check=False).stdout.strip()
    flags = info.get("flags", "").split()
    return {"cpu": f"{info.get('model name')} (family {info.get('cpu family')}, model {info.get('model')})",
            "flags": [flag for flag in CPU_FLAGS if flag in flags], "cores": len(os.sched_getaffinity(0)),
            "system": f"{platform.system()} {platform.release()}", "python": platform.python_version(), "commit": commit,
            "load": os.getloadavg()[0], "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def geometric_mean(values):
    return float(np.exp(np.mean(np.log(values))))


def as_markdown(report):
    info = report["machine"]
    lines = [f"{info['cpu']}, {info['cores']} cores, {' '.join(info['flags'])}; {info['system']}; commit {info['commit']}; "
             f"{info['date']}; load {info['load']:.1f}; {report['rounds']} rounds.", "", f"    {report['command']}", ""]
    versions = {name: result["version"] for row in report["rows"] for name, result in row["engines"].items() if "version" in result}
    names = [name for name in report["engines"] if name in versions]
    lines += ["Engines: " + ", ".join(f"{name} {versions[name]}" for name in names) + ".", "",
              "Least milliseconds of a run (median); cpu: least processor time of a run, all threads, spinning ones too; load: "
              "milliseconds from file to ready; memory: MiB at most.", "",
              "| model | threads | " + " | ".join(names) + " |", "| --- | ---: |" + " ---: |" * len(names)]
    for row in report["rows"]:
        cells = []
        for name in names:
            result = row["engines"].get(name, {"error": "not run"})
            if "min_ms" not in result:
                cells.append("–")
            else:
                wrong = "" if result["agrees"] else " **differs**"
                cells.append(f"{result['min_ms']:.3g} ({result['median_ms']:.3g}){wrong}")
        lines.append(f"| {row['model']} | {row['threads']} | " + " | ".join(cells) + " |")
    ratios = {name: [] for name in names if name != "shipway"}
    for row in report["rows"]:
        ours = row["engines"].get("shipway", {}).get("min_ms")
        for name, values in ratios.items():
            theirs = row["engines"].get(name, {})
            if ours and "min_ms" in theirs and theirs["agrees"]:
                values.append(theirs["min_ms"] / ours)
    if any(ratios.values()):
        lines += ["", "Their least time over Shipway's, geometric mean: " + ", ".join(
            f"{name} {geometric_mean(values):.2f} ({len(values)} rows)" for name, values in ratios.items() if values) + "."]
    lines += ["", "| model | threads | engine | cpu ms | load | first run ms | memory | difference |",
              "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |"]
    for row in report["rows"]:
        for name, result in row["engines"].items():
            if "min_ms" in result:
                lines.append(f"| {row['model']} | {row['threads']} | {name} | {result['cpu_ms']:.3g} | {result['load_ms']:.0f} | "
                             f"{result['first_ms']:.3g} | {result['peak_bytes'] / 2 ** 20:.0f} | {result['difference']:.1e} |")
            else:
                error = result.get("error", "no time").replace("|", "/").replace("\n", " ")
                lines.append(f"| {row['model']} | {row['threads']} | {name} | {error} | | | | |")
    return "\n".join(lines) + "\n"


def parse_shapes(texts):
    shapes = {}
    for text in texts:
        name, _, sizes = text.partition("=")
        try:
            shapes[name] = [int(size) for size in sizes.split("x")]
        except ValueError:
            raise SystemExit(f"bench_peers: --shape {text}: expected NAME=1x3x224x224") from None
    return shapes


def main():
    parser = argparse.ArgumentParser(prog="bench_peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="all",
                        help="built-in names (benchmarks/models.py --list), files, folders; default: all built in")
    parser.add_argument("--engines", default=",".join(ENGINES), help="of " + ", ".join(ENGINES) + "; the first is compared with")
    parser.add_argument("--threads", default="", help="like 1,2; default: 1 and all cores")
    parser.add_argument("--shape", action="append", default=[], help="NAME=1x3x224x224 for inputs of dynamic size")
    parser.add_argument("--dim", action="append", default=[], help="SYMBOL=64, for inputs whose sizes have names")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--markdown", help="file to write the tables to, also printed")
    parser.add_argument("--json", help="file to write everything to")
    arguments = parser.parse_args()
    if np is None:
        parser.error("numpy and onnx are missing: scripts/bench_peers installs them")
    engines = arguments.engines.split(",")
    unknown = [name for name in engines if name not in ENGINES]
    if unknown:
        parser.error(f"there is no engine {', '.join(unknown)}")
    cores = len(os.sched_getaffinity(0))
    threads = [int(count) for count in arguments.threads.split(",")] if arguments.threads else sorted({1, cores})
    shapes = parse_shapes(arguments.shape)
    report = {"machine": machine(), "command": "scripts/bench_peers " + " ".join(sys.argv[1:]), "rounds": arguments.rounds,
              "engines": engines, "rows": []}
    dims = {name: sizes[0] for name, sizes in parse_shapes(arguments.dim).items()}
    found = find_models(arguments.models)
    for _, path, own_shapes in found:  # before hours of measuring
        try:
            for value in real_inputs(onnx.load(path, load_external_data=False)):
                input_shape(value, {**own_shapes, **shapes}, dims)
        except RuntimeError as error:
            raise SystemExit(f"bench_peers: {path}: {error}") from None
    with tempfile.TemporaryDirectory() as cache:
        for name, path, own_shapes in found:
            file, feed = fixed_model(path, {**own_shapes, **shapes}, cache, dims)
            for count in threads:
                row = {"model": name, "threads": count,
                       "engines": measure(file, feed, engines, count, arguments.rounds, arguments.tolerance, cache)}
                report["rows"].append(row)
                shown = ", ".join(f"{engine} {result['min_ms']:.3g} ms" if "min_ms" in result else f"{engine}: {result['error']}"
                                  for engine, result in row["engines"].items())
                print(f"{name}, {count} threads: {shown}", file=sys.stderr, flush=True)
    text = as_markdown(report)
    print(text)
    if arguments.markdown:
        pathlib.Path(arguments.markdown).write_text(text, encoding="utf-8")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
