#include "base/mapped_file.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/terminal.h"
#include "operators/infer.h"
#include "operators/registry.h"
#include "shipway/formats.h"
#include "shipway/viewer.h"

namespace shipway::cli {

Status view(const ViewArguments& arguments) {
  if (!arguments.output.ends_with(".svg"))
    return Status::invalid_argument("--export {}: only .svg can be written yet",
                                    quoted(arguments.output));
  SHIPWAY_ASSIGN_OR_RETURN(const Model model, load_model(arguments.model));
  SHIPWAY_ASSIGN_OR_RETURN(const std::string svg, draw_svg(model));
  SHIPWAY_RETURN_IF_ERROR(write_file_atomically(arguments.output, std::as_bytes(std::span(svg))));
  print_line(arguments.output + " written");
  return Status::ok();
}

}  // namespace shipway::cli
