// SequenceMap: runs a subgraph on every element of a sequence.
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

/// Additional inputs that are sequences are walked alongside the first; tensors go to every call as
/// they are.
Status infer_sequence_map(InferContext& context) {
  std::vector<Type> inputs;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Type& type = context.input_type(i);
    inputs.push_back(type.kind() == TypeKind::kSequence ? type.element() : type);
  }
  auto types = context.infer_subgraph(context.graph_attribute("body"), inputs);
  if (!types.is_ok()) return types.status().with_context("attribute 'body'");
  if (types->size() != context.output_count())
    return Status::invalid_model("attribute 'body' has {} outputs, expected {}", types->size(),
                                 context.output_count());
  for (size_t i = 0; i < types->size(); ++i) {
    Type element = (*types)[i];
    if (element.dims()) {  // a size that one call made up may differ in the next
      Dims dims = *element.dims();
      for (Dim& dim : dims)
        if (dim.is_known() && context.dims().mentions_fresh(dim)) dim = Dim::unknown();
      element = element.with_dims(std::move(dims));
    }
    context.set_output(i, Type::sequence(std::move(element)));
  }
  return Status::ok();
}

Status evaluate_sequence_map(EvaluateContext& context) {
  const Sequence* first = context.input_value(0).sequence();
  if (!first)
    return Status::invalid_argument("input 0 is {}, expected a sequence",
                                    to_string(context.input_value(0)));
  std::vector<Sequence> results(context.output_count());
  for (size_t n = 0; n < first->size(); ++n) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    std::vector<RuntimeValue> inputs;
    for (size_t i = 0; i < context.input_count(); ++i) {
      const Sequence* sequence = context.input_value(i).sequence();
      if (sequence && sequence->size() != first->size())
        return Status::invalid_argument("input {} has {} elements, expected {}", i,
                                        sequence->size(), first->size());
      inputs.push_back(sequence ? (*sequence)[n] : context.input_value(i));
    }
    auto outputs = context.run_subgraph(context.graph_attribute("body"), inputs);
    if (!outputs.is_ok()) return outputs.status().with_context("element {}", n);
    if (outputs->size() != results.size())
      return Status::invalid_model("attribute 'body' has {} outputs, expected {}", outputs->size(),
                                   results.size());
    for (size_t i = 0; i < results.size(); ++i) results[i].push_back(std::move((*outputs)[i]));
  }
  for (size_t i = 0; i < results.size(); ++i) context.set_output(i, std::move(results[i]));
  return Status::ok();
}

}  // namespace

const Operator& sequence_map_operator() {
  static const Operator definition{
      .name = "SequenceMap",
      .summary = "Runs a subgraph on every element of a sequence.",
      .versions = {{.since = 17,
                    .signature =
                        "(input_sequence: S, additional_inputs...{0}~: V) -> (out_sequence...~: S)",
                    .types = "S: seq(all_ir3); V: all_ir3 seq(all_ir3)",
                    .attributes = "body: graph!"}},
      .infer = infer_sequence_map,
      .evaluate = evaluate_sequence_map,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
