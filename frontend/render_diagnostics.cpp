// Diagnostics as people read them: place, message, the line with a caret range, notes, help.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/diagnostics.h"
#include "frontend/unicode.h"

namespace gradc {
namespace {

constexpr size_t kMaxFrames = 8;
constexpr std::string_view kTab = "    ";

struct Palette {
  std::string_view error, warning, bold, dim, help, reset;
};
constexpr Palette kColored = {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1m",
                              "\x1b[2m",    "\x1b[32m",   "\x1b[0m"};
constexpr Palette kPlain = {"", "", "", "", "", ""};

/// A character as shown: no control characters, no invisible change of direction.
std::string shown_character(std::string_view text, size_t offset) {
  if (text[offset] == '\t') return std::string(kTab);
  const size_t size = character_size(text, offset);
  const char32_t value = code_point(text, offset);
  if (size == 1 && value >= 0x80) return "\xEF\xBF\xBD";
  const bool is_control = value < 0x20 || (value >= 0x7F && value < 0xA0);
  const bool turns = (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
  return is_control || turns ? "?" : std::string(text.substr(offset, size));
}

size_t step_back(std::string_view text, size_t offset, int characters) {
  for (; characters > 0 && offset > 0; --characters) {
    --offset;
    while (offset > 0 && (static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80) --offset;
  }
  return offset;
}

size_t step_forward(std::string_view text, size_t offset, int characters) {
  for (; characters > 0 && offset < text.size(); --characters)
    offset += character_size(text, offset);
  return std::min(offset, text.size());
}

struct Excerpt {
  std::string line;
  std::string carets;
};

/// The part of `line` around its bytes [begin, end), with carets below them.
Excerpt excerpt(std::string_view line, size_t begin, size_t end, int max_width) {
  size_t first = 0;
  size_t last = line.size();
  if (count_code_points(line.substr(0, static_cast<size_t>(max_width) * 4 + 1)) > max_width) {
    first = step_back(line, begin, max_width * 2 / 3);
    last = step_forward(line, first, max_width);
  }
  Excerpt shown;
  if (first > 0) {
    shown.line = "…";
    shown.carets = " ";
  }
  bool has_caret = false;
  for (size_t at = first; at < last; at += character_size(line, at)) {
    const std::string character = shown_character(line, at);
    const bool is_marked = (at >= begin && at < end) || (at == begin && end <= begin);
    const size_t width = line[at] == '\t' ? kTab.size() : 1;
    shown.line += character;
    shown.carets.append(width, is_marked ? '^' : ' ');
    has_caret = has_caret || is_marked;
  }
  if (!has_caret) shown.carets += '^';
  if (last < line.size()) shown.line += "…";
  shown.carets.erase(shown.carets.find_last_not_of(' ') + 1);
  return shown;
}

std::string source_lines(const Span& span, const Palette& palette, int max_width) {
  const Position at = span.position();
  const uint32_t start = span.source->line_start(at.line);
  const std::string_view line = span.source->line(at.line);
  const size_t begin = std::min<size_t>(span.begin - start, line.size());
  const size_t end = std::min<size_t>(std::max(span.end, span.begin) - start, line.size());
  const Excerpt shown = excerpt(line, begin, end, max_width);
  const std::string number = std::to_string(at.line);
  return fmt::format("{}{} |{} {}\n{}{} |{} {}{}{}\n", palette.dim, number, palette.reset,
                     shown.line, palette.dim, std::string(number.size(), ' '), palette.reset,
                     palette.error, shown.carets, palette.reset);
}

std::string with_place(const DiagnosticNote& note) {
  const size_t hole = note.text.find("{}");
  if (hole != std::string::npos && note.span.is_somewhere())
    return note.text.substr(0, hole) + note.span.place() + note.text.substr(hole + 2);
  if (!note.span.is_somewhere()) return note.text;
  return fmt::format("{} ({})", note.text, note.span.place());
}

/// Frames of the call chain; equal ones in a row are shown once with their number.
std::string chain_lines(const std::vector<DiagnosticNote>& chain) {
  std::string lines;
  size_t shown = 0;
  for (size_t i = 0; i < chain.size() && shown < kMaxFrames; ++shown) {
    size_t end = i + 1;
    while (end < chain.size() && chain[end].text == chain[i].text &&
           chain[end].span == chain[i].span)
      ++end;
    lines += "  " + with_place(chain[i]);
    if (end - i > 1) lines += fmt::format(", {} times", end - i);
    lines += '\n';
    i = end;
    if (shown + 1 == kMaxFrames && i < chain.size())
      lines += fmt::format("  and {} more calls\n", chain.size() - i);
  }
  return lines;
}

std::string counted(int count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const RenderOptions& options) {
  const Palette& palette = options.color ? kColored : kPlain;
  const bool is_error = diagnostic.severity == Severity::Error;
  std::string text =
      fmt::format("{}{}", is_error ? palette.error : palette.warning, name(diagnostic.severity));
  if (!diagnostic.code.empty()) text += fmt::format("[{}]", diagnostic.code);
  text += palette.reset;
  if (diagnostic.span.is_somewhere()) text += " " + diagnostic.span.place();
  text += fmt::format(": {}{}{}\n", palette.bold, diagnostic.message, palette.reset);
  if (diagnostic.span.is_somewhere())
    text += source_lines(diagnostic.span, palette, options.max_width);
  for (const DiagnosticNote& note : diagnostic.notes) text += "  " + with_place(note) + "\n";
  text += chain_lines(diagnostic.chain);
  if (!diagnostic.help.empty())
    text += fmt::format("  {}help:{} {}\n", palette.help, palette.reset, diagnostic.help);
  return text;
}

std::string render(const Diagnostics& diagnostics, const RenderOptions& options) {
  std::string text;
  for (const Diagnostic* diagnostic : diagnostics.sorted())
    text += render(*diagnostic, options) + "\n";
  std::string counts;
  if (diagnostics.error_count() > 0) counts = counted(diagnostics.error_count(), "error");
  if (diagnostics.is_full()) counts = "at least " + counts;
  if (diagnostics.warning_count() > 0)
    counts += (counts.empty() ? "" : ", ") + counted(diagnostics.warning_count(), "warning");
  return counts.empty() ? text : text + counts + "\n";
}

}  // namespace gradc
