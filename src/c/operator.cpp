// A user's own operator: the struct of callbacks becomes an Operator whose functions call them.
#include "operators/operator.h"

#include <bit>
#include <utility>

#include "base/text.h"
#include "c/handles.h"

using namespace shipway;

/// What callbacks say wrong by themselves (an attribute that is not declared) is kept in `problem`
/// and fails the call afterwards, so that asking stays one expression in C.
struct shipway_node {
  const AttributeReader* reader;
  mutable Status problem;
  mutable std::deque<shipway_tensor> tensors;  // those handed out; a deque keeps their addresses
};

struct shipway_infer {
  InferContext* context;
  Status problem;
  std::deque<shipway_tensor> constants;
};

struct shipway_evaluate {
  EvaluateContext* context;
  std::vector<bool> made;  // by output
  std::deque<shipway_tensor> tensors;
};

namespace {

/// What an Operator's user_data points to.
struct Callbacks {
  shipway_operator definition{};
  bool added = false;  // else the context stays the caller's
  ~Callbacks() {
    if (added && definition.release) definition.release(definition.context);
  }
};

/// Calls one callback. It is C, but may be written in C++: what it throws must not pass through
/// plans and threads.
template <typename Callback, typename Call>
Status call_back(Callback callback, void* context, const AttributeReader& reader, Call& call) {
  const shipway_node node{&reader, {}, {}};
  Status status;
  try {
    status = c::take_status(callback(context, &node, &call));
  } catch (const std::exception& error) {
    status = Status::internal("the operator's callback threw: {}", error.what());
  } catch (...) {
    status = Status::internal("the operator's callback threw an exception");
  }
  return node.problem.is_ok() ? status : node.problem;
}

Status infer_by_callback(InferContext& context) {
  const auto& callbacks = *static_cast<const Callbacks*>(context.op().user_data);
  shipway_infer call{&context, {}, {}};
  SHIPWAY_RETURN_IF_ERROR(
      call_back(callbacks.definition.infer, callbacks.definition.context, context, call));
  return call.problem;
}

Status evaluate_by_callback(EvaluateContext& context) {
  const auto& callbacks = *static_cast<const Callbacks*>(context.op().user_data);
  shipway_evaluate call{&context, std::vector<bool>(context.output_count()), {}};
  SHIPWAY_RETURN_IF_ERROR(
      call_back(callbacks.definition.evaluate, callbacks.definition.context, context, call));
  for (size_t i = 0; i < call.made.size(); ++i)
    if (!call.made[i] && context.has_output(i))
      return Status::internal("the operator's evaluate made no output '{}'",
                              context.schema().output(i)->name);
  return Status::ok();
}

/// The attribute's declaration, if `name` is declared with this kind; else the node remembers the
/// mistake.
bool is_declared(const shipway_node* node, const char* name, AttributeKind kind) {
  const std::string_view wanted = c::text_or_empty(name);
  const AttributeSchema* declared = node->reader->schema().attribute(wanted);
  if (declared && declared->type == kind) return true;
  if (node->problem.is_ok())
    node->problem = Status::internal(
        "the operator's callback asks for attribute {} as {}, but its schema declares {}",
        quoted(wanted), to_string(kind), declared ? to_string(declared->type) : "none");
  return false;
}

/// An output must be of a dtype that the schema declares, the same as that of inputs under the same
/// letter.
Status check_output_dtype(const EvaluateContext& context, size_t output, DType dtype) {
  const FormalParameter& declared = *context.schema().output(output);
  std::string expected = declared.type_name;
  bool fits = declared.types.contains(TypeSet::Kind::kTensor, dtype);
  for (size_t i = 0; i < context.input_count(); ++i) {
    const FormalParameter* input = context.schema().input(i);
    if (!input || input->type_name != declared.type_name || !context.input(i).is_defined())
      continue;
    fits = fits && dtype == context.input(i).dtype();
    expected = to_string(context.input(i).dtype());
  }
  if (fits) return Status::ok();
  return Status::internal("the operator's evaluate makes output '{}' of {}, expected {}",
                          declared.name, to_string(dtype), expected);
}

const char* give(const std::string& text, size_t* size) {
  if (size) *size = text.size();
  return text.c_str();
}

template <typename T>
const T* give(std::span<const T> values, size_t* count) {
  if (count) *count = values.size();
  return values.data();
}

Dim to_dim(shipway_dim dim) { return std::bit_cast<Dim>(dim.bits); }
shipway_dim from_dim(Dim dim) { return {std::bit_cast<int64_t>(dim)}; }

/// A Dim of the caller's: an expression must be one of this model's table.
Dim checked_dim(shipway_infer* call, shipway_dim given) {
  const Dim dim = to_dim(given);
  const bool foreign =
      dim.is_expression() && static_cast<size_t>(dim.id()) >= call->context->dims().size();
  if (!foreign) return dim;
  if (call->problem.is_ok())
    call->problem = Status::internal("the operator's infer uses a size of another model");
  return Dim::unknown();
}

shipway_dim compute(shipway_infer* call, Dim (DimTable::*operation)(Dim, Dim), shipway_dim a,
                    shipway_dim b) {
  return from_dim((call->context->dims().*operation)(checked_dim(call, a), checked_dim(call, b)));
}

}  // namespace

// ----------------------------------------------------------------------------------------------
// registry

shipway_error* shipway_registry_create(shipway_registry** registry) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(registry, "registry"));
    *registry = nullptr;
    *registry = new shipway_registry{std::make_shared<c::SharedRegistry>()};
    return Status::ok();
  });
}

void shipway_registry_free(shipway_registry* registry) { delete registry; }

shipway_error* shipway_registry_add(shipway_registry* registry,
                                    const shipway_operator* definition) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(registry, "registry"));
    SHIPWAY_RETURN_IF_ERROR(c::require(definition, "definition"));
    const shipway_operator defaults = SHIPWAY_OPERATOR_INIT;
    const auto callbacks = std::make_shared<Callbacks>();
    SHIPWAY_ASSIGN_OR_RETURN(callbacks->definition,
                             c::read_struct(definition, defaults, "shipway_operator"));
    const shipway_operator& given = callbacks->definition;
    const std::string name(c::text_or_empty(given.name));
    if (registry->shared->in_use)
      return Status::invalid_argument(
          "operator {} comes too late: a session was already created with this registry",
          quoted(name));
    if (given.version < 1)
      return Status::invalid_argument("operator {} has version {}, expected at least 1",
                                      quoted(name), given.version);
    Operator op;
    op.domain = c::text_or_empty(given.domain);
    op.name = name;
    op.summary = c::text_or_empty(given.summary);
    op.versions = VersionList({VersionSpec{.since = given.version,
                                           .signature = c::text_or_empty(given.signature),
                                           .types = c::text_or_empty(given.types),
                                           .attributes = c::text_or_empty(given.attributes)}});
    if (given.infer) op.infer = infer_by_callback;
    if (given.evaluate) op.evaluate = evaluate_by_callback;
    if (given.is_random) op.accuracy = Accuracy::random();
    op.user_data = callbacks.get();
    op.user_owner = callbacks;
    SHIPWAY_RETURN_IF_ERROR(registry->shared->operators.add(std::move(op)));
    // The texts are the caller's and may go now.
    callbacks->definition.domain = callbacks->definition.name = callbacks->definition.summary =
        callbacks->definition.signature = callbacks->definition.types =
            callbacks->definition.attributes = nullptr;
    callbacks->added = true;
    return Status::ok();
  });
}

// ----------------------------------------------------------------------------------------------
// node

const char* shipway_node_name(const shipway_node* node) {
  return node->reader->node().name().c_str();
}
bool shipway_node_has_attribute(const shipway_node* node, const char* name) {
  return node->reader->has_attribute(c::text_or_empty(name));
}
int64_t shipway_node_int(const shipway_node* node, const char* name) {
  return is_declared(node, name, AttributeKind::kInt) ? node->reader->int_attribute(name) : 0;
}
float shipway_node_float(const shipway_node* node, const char* name) {
  return is_declared(node, name, AttributeKind::kFloat) ? node->reader->float_attribute(name) : 0;
}
const char* shipway_node_string(const shipway_node* node, const char* name, size_t* size) {
  if (is_declared(node, name, AttributeKind::kString))
    return give(node->reader->string_attribute(name), size);
  if (size) *size = 0;
  return "";
}
const int64_t* shipway_node_ints(const shipway_node* node, const char* name, size_t* count) {
  return give(is_declared(node, name, AttributeKind::kInts) ? node->reader->ints_attribute(name)
                                                            : std::span<const int64_t>(),
              count);
}
const float* shipway_node_floats(const shipway_node* node, const char* name, size_t* count) {
  return give(is_declared(node, name, AttributeKind::kFloats) ? node->reader->floats_attribute(name)
                                                              : std::span<const float>(),
              count);
}
size_t shipway_node_strings(const shipway_node* node, const char* name) {
  return is_declared(node, name, AttributeKind::kStrings)
             ? node->reader->strings_attribute(name).size()
             : 0;
}
const char* shipway_node_strings_at(const shipway_node* node, const char* name, size_t index,
                                    size_t* size) {
  if (size) *size = 0;
  if (index >= shipway_node_strings(node, name)) return nullptr;
  return give(node->reader->strings_attribute(name)[index], size);
}
const shipway_tensor* shipway_node_tensor(const shipway_node* node, const char* name) {
  const Tensor* tensor = is_declared(node, name, AttributeKind::kTensor)
                             ? node->reader->tensor_attribute(name)
                             : nullptr;
  return tensor ? &node->tensors.emplace_back(shipway_tensor{*tensor}) : nullptr;
}

// ----------------------------------------------------------------------------------------------
// infer

shipway_dim shipway_dim_of(int64_t size) { return from_dim(Dim(size)); }
shipway_dim shipway_dim_unknown() { return from_dim(Dim::unknown()); }
bool shipway_dim_value(shipway_dim dim, int64_t* value) {
  const Dim d = to_dim(dim);
  if (d.is_constant()) *value = d.value();
  return d.is_constant();
}
shipway_dim shipway_dim_add(shipway_infer* call, shipway_dim a, shipway_dim b) {
  return compute(call, &DimTable::add, a, b);
}
shipway_dim shipway_dim_sub(shipway_infer* call, shipway_dim a, shipway_dim b) {
  return compute(call, &DimTable::sub, a, b);
}
shipway_dim shipway_dim_mul(shipway_infer* call, shipway_dim a, shipway_dim b) {
  return compute(call, &DimTable::mul, a, b);
}
shipway_dim shipway_dim_floordiv(shipway_infer* call, shipway_dim a, shipway_dim b) {
  return compute(call, &DimTable::floordiv, a, b);
}
shipway_dim shipway_dim_ceildiv(shipway_infer* call, shipway_dim a, shipway_dim b) {
  return compute(call, &DimTable::ceildiv, a, b);
}
shipway_dim shipway_dim_min(shipway_infer* call, shipway_dim a, shipway_dim b) {
  return compute(call, &DimTable::min, a, b);
}
shipway_dim shipway_dim_max(shipway_infer* call, shipway_dim a, shipway_dim b) {
  return compute(call, &DimTable::max, a, b);
}

size_t shipway_infer_input_count(const shipway_infer* call) { return call->context->input_count(); }
bool shipway_infer_has_input(const shipway_infer* call, size_t input) {
  return call->context->has_input(input);
}
shipway_dtype shipway_infer_input_dtype(const shipway_infer* call, size_t input) {
  return static_cast<shipway_dtype>(call->context->input_dtype(input));
}
int64_t shipway_infer_input_rank(const shipway_infer* call, size_t input) {
  const Dims* dims = call->context->input_dims(input);
  return dims ? static_cast<int64_t>(dims->size()) : -1;
}
shipway_dim shipway_infer_input_dim(const shipway_infer* call, size_t input, size_t axis) {
  const Dims* dims = call->context->input_dims(input);
  return from_dim(dims && axis < dims->size() ? (*dims)[axis] : Dim::unknown());
}

bool shipway_infer_input_ints(const shipway_infer* call, size_t input, int64_t* values,
                              size_t capacity, size_t* count) {
  if (count) *count = 0;
  const auto ints = call->context->input_ints(input);
  if (!ints) return false;
  std::copy_n(ints->begin(), std::min(capacity, ints->size()), values);
  if (count) *count = ints->size();
  return true;
}

const shipway_tensor* shipway_infer_input_constant(shipway_infer* call, size_t input) {
  const Tensor* constant = call->context->input_constant(input);
  return constant ? &call->constants.emplace_back(shipway_tensor{*constant}) : nullptr;
}

bool shipway_infer_has_output(const shipway_infer* call, size_t output) {
  return call->context->has_output(output);
}

void shipway_infer_set_output(shipway_infer* call, size_t output, shipway_dtype dtype,
                              const shipway_dim* dims, size_t rank) {
  const Status status = [&]() -> Status {
    if (output >= call->context->output_count()) return Status::ok();  // one that nobody asked for
    SHIPWAY_ASSIGN_OR_RETURN(const DType type, c::read_dtype(dtype));
    if (rank > 0) SHIPWAY_RETURN_IF_ERROR(c::require(dims, "dims"));
    Dims sizes;
    for (size_t axis = 0; axis < rank; ++axis) {
      const Dim dim = checked_dim(call, dims[axis]);
      if (dim.is_constant() && dim.value() < 0)
        return Status::invalid_model("output {} would have the size {}", output, dim.value());
      sizes.push_back(dim);
    }
    call->context->set_output(output, type, std::move(sizes));
    return Status::ok();
  }();
  if (call->problem.is_ok()) call->problem = status;
}

void shipway_infer_set_output_dtype(shipway_infer* call, size_t output, shipway_dtype dtype) {
  const Result<DType> type = c::read_dtype(dtype);
  if (type.is_ok())
    call->context->set_output_dtype(output, *type);
  else if (call->problem.is_ok())
    call->problem = type.status();
}

// ----------------------------------------------------------------------------------------------
// evaluate

size_t shipway_evaluate_input_count(const shipway_evaluate* call) {
  return call->context->input_count();
}

const shipway_tensor* shipway_evaluate_input(shipway_evaluate* call, size_t input) {
  const Tensor& tensor = call->context->input(input);
  if (!tensor.is_defined()) return nullptr;
  return &call->tensors.emplace_back(shipway_tensor{tensor});
}

bool shipway_evaluate_has_output(const shipway_evaluate* call, size_t output) {
  return call->context->has_output(output);
}

shipway_error* shipway_evaluate_output(shipway_evaluate* call, size_t output, shipway_dtype dtype,
                                       const int64_t* shape, size_t rank, shipway_tensor** tensor) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(tensor, "tensor"));
    *tensor = nullptr;
    if (output >= call->context->output_count())
      return Status::internal("the operator makes output {} of a node that has {}", output,
                              call->context->output_count());
    SHIPWAY_ASSIGN_OR_RETURN(const DType type, c::read_dtype(dtype));
    SHIPWAY_RETURN_IF_ERROR(check_output_dtype(*call->context, output, type));
    SHIPWAY_ASSIGN_OR_RETURN(const Shape sizes, c::read_shape(shape, rank));
    SHIPWAY_ASSIGN_OR_RETURN(Tensor made, call->context->allocate_output(output, type, sizes));
    *tensor = &call->tensors.emplace_back(shipway_tensor{std::move(made)});
    call->made[output] = true;
    return Status::ok();
  });
}

shipway_error* shipway_evaluate_poll(const shipway_evaluate* call) {
  return c::guarded([&] { return call->context->poll(); });
}
