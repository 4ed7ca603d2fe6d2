#include "operators/class_loss.h"

#include "base/text.h"
#include "operators/loops.h"

namespace shipway {
namespace {

Status check_reduction(const AttributeReader& attributes) {
  const std::string& reduction = attributes.string_attribute("reduction");
  if (reduction == "none" || reduction == "sum" || reduction == "mean") return Status::ok();
  return Status::invalid_model("attribute 'reduction' is {}, expected 'none', 'sum' or 'mean'",
                               quoted(reduction));
}

}  // namespace

Status infer_class_loss(InferContext& context) {
  SHIPWAY_RETURN_IF_ERROR(check_reduction(context));
  const DType dtype = context.input_dtype(0);
  if (const Dims* x = context.input_dims(0); x && x->size() < 2)
    return Status::invalid_model("input 0 has rank {}, expected [batch, classes, ...]", x->size());
  if (context.string_attribute("reduction") != "none")
    context.set_output(0, dtype, {});
  else if (const Dims* classes = context.input_dims(1))
    context.set_output(0, dtype, *classes);
  else
    context.set_output_dtype(0, dtype);
  return Status::ok();
}

Status evaluate_class_loss(EvaluateContext& context, const std::vector<double>& log_probabilities) {
  SHIPWAY_RETURN_IF_ERROR(check_reduction(context));
  const Tensor &x = context.input(0), &target = context.input(1);
  if (x.rank() < 2)
    return Status::invalid_argument("input 0 has shape {}, expected [batch, classes, ...]",
                                    to_string(x.shape()));
  Shape expected;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != 1) expected.push_back(x.dim(static_cast<size_t>(i)));
  if (target.shape() != expected)
    return Status::invalid_argument("input 1 has shape {}, expected {} for input 0 of {}",
                                    to_string(target.shape()), to_string(expected),
                                    to_string(x.shape()));
  const int64_t classes = x.dim(1);
  const int64_t inner = Lines::along(x.shape(), 1).inner;
  std::vector<double> weights(static_cast<size_t>(classes), 1.0);
  if (context.has_input(2)) {
    if (context.input(2).shape() != Shape{classes})
      return Status::invalid_argument("input 2 (the weights) has shape {}, expected {}",
                                      to_string(context.input(2).shape()), classes);
    SHIPWAY_ASSIGN_OR_RETURN(weights, to_doubles(context.input(2)));
  }
  const bool ignores = context.has_attribute("ignore_index");
  const int64_t ignored = context.int_attribute("ignore_index");
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> labels, to_ints(target));
  std::vector<double> losses(labels.size(), 0.0);
  double sum = 0, weight_sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const int64_t label = labels[i];
    if (ignores && label == ignored) continue;
    if (label < 0 || label >= classes)
      return Status::invalid_argument("input 1 has the class {}, expected 0 to {}", label,
                                      classes - 1);
    const auto position = static_cast<int64_t>(i);
    const double weight = weights[static_cast<size_t>(label)];
    const int64_t from = (position / inner * classes + label) * inner + position % inner;
    losses[i] = -log_probabilities[static_cast<size_t>(from)] * weight;
    sum += losses[i];
    weight_sum += weight;
  }
  const std::string& reduction = context.string_attribute("reduction");
  if (reduction == "none") return write_output(context, 0, x.dtype(), target.shape(), losses);
  return write_output(context, 0, x.dtype(), {},
                      std::vector<double>{reduction == "sum" ? sum : sum / weight_sum});
}

}  // namespace shipway
