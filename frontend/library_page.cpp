// Formats the documentation of the standard library.
#include "frontend/library_page.h"

#include <fmt/format.h>

#include "frontend/builtins.h"
#include "frontend/file_scope.h"

namespace gradc {

namespace {

/// The `#` comment at the start of a file, as one paragraph.
std::string introduction(const Source& source) {
  std::string text;
  for (int64_t number = 1; number <= source.line_count(); ++number) {
    const std::string_view line = source.line(number);
    if (!line.starts_with("# ")) break;
    text += (text.empty() ? "" : "\n") + std::string(line.substr(2));
  }
  return text;
}

std::string_view text_of(Span span) { return span.text(); }

std::string parameter_text(const ast::Parameter& parameter) {
  std::string text = parameter.name.text;
  if (parameter.type) text += fmt::format(": {}", text_of(parameter.type->span));
  if (parameter.default_value) text += fmt::format(" = {}", text_of(parameter.default_value->span));
  return text;
}

std::string signature(std::string_view word, const ast::Name& name, const ast::Callable& callable) {
  std::string text = fmt::format("{} {}(", word, name.text);
  for (size_t i = 0; i < callable.parameters.size(); ++i)
    text += (i > 0 ? ", " : "") + parameter_text(callable.parameters[i]);
  text += ")";
  if (callable.result) text += fmt::format(" -> {}", text_of(callable.result->span));
  return text;
}

void add_definition(std::string& page, const ast::Item& item, const ast::Name& name,
                    std::string_view word, const ast::Callable& callable) {
  page += fmt::format("### `{}`\n\n```grad\n{}\n```\n\n{}\n\n", name.text,
                      signature(word, name, callable), item.doc);
  bool has_list = false;
  for (const ast::Parameter& parameter : callable.parameters) {
    if (parameter.doc.empty()) continue;
    page += fmt::format("- `{}`: {}\n", parameter.name.text, parameter.doc);
    has_list = true;
  }
  if (has_list) page += "\n";
}

void add_item(std::string& page, const ast::Item& item) {
  const ast::Name* name = ast::defined_name(item);
  if (!name || name->text.starts_with("_")) return;
  if (const auto* function = item.as<ast::Function>()) {
    const bool is_layer = function->callable.kind == ast::CallableKind::Layer;
    add_definition(page, item, *name, is_layer ? "layer" : "fn", function->callable);
  } else if (const auto* optimizer = item.as<ast::Optimizer>()) {
    add_definition(page, item, *name, "optimizer", optimizer->callable);
  }
}

}  // namespace

std::string library_page() {
  std::string page =
      "# The standard library\n\n"
      "Written by the program from the `##` comments of `frontend/std`; change them there.\n\n";
  for (const auto& file : library_files()) {
    std::string title = file->source->name();
    title = title.substr(title.find('/') + 1);
    title = title.substr(0, title.find('.'));
    title[0] = static_cast<char>(std::toupper(title[0]));
    page += fmt::format("## {}\n\n{}\n\n", title, introduction(*file->source));
    for (const ast::Item& item : file->items) add_item(page, item);
  }
  page +=
      "## Built-in names\n\nThese are not text: the compiler knows them.\n\n| name | value |\n"
      "| --- | --- |\n";
  for (const BuiltinSignature& signature : builtin_signatures())
    page += fmt::format("| `{}` | {} |\n", signature_text(signature), signature.doc);
  return page;
}

}  // namespace gradc
