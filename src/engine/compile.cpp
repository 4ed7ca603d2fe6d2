#include "shipway/compile.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "engine/compile.h"
#include "engine/plan.h"
#include "graph/builder.h"
#include "graph/inline_functions.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "operators/body.h"
#include "operators/infer.h"
#include "operators/upgrade.h"
#include "shipway/optimizer.h"

namespace shipway {
namespace {

/// Smaller tensors are written out in the text, where they can be read.
constexpr int64_t kSmallestStored = 64;

Status fix_shapes(Model& model, std::span<const std::pair<std::string, Shape>> shapes) {
  std::map<int32_t, int64_t> symbols;  // by Dim::id
  for (const auto& given : shapes) {
    const std::string& name = given.first;
    const Shape& shape = given.second;
    const auto inputs = model.graph().inputs();
    const auto found = std::find_if(inputs.begin(), inputs.end(),
                                    [&](ValueId id) { return model.value(id).name() == name; });
    if (found == inputs.end())
      return Status::invalid_argument("the model has no input {}", quoted(name));
    const Type& type = model.value(*found).type();
    const auto refuse = [&] {
      return Status::invalid_argument("input {} is {}, it cannot have the shape {}", quoted(name),
                                      to_string(type, model.dims()), to_string(shape));
    };
    if (!type.is_tensor()) return refuse();
    Dims dims;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      dims.push_back(shape[axis]);
      if (!type.dims()) continue;
      if (type.dims()->size() != shape.size()) return refuse();
      const Dim declared = (*type.dims())[axis];
      if (declared.is_constant() && declared.value() != shape[axis]) return refuse();
      if (!model.dims().is_symbol(declared)) continue;
      if (symbols.try_emplace(declared.id(), shape[axis]).first->second != shape[axis])
        return refuse();
    }
    if (type.dims() && type.dims()->size() != shape.size()) return refuse();
    ModelBuilder(model).set_type(*found, Type::tensor(type.dtype(), std::move(dims)));
  }
  for (ValueId id : model.graph().inputs()) {  // a size of that name in another input is the same
    const Type type = model.value(id).type();
    if (!type.is_tensor() || !type.dims()) continue;
    Dims dims;
    for (Dim dim : *type.dims())
      dims.push_back(model.dims().substitute(dim, [&](Dim symbol) -> std::optional<Dim> {
        const auto found = symbols.find(symbol.id());
        return found == symbols.end() ? std::nullopt : std::optional(Dim(found->second));
      }));
    ModelBuilder(model).set_type(id, type.with_dims(std::move(dims)));
  }
  return Status::ok();
}

/// Numbers for the tensors that do not go into the text; those that share memory have one number.
class TensorNumbers {
 public:
  std::optional<int64_t> number_of(const Tensor& tensor) {
    if (!tensor.is_defined() || tensor.dtype() == DType::kString || !tensor.is_contiguous() ||
        tensor.byte_size() < kSmallestStored)
      return std::nullopt;
    const auto [entry, is_new] = numbers_.try_emplace(
        {tensor.storage().get(), tensor.byte_offset(), tensor.byte_size()}, tensors_.size());
    if (is_new) tensors_.push_back(tensor);
    return static_cast<int64_t>(entry->second);
  }
  const std::vector<Tensor>& tensors() const { return tensors_; }

 private:
  std::map<std::tuple<const Storage*, size_t, int64_t>, size_t> numbers_;
  std::vector<Tensor> tensors_;
};

Result<Model> parse_model(std::string_view text, decltype(ParseOptions::stored) stored) {
  ParseOptions options;
  options.max_generated_bytes = 0;  // nothing is generated here
  options.stored = std::move(stored);
  SHIPWAY_ASSIGN_OR_RETURN(Model model, parse(text, options));
  SHIPWAY_RETURN_IF_ERROR(verify(model));
  return model;
}

Result<PlanContents> plan_contents(Model model, const CompileOptions& options) {
  PlanContents contents;
  contents.isa = active_isa();
  if (!options.isa.empty()) {
    const std::optional<Isa> isa = isa_from_string(options.isa);
    if (!isa || *isa == Isa::kScalar)
      return Status::invalid_argument("{} is no instruction set to compile for: sse4, avx2, avx512",
                                      quoted(options.isa));
    contents.isa = *isa;
  }
  if (contents.isa == Isa::kScalar)
    return Status::unsupported(
        "the reference loops (SHIPWAY_ISA=scalar) have no plan: name another instruction set");
  const Registry& registry = options.registry ? *options.registry : Registry::built_in();
  SHIPWAY_RETURN_IF_ERROR(fix_shapes(model, options.shapes));
  SHIPWAY_RETURN_IF_ERROR(prepare_model(model, registry, {.level = options.level}));
  SHIPWAY_RETURN_IF_ERROR(infer_shapes(model, registry, {.graph_wins = true}));

  TensorNumbers numbers;
  std::vector<int> plain_uses;  // by number
  PrintOptions print_options;
  print_options.annotations = false;
  print_options.store = [&](const Tensor& tensor) {
    const std::optional<int64_t> number = numbers.number_of(tensor);
    plain_uses.resize(numbers.tensors().size());
    if (number) ++plain_uses[static_cast<size_t>(*number)];
    return number;
  };
  contents.text = print(model, print_options);
  // Lowered from the text, as the reader will: what it asks for is what the file has.
  SHIPWAY_ASSIGN_OR_RETURN(
      Model copy, parse_model(contents.text, [&](int64_t number, DType dtype, const Shape& shape) {
        const Tensor& tensor = numbers.tensors()[static_cast<size_t>(number)];
        return Tensor::from_storage(dtype, shape, tensor.storage(), tensor.byte_offset());
      }));
  SHIPWAY_RETURN_IF_ERROR(infer_shapes(copy, registry, {.graph_wins = true}));
  WeightStore weights;
  SHIPWAY_ASSIGN_OR_RETURN(const LoweredModel lowered,
                           lower(copy, registry, weights, {contents.isa}));

  // A tensor stands in the file as it is unless all values that have it are read packed only.
  std::set<int32_t> released;
  for (const auto& [id, tensor] : lowered.released)
    if (released.insert(id.index).second)
      if (const auto number = numbers.number_of(*copy.constant_tensor(id)))
        --plain_uses[static_cast<size_t>(*number)];
  for (size_t i = 0; i < plain_uses.size(); ++i) {
    StoredTensor stored{numbers.tensors()[i], false, weights.forms_of(numbers.tensors()[i])};
    stored.is_only_packed =
        plain_uses[i] == 0 &&
        std::any_of(stored.forms.begin(), stored.forms.end(),
                    [](const auto& form) { return kernels::is_unpackable(form->recipe); });
    contents.tensors.push_back(std::move(stored));
  }
  contents.joined = weights.joined();
  return contents;
}

}  // namespace

Status prepare_model(Model& model, const Registry& registry, const SessionOptions& options) {
  SHIPWAY_RETURN_IF_ERROR(verify(model));  // a file may hold any graph, cycles too
  SHIPWAY_RETURN_IF_ERROR(upgrade(model, registry));
  SHIPWAY_RETURN_IF_ERROR(inline_functions(model));
  if (options.reference) return Status::ok();
  SHIPWAY_RETURN_IF_ERROR(expand_bodies(model, registry));
  if (options.level == 0) return Status::ok();
  OptimizeOptions optimize_options;
  optimize_options.level = options.level;
  optimize_options.registry = &registry;
  return optimize(model, optimize_options).status();
}

Result<Model> parse_plan(const PlanFile& file) {
  return parse_model(file.text(), [&](int64_t number, DType dtype, const Shape& shape) {
    return file.tensor(number, dtype, shape);
  });
}

Status compile(Model model, const std::string& path, const CompileOptions& options) {
  try {
    SHIPWAY_ASSIGN_OR_RETURN(const PlanContents contents, plan_contents(std::move(model), options));
    return write_plan_file(path, contents);
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory left to compile the model");
  } catch (const Error& error) {
    return error.status();
  }
}

}  // namespace shipway
