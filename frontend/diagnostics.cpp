// Collecting, sorting and counting diagnostics; their JSON form.
#include "frontend/diagnostics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "runtime/core/error.h"

namespace gradc {
namespace {

using Json = nlohmann::ordered_json;

void put_place(Json& object, const Span& span) {
  if (!span.is_somewhere()) return;
  const Position begin = span.position();
  const Position end = span.source->position(std::max(span.begin, span.end));
  object["file"] = span.source->name();
  object["line"] = begin.line;
  object["column"] = begin.column;
  object["end_line"] = end.line;
  object["end_column"] = end.column;
}

Json notes_json(const std::vector<DiagnosticNote>& notes) {
  Json all = Json::array();
  for (const DiagnosticNote& note : notes) {
    Json one;
    one["text"] = note.text;
    put_place(one, note.span);
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::Error:
      return "error";
    case Severity::Warning:
      return "warning";
    case Severity::Note:
      return "note";
  }
  CHECK(false, "severity {}", static_cast<int>(severity));
  return {};
}

Diagnostic& Diagnostic::note(std::string text, Span where) & {
  notes.push_back({std::move(text), where});
  return *this;
}

Diagnostic&& Diagnostic::note(std::string text, Span where) && {
  notes.push_back({std::move(text), where});
  return std::move(*this);
}

Diagnostic&& Diagnostic::with_help(std::string text) && {
  help = std::move(text);
  return std::move(*this);
}

Diagnostic&& Diagnostic::called_from(std::string text, Span where) && {
  chain.push_back({std::move(text), where});
  return std::move(*this);
}

Diagnostic error(std::string code, Span span, std::string message) {
  Diagnostic diagnostic;
  diagnostic.code = std::move(code);
  diagnostic.span = span;
  diagnostic.message = std::move(message);
  return diagnostic;
}

Diagnostic warning(std::string code, Span span, std::string message) {
  Diagnostic diagnostic = error(std::move(code), span, std::move(message));
  diagnostic.severity = Severity::Warning;
  return diagnostic;
}

void Diagnostics::report(Diagnostic diagnostic) {
  const bool is_error = diagnostic.severity == Severity::Error;
  int& count = is_error ? error_count_ : warning_count_;
  if (count >= kMaxErrors) return;
  const auto key = std::make_tuple(diagnostic.span.source, diagnostic.span.begin, diagnostic.code,
                                   diagnostic.message);
  if (!seen_.insert(key).second) return;
  ++count;
  const auto keep_alive = [&](const Span& span) {
    const auto holds = [&](const SourcePtr& source) { return source.get() == span.source; };
    if (span.source && std::ranges::none_of(sources_, holds))
      sources_.push_back(span.source->shared_from_this());
  };
  keep_alive(diagnostic.span);
  for (const DiagnosticNote& note : diagnostic.notes) keep_alive(note.span);
  for (const DiagnosticNote& frame : diagnostic.chain) keep_alive(frame.span);
  kept_.push_back(std::move(diagnostic));
}

std::vector<const Diagnostic*> Diagnostics::sorted() const {
  std::vector<const Diagnostic*> all;
  for (const Diagnostic& diagnostic : kept_) all.push_back(&diagnostic);
  const auto rank = [&](const Diagnostic* diagnostic) {
    const auto holds = [&](const SourcePtr& source) {
      return source.get() == diagnostic->span.source;
    };
    const auto file = std::ranges::find_if(sources_, holds) - sources_.begin();
    return std::make_tuple(file, diagnostic->span.begin, diagnostic->severity);
  };
  std::ranges::stable_sort(all, {}, rank);
  return all;
}

std::string render_json(const Diagnostics& diagnostics) {
  std::string lines;
  for (const Diagnostic* diagnostic : diagnostics.sorted()) {
    Json object;
    object["severity"] = name(diagnostic->severity);
    object["code"] = diagnostic->code;
    put_place(object, diagnostic->span);
    object["message"] = diagnostic->message;
    object["notes"] = notes_json(diagnostic->notes);
    object["help"] = diagnostic->help;
    object["chain"] = notes_json(diagnostic->chain);
    lines += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return lines;
}

bool wants_color(int stream_descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  return (!no_color || *no_color == '\0') && isatty(stream_descriptor) != 0;
}

}  // namespace gradc
