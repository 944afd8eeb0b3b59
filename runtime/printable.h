// Names from files, made safe to print.
#pragma once
#include <string>
#include <string_view>

namespace gradc {

/// At most 80 bytes of `text`, then "..."; control characters and bytes that are not ASCII as \xNN.
std::string printable(std::string_view text);

}  // namespace gradc
