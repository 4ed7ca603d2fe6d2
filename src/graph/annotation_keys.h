// Keys of Annotation::other that more than one layer knows.
#pragma once

#include <string_view>

namespace shipway {

/// Of a graph: what defines a name that the graph already had, one sentence fragment a line, in the
/// file's order: "'x': node 'b' (Relu), after graph input". Each such definition is a Value of its
/// own with the same name; later uses mean the latest. Readers load such graphs so that they can be
/// looked at; the checker reports them.
inline constexpr std::string_view kDuplicateDefinitions = "duplicate definitions";

/// Of a node: its domain as the file wrote it, where that is another way to say Node::domain()
/// ("ai.onnx" for "").
inline constexpr std::string_view kWrittenDomain = "written domain";

}  // namespace shipway
