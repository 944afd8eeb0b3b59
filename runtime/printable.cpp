// Escapes what a terminal might act on.
#include "runtime/printable.h"

#include <fmt/format.h>

namespace gradc {

std::string printable(std::string_view text) {
  constexpr size_t kMostBytes = 80;
  std::string result;
  for (char character : text.substr(0, kMostBytes)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7F)
      result += character;
    else
      result += fmt::format("\\x{:02x}", byte);
  }
  if (text.size() > kMostBytes) result += "...";
  return result;
}

}  // namespace gradc
