// Models, checks and sessions of shipway_c.h.
#include <utility>
#include <vector>

#include "base/text.h"
#include "c/handles.h"
#include "shipway/checker.h"
#include "shipway/compile.h"
#include "shipway/formats.h"

using namespace shipway;

// ----------------------------------------------------------------------------------------------
// models

namespace {

std::span<const std::byte> as_bytes(const void* bytes, size_t size) {
  return {static_cast<const std::byte*>(bytes), size};
}

shipway_error* load(shipway_model** model, const void* source, const char* name, auto read) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(model, "model"));
    *model = nullptr;
    SHIPWAY_RETURN_IF_ERROR(c::require(source, name));
    SHIPWAY_ASSIGN_OR_RETURN(Model read_model, read());
    *model = new shipway_model{std::move(read_model)};
    return Status::ok();
  });
}

}  // namespace

shipway_error* shipway_model_load(const char* path, shipway_model** model) {
  return load(model, path, "path", [&] { return load_model(path); });
}

shipway_error* shipway_model_load_bytes(const void* bytes, size_t size, shipway_model** model) {
  return load(model, bytes, "bytes", [&] { return load_model_from_bytes(as_bytes(bytes, size)); });
}

shipway_error* shipway_model_save(const shipway_model* model, const char* path) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(model, "model"));
    SHIPWAY_RETURN_IF_ERROR(c::require(path, "path"));
    return save_model(model->model, path);
  });
}

void shipway_model_free(shipway_model* model) { delete model; }

// ----------------------------------------------------------------------------------------------
// checks

namespace {

Result<CheckOptions> check_options(const shipway_check_options* options) {
  const shipway_check_options defaults = SHIPWAY_CHECK_OPTIONS_INIT;
  SHIPWAY_ASSIGN_OR_RETURN(const shipway_check_options given,
                           c::read_struct(options, defaults, "shipway_check_options"));
  CheckOptions result;
  result.full_check = given.full_check;
  result.check_custom_domain = given.check_custom_domain;
  if (given.registry) result.registry = &given.registry->shared->operators;
  return result;
}

}  // namespace

shipway_error* shipway_check_file(const char* path, const shipway_check_options* options) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(path, "path"));
    SHIPWAY_ASSIGN_OR_RETURN(const CheckOptions given, check_options(options));
    return check_model_file(path, given);
  });
}

shipway_error* shipway_check_bytes(const void* bytes, size_t size,
                                   const shipway_check_options* options) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(bytes, "bytes"));
    SHIPWAY_ASSIGN_OR_RETURN(const CheckOptions given, check_options(options));
    return check_model_bytes(as_bytes(bytes, size), given);
  });
}

// ----------------------------------------------------------------------------------------------
// sessions

namespace {

/// A session that `make` gives for the options as C++ has them.
template <typename Make>
shipway_error* make_session(const void* source, const char* name,
                            const shipway_session_options* options, shipway_session** session,
                            const Make& make) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(session, "session"));
    *session = nullptr;
    SHIPWAY_RETURN_IF_ERROR(c::require(source, name));
    const shipway_session_options defaults = SHIPWAY_SESSION_OPTIONS_INIT;
    SHIPWAY_ASSIGN_OR_RETURN(const shipway_session_options given,
                             c::read_struct(options, defaults, "shipway_session_options"));
    auto made = std::make_unique<shipway_session>();
    SessionOptions settings;
    settings.threads = given.threads;
    settings.level = given.level;
    settings.reference = given.reference;
    settings.max_memory = given.max_memory;
    settings.timeout = given.timeout;
    if (given.registry) {
      given.registry->shared->in_use = true;
      made->registry = given.registry->shared;
      settings.registry = &made->registry->operators;
    }
    SHIPWAY_ASSIGN_OR_RETURN(made->session, make(settings));
    for (const ValueInfo& value : made->session->inputs())
      made->inputs.push_back({value.name, value.type, value.optional});
    for (const ValueInfo& value : made->session->outputs())
      made->outputs.push_back({value.name, value.type, value.optional});
    *session = made.release();
    return Status::ok();
  });
}

}  // namespace

shipway_error* shipway_session_create(const shipway_model* model,
                                      const shipway_session_options* options,
                                      shipway_session** session) {
  return make_session(model, "model", options, session, [&](const SessionOptions& settings) {
    return Session::create(model->model, settings);
  });
}

shipway_error* shipway_session_open(const char* path, const shipway_session_options* options,
                                    shipway_session** session) {
  return make_session(path, "path", options, session,
                      [&](const SessionOptions& settings) -> Result<std::unique_ptr<Session>> {
                        if (is_plan_file(path)) return Session::open(path, settings);
                        SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(path));
                        return Session::create(std::move(model), settings);
                      });
}

void shipway_session_free(shipway_session* session) { delete session; }

size_t shipway_session_input_count(const shipway_session* session) {
  return session->inputs.size();
}
size_t shipway_session_output_count(const shipway_session* session) {
  return session->outputs.size();
}
const shipway_value_info* shipway_session_input(const shipway_session* session, size_t index) {
  return index < session->inputs.size() ? &session->inputs[index] : nullptr;
}
const shipway_value_info* shipway_session_output(const shipway_session* session, size_t index) {
  return index < session->outputs.size() ? &session->outputs[index] : nullptr;
}
const char* shipway_value_name(const shipway_value_info* value) { return value->name.c_str(); }
shipway_dtype shipway_value_dtype(const shipway_value_info* value) {
  return value->type.is_tensor() ? static_cast<shipway_dtype>(value->type.dtype())
                                 : SHIPWAY_UNDEFINED;
}
int64_t shipway_value_rank(const shipway_value_info* value) {
  const Dims* dims = value->type.dims();
  return dims ? static_cast<int64_t>(dims->size()) : -1;
}
int64_t shipway_value_size(const shipway_value_info* value, size_t axis) {
  const Dims* dims = value->type.dims();
  return dims && axis < dims->size() && (*dims)[axis].is_constant() ? (*dims)[axis].value() : -1;
}
bool shipway_value_is_optional(const shipway_value_info* value) { return value->optional; }

shipway_error* shipway_session_run(const shipway_session* session, const char* const* input_names,
                                   const shipway_tensor* const* inputs, size_t input_count,
                                   const char* const* output_names, size_t output_count,
                                   shipway_tensor** outputs, const shipway_run_options* options) {
  return c::guarded([&]() -> Status {
    if (output_count > 0) SHIPWAY_RETURN_IF_ERROR(c::require(outputs, "outputs"));
    std::fill_n(outputs, output_count, nullptr);
    SHIPWAY_RETURN_IF_ERROR(c::require(session, "session"));
    if (input_count > 0) {
      SHIPWAY_RETURN_IF_ERROR(c::require(input_names, "input_names"));
      SHIPWAY_RETURN_IF_ERROR(c::require(inputs, "inputs"));
    }
    std::vector<NamedValue> given;
    for (size_t i = 0; i < input_count; ++i) {
      SHIPWAY_RETURN_IF_ERROR(c::require(input_names[i], "a name").with_context("input {}", i));
      SHIPWAY_RETURN_IF_ERROR(
          c::require(inputs[i], "its tensor").with_context("input {}", quoted(input_names[i])));
      given.emplace_back(input_names[i], inputs[i]->tensor);
    }
    std::vector<std::string> names;
    for (size_t i = 0; output_names && i < output_count; ++i) {
      SHIPWAY_RETURN_IF_ERROR(c::require(output_names[i], "a name").with_context("output {}", i));
      names.emplace_back(output_names[i]);
    }
    if (!output_names && output_count != session->outputs.size())
      return Status::invalid_argument("there are places for {} outputs, but the model has {}",
                                      output_count, session->outputs.size());
    if (output_count == 0) return Status::ok();
    const shipway_run_options defaults = SHIPWAY_RUN_OPTIONS_INIT;
    SHIPWAY_ASSIGN_OR_RETURN(const shipway_run_options settings,
                             c::read_struct(options, defaults, "shipway_run_options"));
    RunOptions run;
    run.timeout = settings.timeout;
    run.cancelled = settings.cancelled;
    SHIPWAY_ASSIGN_OR_RETURN(std::vector<RuntimeValue> results,
                             session->session->run(given, names, run));
    std::vector<std::unique_ptr<shipway_tensor>> made;
    for (size_t i = 0; i < results.size(); ++i) {
      Tensor* tensor = results[i].tensor();
      if (!tensor)
        return Status::unsupported("output {} is {}, which has no form in C",
                                   quoted(output_names ? names[i] : session->outputs[i].name),
                                   to_string(results[i]));
      made.push_back(std::make_unique<shipway_tensor>(shipway_tensor{std::move(*tensor)}));
    }
    for (size_t i = 0; i < made.size(); ++i) outputs[i] = made[i].release();
    return Status::ok();
  });
}
