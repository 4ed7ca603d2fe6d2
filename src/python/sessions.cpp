// Running models: sessions, how a run is cancelled, and what it spent its time on.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <csignal>

#include "python/bindings.h"
#include "python/values.h"
#include "shipway/compile.h"
#include "shipway/session.h"

namespace shipway::python {
namespace nb = nanobind;
using namespace nb::literals;
namespace {

/// ONNX's text of a type, as onnxruntime shows it: "tensor(float)", "seq(tensor(int64))".
std::string type_text(const Type& type) {
  const std::string name(to_string(type.dtype()));
  switch (type.kind()) {
    case TypeKind::kTensor:
      return "tensor(" + name + ")";
    case TypeKind::kSparseTensor:
      return "sparse_tensor(" + name + ")";
    case TypeKind::kSequence:
      return "seq(" + type_text(type.element()) + ")";
    case TypeKind::kOptional:
      return "optional(" + type_text(type.element()) + ")";
    case TypeKind::kMap:
      return "map(" + name + "," + type_text(type.element()) + ")";
    default:
      return "";
  }
}

/// Numbers, names of symbols, None for a size nothing is known about; an empty list when the rank
/// is unknown too. An optional tensor has its tensor's, as with onnxruntime.
nb::list shape_list(const Type& type, const DimTable& dims) {
  if (type.kind() == TypeKind::kOptional) return shape_list(type.element(), dims);
  nb::list shape;
  if (!type.dims()) return shape;
  for (Dim dim : *type.dims()) {
    if (dim.is_constant())
      shape.append(dim.value());
    else if (dim.is_unknown() || dims.mentions_fresh(dim))
      shape.append(nb::none());
    else
      shape.append(dims.to_string(dim));
  }
  return shape;
}

nb::list infos(std::span<const ValueInfo> values, const DimTable& dims) {
  nb::list list;
  for (const ValueInfo& value : values)
    list.append(nb::make_tuple(value.name, type_text(value.type), shape_list(value.type, dims),
                               value.optional));
  return list;
}

/// Set by another thread to end runs that were given it.
struct Cancellation {
  bool cancelled = false;
};

/// While it lives, Ctrl-C also ends the run: Python itself would look at signals only after it.
/// For the main thread, where Python handles signals, and only if Python handles this one.
class InterruptGuard {
 public:
  explicit InterruptGuard(bool& cancelled) {
    if (running_) return;  // of another thread, which is the main one
    struct sigaction ours {};
    if (sigaction(SIGINT, nullptr, &python_) != 0 || python_.sa_handler == SIG_DFL ||
        python_.sa_handler == SIG_IGN || (python_.sa_flags & SA_SIGINFO) != 0)
      return;
    running_ = &cancelled;
    ours = python_;
    ours.sa_handler = [](int signal) {
      if (running_) *running_ = true;
      python_.sa_handler(signal);
    };
    installed_ = sigaction(SIGINT, &ours, nullptr) == 0;
    if (!installed_) running_ = nullptr;
  }
  ~InterruptGuard() {
    if (!installed_) return;
    sigaction(SIGINT, &python_, nullptr);
    running_ = nullptr;
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static inline bool* running_ = nullptr;
  static inline struct sigaction python_ {};
  bool installed_ = false;
};

/// Ctrl-C means what Python means by it: on the main thread, an end with KeyboardInterrupt. A
/// handler of the user's own is left to decide what it means, after the run.
bool ctrl_c_ends_runs() {
  struct Python {
    nb::object main_thread = nb::module_::import_("threading").attr("main_thread")().attr("ident");
    // Not signal.getsignal, which makes an enumerator of what this gives.
    nb::object handler_of = nb::module_::import_("_signal").attr("getsignal");
    nb::object default_handler = nb::module_::import_("signal").attr("default_int_handler");
  };
  static const auto* python = new Python;  // never freed: outlives the interpreter's end
  return nb::cast<unsigned long>(python->main_thread) == PyThread_get_thread_ident() &&
         python->handler_of(SIGINT).is(python->default_handler);
}

std::vector<NamedValue> values_of(const nb::dict& feeds, const Session& session) {
  const Type unknown;
  const auto type_of = [&](const std::string& name) -> const Type& {
    for (const ValueInfo& input : session.inputs())
      if (input.name == name) return input.type;
    return unknown;  // the run will say so
  };
  std::vector<NamedValue> inputs;
  for (auto [name, value] : feeds) {
    if (!PyUnicode_Check(name.ptr()))
      throw Error(Status::invalid_argument("the feed has the key {}, expected names of inputs",
                                           nb::cast<std::string>(nb::repr(name))));
    try {
      auto input = nb::cast<std::string>(name);
      RuntimeValue converted = value_from_python(value, type_of(input));
      inputs.emplace_back(std::move(input), std::move(converted));
    } catch (const Error& error) {
      throw Error(error.status().with_context("input '{}'", nb::cast<std::string>(name)));
    }
  }
  return inputs;
}

nb::list run_session(const Session& session,
                     const std::optional<std::vector<std::string>>& output_names,
                     const nb::dict& feeds, double timeout, Cancellation* cancellation,
                     std::optional<nb::list> profile) {
  const std::vector<NamedValue> inputs = values_of(feeds, session);
  const std::vector<std::string> names = output_names.value_or(std::vector<std::string>());
  std::vector<StepProfile> steps;
  Cancellation own;
  bool& cancelled = cancellation ? cancellation->cancelled : own.cancelled;
  RunOptions options;
  options.timeout = timeout;
  options.cancelled = &cancelled;
  if (profile) options.profile = &steps;
  const bool interruptible = !cancelled && ctrl_c_ends_runs();
  Result<std::vector<RuntimeValue>> outputs = [&] {
    nb::gil_scoped_release release;
    std::optional<InterruptGuard> guard;
    if (interruptible) guard.emplace(cancelled);
    return session.run(inputs, names, options);
  }();
  if (interruptible && PyErr_CheckSignals() != 0) {
    cancelled = false;
    throw nb::python_error();
  }
  throw_unless_ok(outputs.status());
  for (const StepProfile& step : steps) {
    nb::dict entry;
    const PlanStep& plan = *step.step;
    entry["name"] = plan.name;
    entry["kernel"] = std::string(step.kernel());
    entry["op_type"] = plan.op_type;
    entry["origins"] = plan.origins;
    entry["layout"] = plan.layout;
    entry["start_ns"] = step.start_ns;
    entry["nanoseconds"] = step.nanoseconds;
    entry["depth"] = step.depth;
    entry["output"] = std::vector<int64_t>(step.output.begin(), step.output.end());
    entry["flops"] = step.flops;
    entry["bytes"] = step.bytes;
    entry["threads"] = step.threads;
    nb::list refused;
    for (const Refusal& r : plan.refusals) {
      nb::dict refusal;
      refusal["code"] = r.code;
      refusal["kernel"] = r.kernel;
      refusal["reason"] = r.reason;
      refused.append(refusal);
    }
    entry["refused"] = refused;
    profile->append(entry);
  }
  nb::list results;
  for (const RuntimeValue& value : *outputs) results.append(value_to_python(value));
  return results;
}

std::unique_ptr<Session> create_session(const Model& model, int threads, int level, bool reference,
                                        double timeout, int64_t max_memory) {
  SessionOptions options;
  options.threads = threads;
  options.level = level;
  options.reference = reference;
  options.timeout = timeout;
  options.max_memory = max_memory;
  nb::gil_scoped_release release;
  return Session::create(model, options).value_or_throw();
}

bool is_plan_source(const nb::object& path_or_bytes) {
  return nb::isinstance<nb::bytes>(path_or_bytes)
             ? is_plan(bytes_of(nb::cast<nb::bytes>(path_or_bytes)))
             : is_plan_file(nb::cast<std::string>(path_or_bytes));
}

std::unique_ptr<Session> open_plan(const nb::object& path_or_bytes, int threads, bool reference,
                                   double timeout, int64_t max_memory) {
  SessionOptions options;
  options.threads = threads;
  options.reference = reference;
  options.timeout = timeout;
  options.max_memory = max_memory;
  if (nb::isinstance<nb::bytes>(path_or_bytes)) {
    const auto bytes = nb::cast<nb::bytes>(path_or_bytes);
    const std::span<const std::byte> view = bytes_of(bytes);
    std::shared_ptr<const void> owner = keep_alive(nb::borrow(bytes));
    nb::gil_scoped_release release;
    return Session::open(view, std::move(owner), options).value_or_throw();
  }
  const auto path = nb::cast<std::string>(path_or_bytes);
  nb::gil_scoped_release release;
  return Session::open(path, options).value_or_throw();
}

void compile_model(const Model& model, const std::string& path, int level, const std::string& isa,
                   const std::map<std::string, std::vector<int64_t>>& shapes) {
  CompileOptions options;
  options.level = level;
  options.isa = isa;
  for (const auto& [name, shape] : shapes) options.shapes.emplace_back(name, Shape(shape));
  nb::gil_scoped_release release;
  throw_unless_ok(compile(model, path, options));
}

}  // namespace

void bind_sessions(nb::module_& m) {
  nb::class_<Cancellation>(m, "Cancellation", "Ends the runs that were given it, when set.")
      .def(nb::init<>())
      .def_rw("cancelled", &Cancellation::cancelled, "True: runs end with shipway.Cancelled.");

  nb::class_<Session>(m, "Session", "A model made ready to run.")
      .def(
          "inputs", [](const Session& s) { return infos(s.inputs(), s.dims()); },
          nb::sig("def inputs(self) -> list[tuple[str, str, list[int | str | None], bool]]"),
          "(name, type, shape, has a default) of each.")
      .def(
          "outputs", [](const Session& s) { return infos(s.outputs(), s.dims()); },
          nb::sig("def outputs(self) -> list[tuple[str, str, list[int | str | None], bool]]"),
          "(name, type, shape, False) of each.")
      .def("run", &run_session,
           nb::sig(
               "def run(self, output_names: collections.abc.Sequence[str] | None, feeds: dict[str, "
               "typing.Any], timeout: float = -1.0, cancellation: Cancellation | None = None, "
               "profile: list[dict[str, typing.Any]] | None = None) -> list[typing.Any]"),
           "output_names"_a.none(), "feeds"_a, "timeout"_a = -1.0, "cancellation"_a = nb::none(),
           "profile"_a = nb::none(), "The outputs; `profile`, a list, gets a dict for each step.")
      .def(
          "plan_statistics",
          [](const Session& s) {
            const PlanStatistics statistics = s.plan_statistics();
            nb::dict result;
            result["plans_made"] = statistics.plans_made;
            result["plans_kept"] = statistics.plans_kept;
            result["bindings_made"] = statistics.bindings_made;
            result["bindings_kept"] = statistics.bindings_kept;
            return result;
          },
          nb::sig("def plan_statistics(self) -> dict[str, int]"),
          "How often the session has planned, and how much of it is kept.")
      .def_prop_ro(
          "model", [](const Session& s) -> const Model& { return s.model(); },
          nb::rv_policy::reference_internal, "The graph that is run.");
  m.def("is_plan", &is_plan_source, "path_or_bytes"_a, "True for a plan file.");
  m.def("open_plan", &open_plan, "path_or_bytes"_a, "threads"_a, "reference"_a = false,
        "timeout"_a = -1.0, "max_memory"_a = -1);
  m.def("compile", &compile_model, "model"_a, "path"_a, "level"_a = 3, "isa"_a = "",
        "shapes"_a = std::map<std::string, std::vector<int64_t>>());
  m.def("create_session", &create_session, "model"_a, "threads"_a, "level"_a, "reference"_a,
        "timeout"_a = -1.0, "max_memory"_a = -1);
}

}  // namespace shipway::python
