// The origin of the nodes that are made while an expression of a user's file is evaluated.
#pragma once
#include "frontend/elaborator.h"

namespace gradc {

/// While it lives, new nodes come from `span`, if that is in a user's file: nodes of the library
/// blame the call of the library.
class Elaborator::Site {
 public:
  Site(Elaborator& elaborator, Span span)
      : draft_(elaborator.draft_), previous_(elaborator.draft_.origin()) {
    if (!span.is_somewhere() || span.source->is_library()) return;
    const Position position = span.position();
    draft_.set_origin(std::make_shared<const Origin>(
        Origin{span.source->name(), static_cast<int32_t>(position.line),
               static_cast<int32_t>(position.column), elaborator.role_}));
  }
  ~Site() { draft_.set_origin(std::move(previous_)); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

 private:
  DraftGraph& draft_;
  OriginRef previous_;
};

/// Sets a variable for the length of a scope.
template <typename T>
class Restored {
 public:
  Restored(T& variable, T value) : variable_(variable), previous_(std::move(variable)) {
    variable_ = std::move(value);
  }
  ~Restored() { variable_ = std::move(previous_); }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  T& variable_;
  T previous_;
};

/// Removes the names of a block at its end.
class BlockNames {
 public:
  explicit BlockNames(Frame& frame) : frame_(frame), count_(frame.variables.size()) {}
  ~BlockNames() {
    while (frame_.variables.size() > count_) frame_.variables.pop_back();
  }
  BlockNames(const BlockNames&) = delete;
  BlockNames& operator=(const BlockNames&) = delete;

 private:
  Frame& frame_;
  size_t count_;
};

}  // namespace gradc
