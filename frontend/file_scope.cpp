// Reads the root file and its imports.
#include "frontend/file_scope.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "frontend/check_names.h"
#include "frontend/parse.h"
#include "frontend/standard_library.h"
#include "runtime/core/did_you_mean.h"
#include "runtime/core/error.h"

namespace gradc {

namespace {

constexpr int kMaxImportDepth = 64;

}  // namespace

FileScope::FileScope(std::shared_ptr<const ast::File> file, const FileScope* library)
    : file_(std::move(file)), library_(library) {
  if (!file_) return;
  for (const ast::Item& item : file_->items)
    if (const ast::Name* name = ast::defined_name(item))
      names_.emplace(name->text, Definition{&item, this});
}

Definition FileScope::find_own(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? Definition{} : found->second;
}

Definition FileScope::find_in_library(const std::string& name) const {
  return library_ ? library_->find_own(name) : find_own(name);
}

Definition FileScope::find(const std::string& name) const {
  const Definition own = find_own(name);
  return own.item || !library_ ? own : library_->find_own(name);
}

const std::vector<std::shared_ptr<const ast::File>>& library_files() {
  static const std::vector<std::shared_ptr<const ast::File>> files = [] {
    std::vector<std::shared_ptr<const ast::File>> parsed;
    Diagnostics diagnostics;
    for (const SourceText& text : standard_library()) {
      const auto source = Source::make(text.name, text.text, /*is_library=*/true);
      parsed.push_back(parse(source, diagnostics));
    }
    CHECK(!diagnostics.has_errors(), "the library has errors:\n{}", render(diagnostics));
    return parsed;
  }();
  return files;
}

const FileScope& library_scope() {
  static const std::unique_ptr<const FileScope> scope = [] {
    auto library = std::make_unique<FileScope>(nullptr, nullptr);
    for (const auto& file : library_files())
      for (const ast::Item& item : file->items)
        if (const ast::Name* name = ast::defined_name(item))
          library->add(name->text, Definition{&item, library.get()});
    return library;
  }();
  return *scope;
}

std::string read_text_file(const std::string& path) {
  const bool is_stdin = path == "-";
  std::error_code ignored;
  if (!is_stdin && std::filesystem::is_directory(path, ignored))
    throw Error(ExitCode::InputOutput, "E0911", fmt::format("{} is a folder", path));
  std::FILE* file = is_stdin ? stdin : std::fopen(path.c_str(), "rb");
  if (!file)
    throw Error(ExitCode::InputOutput, "E0911",
                fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::string text;
  char buffer[1 << 16];
  while (text.size() <= kMaxFileBytes) {
    const size_t count = std::fread(buffer, 1, sizeof buffer, file);
    if (count == 0) break;
    text.append(buffer, count);
  }
  const bool has_failed = std::ferror(file);
  if (!is_stdin) std::fclose(file);
  if (has_failed)
    throw Error(ExitCode::InputOutput, "E0911",
                fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return text;
}

ModelFiles ModelFiles::read(const std::string& path, Diagnostics& diagnostics) {
  return read_text(path == "-" ? "<stdin>" : path, read_text_file(path), diagnostics);
}

ModelFiles ModelFiles::read_text(const std::string& name, std::string text,
                                 Diagnostics& diagnostics) {
  ModelFiles files;
  files.by_path_[std::filesystem::path(name).lexically_normal().string()] = nullptr;
  files.load(Source::make(name, std::move(text)), diagnostics);
  return files;
}

const FileScope* ModelFiles::load(const std::shared_ptr<const Source>& source,
                                  Diagnostics& diagnostics) {
  auto scope = std::make_unique<FileScope>(parse(source, diagnostics), &library_scope());
  NameScope names;
  names.library = library_files();
  names.imports_known = true;
  for (const ast::Item& item : scope->file().items) {
    const auto* import = item.as<ast::Import>();
    if (!import) continue;
    load_import(*import, *scope, diagnostics);
    for (const ast::Name& name : import->names)
      names.imports.push_back({name.text, scope->find_own(name.text).item});
  }
  check_names(scope->file(), names, diagnostics);
  scopes_.push_back(std::move(scope));
  return scopes_.back().get();
}

void ModelFiles::load_import(const ast::Import& import, FileScope& scope,
                             Diagnostics& diagnostics) {
  const std::filesystem::path home =
      std::filesystem::path(scope.file().source->name()).parent_path();
  const std::string path = (home / import.path).lexically_normal().string();
  const FileScope* imported = load_path(path, import, diagnostics);
  if (!imported) return;
  for (const ast::Name& name : import.names) {
    const Definition found = imported->find_own(name.text);
    if (found.item && name.text[0] == '_') {
      diagnostics.report(
          error("E0234", name.span,
                fmt::format("`{}` starts with `_`: it stays in its file", name.text)));
    } else if (found.item && found.home == imported) {
      if (!scope.find_own(name.text).item) scope.add(name.text, found);
    } else {
      std::vector<std::string> candidates;
      for (const auto& [candidate, definition] : imported->own_names())
        if (definition.home == imported) candidates.push_back(candidate);
      Diagnostic unknown =
          error("E0232", name.span, fmt::format("`{}` defines no `{}`", import.path, name.text));
      if (const auto guess = did_you_mean(name.text, candidates))
        unknown.help = fmt::format("did you mean `{}`?", *guess);
      diagnostics.report(std::move(unknown));
    }
  }
}

const FileScope* ModelFiles::load_path(const std::string& path, const ast::Import& import,
                                       Diagnostics& diagnostics) {
  const auto known = by_path_.find(path);
  if (known != by_path_.end()) {
    if (!known->second)
      diagnostics.report(
          error("E0233", import.path_span, fmt::format("`{}` imports itself in a circle", path)));
    return known->second;
  }
  if (depth_ >= kMaxImportDepth) {
    diagnostics.report(error("E0235", import.path_span,
                             fmt::format("imports are nested more than {} deep", kMaxImportDepth)));
    return nullptr;
  }
  by_path_[path] = nullptr;
  ++depth_;
  try {
    const FileScope* loaded = load(Source::make(path, read_text_file(path)), diagnostics);
    by_path_[path] = loaded;
    --depth_;
    return loaded;
  } catch (const Error& failure) {
    --depth_;
    diagnostics.report(error("E0231", import.path_span, failure.what()));
    by_path_.erase(path);
    return nullptr;
  }
}

}  // namespace gradc
