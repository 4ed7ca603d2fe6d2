#include "operators/declare_shapes.h"

#include "graph/builder.h"
#include "graph/inline_functions.h"
#include "operators/upgrade.h"

namespace shipway {

Result<Model> with_inferred_shapes(const Model& model, const Registry& registry,
                                   const InferOptions& options) {
  Model newest = model;
  SHIPWAY_RETURN_IF_ERROR(upgrade(newest, registry));
  if (!newest.functions().empty()) {  // what calls give is known from the bodies
    Model inlined = newest;
    const Status status = inline_functions(inlined);
    if (!status.is_ok() && options.strict) return status;
    if (status.is_ok()) newest = std::move(inlined);
  }
  SHIPWAY_RETURN_IF_ERROR(infer_shapes(newest, registry, options));
  Model result = model;
  result.dims() = newest.dims();
  ModelBuilder builder(result);
  for (size_t i = 0; i < result.value_count(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!result.value(id).is_removed()) builder.set_type(id, newest.value(id).type());
  }
  return result;
}

}  // namespace shipway
