// A text that is read, and places in it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gradc {

/// Line and column count from 1; columns count UTF-8 code points.
struct Position {
  int64_t line = 1;
  int64_t column = 1;
};

/// A named text. Always owned by shared pointers: whoever keeps a Span beyond the life of the
/// syntax tree keeps the text alive with `span.source->shared_from_this()`.
class Source : public std::enable_shared_from_this<Source> {
 public:
  /// `is_library`: a file of the standard library, whose frames are not blamed.
  static std::shared_ptr<const Source> make(std::string name, std::string text,
                                            bool is_library = false);

  /// What messages show: "m.grad", "std/layers.grad", "<stdin>", "--set".
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  bool is_library() const { return is_library_; }

  /// The place of byte `offset`; an offset behind the end is the end. O(log lines + line length).
  Position position(uint32_t offset) const;
  /// The text of a line (from 1) without its line end.
  std::string_view line(int64_t number) const;
  int64_t line_count() const { return static_cast<int64_t>(line_starts_.size()); }
  /// The byte at which a line (from 1) starts.
  uint32_t line_start(int64_t number) const;

 private:
  Source(std::string name, std::string text, bool is_library);

  std::string name_;
  std::string text_;
  std::vector<uint32_t> line_starts_;
  bool is_library_ = false;
};

using SourcePtr = std::shared_ptr<const Source>;

/// The bytes [begin, end) of a source. No source: nowhere (a flag, a built-in definition).
struct Span {
  const Source* source = nullptr;
  uint32_t begin = 0;
  uint32_t end = 0;

  bool is_somewhere() const { return source != nullptr; }
  /// The bytes themselves; empty if nowhere.
  std::string_view text() const;
  Position position() const { return source ? source->position(begin) : Position{}; }
  /// "m.grad:3:21"; empty if nowhere.
  std::string place() const;
  friend bool operator==(const Span&, const Span&) = default;
};

/// From the start of `first` to the end of `last`, which is not before it.
inline Span join(const Span& first, const Span& last) {
  return {first.source, first.begin, last.end};
}

}  // namespace gradc
