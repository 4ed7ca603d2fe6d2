// The writer's parts, which call each other as the reader's do.
#pragma once

#include "formats/onnx/external_plan.h"
#include "formats/onnx/kept.h"

namespace shipway {

class OnnxWriteContext {
 public:
  OnnxWriteContext(const Model& model, const ExternalPlan& external);

  Status write_graph(MessageWriter& message, GraphId graph);
  Status write_nodes(MessageWriter& message, uint32_t number, GraphId graph);
  void write_value_infos(MessageWriter& message, uint32_t number, GraphId graph);
  Status write_attribute(MessageWriter& message, const Attribute& attribute,
                         const Annotation* kept);
  Status write_function(MessageWriter& message, size_t position);
  void write_opset_imports(MessageWriter& message, uint32_t number,
                           const std::vector<std::pair<std::string, int64_t>>& imports,
                           const Annotation* kept);

 private:
  struct ListedValue {
    int64_t position;
    ValueId value;
  };
  Status write_node(MessageWriter& message, const Node& node);
  Status write_initializers(MessageWriter& message, const Graph& graph);
  Status write_sparse(MessageWriter& message, const SparseTensor& sparse, const Annotation* kept,
                      const std::string& prefix, std::string_view name);
  Status write_attribute_value(MessageWriter& message, const Attribute& attribute,
                               const Annotation* kept);
  MessageWriter value_info(ValueId value);
  const Annotation* annotation(Entity::Kind kind, int32_t index) const {
    return model_.annotations().empty() ? nullptr : model_.annotation({kind, index, {}});
  }

  const Model& model_;
  const ExternalPlan& external_;
  DimTable dims_;  // a copy: asking what kept types mean may add symbols
  std::vector<std::vector<ListedValue>> listed_;  // by graph: values with a place in value_info
};

}  // namespace shipway
