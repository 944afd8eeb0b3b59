// A text that is read, and places in it.
#include "frontend/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/unicode.h"

namespace gradc {

std::shared_ptr<const Source> Source::make(std::string name, std::string text, bool is_library) {
  return std::shared_ptr<const Source>(new Source(std::move(name), std::move(text), is_library));
}

Source::Source(std::string name, std::string text, bool is_library)
    : name_(std::move(name)), text_(std::move(text)), is_library_(is_library) {
  line_starts_.push_back(0);
  for (size_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n') line_starts_.push_back(static_cast<uint32_t>(i + 1));
}

Position Source::position(uint32_t offset) const {
  offset = std::min(offset, static_cast<uint32_t>(text_.size()));
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const uint32_t start = *(after - 1);
  const auto before = std::string_view(text_).substr(start, offset - start);
  return {after - line_starts_.begin(), count_code_points(before) + 1};
}

uint32_t Source::line_start(int64_t number) const {
  return line_starts_[static_cast<size_t>(std::clamp<int64_t>(number, 1, line_count()) - 1)];
}

std::string_view Source::line(int64_t number) const {
  const uint32_t start = line_start(number);
  const size_t end = std::min(text_.find('\n', start), text_.size());
  auto line = std::string_view(text_).substr(start, end - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view Span::text() const {
  if (!source) return {};
  const std::string_view all = source->text();
  if (begin >= all.size() || end <= begin) return {};
  return all.substr(begin, end - begin);
}

std::string Span::place() const {
  if (!source) return {};
  const Position at = source->position(begin);
  return fmt::format("{}:{}:{}", source->name(), at.line, at.column);
}

}  // namespace gradc
