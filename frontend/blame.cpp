// Faults: where they are shown, and how evaluation is limited.
#include "frontend/elaborator.h"

namespace gradc {

namespace {

bool is_library(Span span) { return !span.is_somewhere() || span.source->is_library(); }

// Appends a frame; equal frames in a row are counted instead.
void add_frame(Diagnostic& diagnostic, std::vector<int>& counts, std::string text, Span span) {
  if (!diagnostic.chain.empty() && diagnostic.chain.back().span == span) {
    ++counts.back();
    return;
  }
  diagnostic.chain.push_back({std::move(text), span});
  counts.push_back(1);
}

}  // namespace

// The innermost place in a user's file is the place of the fault; the frames are listed behind it.
Diagnostic Elaborator::blame(Diagnostic diagnostic) const {
  std::vector<int> counts;
  const Frame* frame = frame_;
  bool is_placed = !is_library(diagnostic.span);
  if (!is_placed && diagnostic.span.is_somewhere() && frame)
    add_frame(diagnostic, counts, fmt::format("in `{}` of the library", frame->name),
              diagnostic.span);
  for (; frame; frame = frame->caller) {
    if (!frame->call.is_somewhere()) continue;
    if (!is_placed && !is_library(frame->call)) {
      diagnostic.span = frame->call;
      is_placed = true;
    } else if (frame->call != diagnostic.span) {
      add_frame(diagnostic, counts, fmt::format("in `{}`, called here", frame->name), frame->call);
    }
  }
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 1) diagnostic.chain[i].text += fmt::format(", {} times", counts[i]);
  return diagnostic;
}

void Elaborator::fail(Diagnostic diagnostic) {
  throw DiagnosticError{blame(std::move(diagnostic))};
}

void Elaborator::fail(std::string code, Span span, std::string message) {
  fail(error(std::move(code), span, std::move(message)));
}

void Elaborator::warn(Diagnostic diagnostic) { diagnostics_.report(blame(std::move(diagnostic))); }

void Elaborator::check_nesting(Span span) {
  if (nesting_ > ElaborationSetup::kMaxNesting)
    fail("E0803", span,
         fmt::format("expressions, blocks and calls are nested more than {} deep",
                     ElaborationSetup::kMaxNesting));
}

void Elaborator::count_step(Span span) { count_elements(1, span); }

void Elaborator::count_elements(int64_t count, Span span) {
  steps_ += count;
  if (steps_ > ElaborationSetup::kMaxSteps)
    fail("E0801", span,
         fmt::format("the model needs more than {} evaluation steps", ElaborationSetup::kMaxSteps));
}

}  // namespace gradc
