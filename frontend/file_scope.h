// The files of a model: the root, what it imports, and the library; and the names each can see.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frontend/ast.h"
#include "frontend/diagnostics.h"

namespace gradc {

class FileScope;

/// A definition and the file whose names its body sees.
struct Definition {
  const ast::Item* item = nullptr;
  const FileScope* home = nullptr;
};

/// One file and its names: definitions and imports, then the library.
class FileScope {
 public:
  FileScope(std::shared_ptr<const ast::File> file, const FileScope* library);

  const ast::File& file() const { return *file_; }
  const std::shared_ptr<const ast::File>& shared_file() const { return file_; }
  bool is_library() const { return library_ == nullptr; }
  /// In this file, its imports or the library; null item where unknown.
  Definition find(const std::string& name) const;
  /// Only what this file defines or imports.
  Definition find_own(const std::string& name) const;
  Definition find_in_library(const std::string& name) const;
  void add(const std::string& name, Definition definition) { names_[name] = definition; }
  const std::map<std::string, Definition>& own_names() const { return names_; }

 private:
  std::shared_ptr<const ast::File> file_;
  const FileScope* library_;  // null: this is the library
  std::map<std::string, Definition> names_;
};

/// All files that a model needs, read, parsed and name-checked.
class ModelFiles {
 public:
  /// Errors are reported; reading goes on as far as it can. Throws Error (InputOutput) where the
  /// root cannot be read.
  static ModelFiles read(const std::string& path, Diagnostics& diagnostics);
  static ModelFiles read_text(const std::string& name, std::string text, Diagnostics& diagnostics);

  const FileScope& root() const { return *scopes_.back(); }

 private:
  const FileScope* load(const std::shared_ptr<const Source>& source, Diagnostics& diagnostics);
  void load_import(const ast::Import& import, FileScope& scope, Diagnostics& diagnostics);
  const FileScope* load_path(const std::string& path, const ast::Import& import,
                             Diagnostics& diagnostics);

  std::vector<std::unique_ptr<FileScope>> scopes_;   // finished files; the root is the last
  int depth_ = 0;                                    // of files that import files
  std::map<std::string, const FileScope*> by_path_;  // null while being read
};

/// The library: one scope over all files of frontend/std, read once.
const FileScope& library_scope();
/// The files of the library in order.
const std::vector<std::shared_ptr<const ast::File>>& library_files();

/// The text of a file of at most kMaxFileBytes + 1 bytes ("-": stdin). Throws Error (InputOutput).
std::string read_text_file(const std::string& path);

}  // namespace gradc
