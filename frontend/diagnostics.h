// Errors, warnings and notes about a text: collected, sorted, counted, shown to people and tools.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "frontend/source.h"

namespace gradc {

enum class Severity : uint8_t { Error, Warning, Note };
std::string_view name(Severity severity);

/// An indented line below a message. In the text `{}` stands for the place of `span`; a text
/// without it that has a span gets the place at its end in parentheses:
/// {"u8 comes from the input `image`", span} shows "u8 comes from the input `image` (m.grad:1:9)".
struct DiagnosticNote {
  std::string text;
  Span span;
};

/// One finding. Build it with error(...) or warning(...) and the chained setters:
///   diagnostics.report(error("E0302", span, "`dense` has no parameter `actvation`")
///                          .note("it has: units").help("did you mean `activation`?"));
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string code;
  Span span;
  std::string message;
  std::vector<DiagnosticNote> notes;
  std::string help;
  /// The calls that led here, innermost first: {"in `dense`, called here", span of the call}.
  std::vector<DiagnosticNote> chain;

  Diagnostic& note(std::string text, Span where = {}) &;
  Diagnostic&& note(std::string text, Span where = {}) &&;
  Diagnostic&& with_help(std::string text) &&;
  Diagnostic&& called_from(std::string text, Span where) &&;
};

Diagnostic error(std::string code, Span span, std::string message);
Diagnostic warning(std::string code, Span span, std::string message);

/// Thrown (by value of one diagnostic) to leave an evaluation; whoever catches it reports it.
struct DiagnosticError {
  Diagnostic diagnostic;
};

/// Keeps at most kMaxErrors errors and as many warnings; equal code, place and message are kept
/// once. The texts that diagnostics point into are kept alive.
class Diagnostics {
 public:
  static constexpr int kMaxErrors = 20;

  void report(Diagnostic diagnostic);

  bool has_errors() const { return error_count_ > 0; }
  /// True when no further error would be kept: the reader may stop.
  bool is_full() const { return error_count_ >= kMaxErrors; }
  int error_count() const { return error_count_; }
  int warning_count() const { return warning_count_; }
  /// Sorted by file (in order of first report), place and severity.
  std::vector<const Diagnostic*> sorted() const;

 private:
  std::vector<Diagnostic> kept_;
  std::vector<SourcePtr> sources_;
  std::set<std::tuple<const Source*, uint32_t, std::string, std::string>> seen_;
  int error_count_ = 0;
  int warning_count_ = 0;
};

struct RenderOptions {
  bool color = false;
  /// Columns of source text shown around the caret.
  int max_width = 100;
};

/// "error[E0302] m.grad:3:21: message", the source line with a caret range below, notes, help and
/// at most eight frames of the call chain; ends with a newline.
std::string render(const Diagnostic& diagnostic, const RenderOptions& options = {});
/// All of them, an empty line between two, then "2 errors, 1 warning"; empty if there are none.
std::string render(const Diagnostics& diagnostics, const RenderOptions& options = {});
/// One JSON object a line: {"severity","code","file","line","column","end_line","end_column",
/// "message","notes":[{"text","file","line","column"}],"help","chain":[…]}.
std::string render_json(const Diagnostics& diagnostics);

/// Colour is wanted: `stream_descriptor` is a terminal and NO_COLOR is unset or empty.
bool wants_color(int stream_descriptor);

}  // namespace gradc
