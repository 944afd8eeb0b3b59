// gradc docs: the page of the standard library, from its documentation comments.
#include <fmt/core.h>

#include "frontend/library_page.h"
#include "tools/commands.h"

namespace gradc {

Action configure_docs(Flags&) {
  return [] {
    fmt::print("{}", library_page());
    return ExitCode::Done;
  };
}

}  // namespace gradc
