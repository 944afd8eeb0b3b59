// The names bound inside a definition while it is checked: blocks in blocks.
#include "frontend/local_scopes.h"

namespace gradc {

bool is_updatable(LocalKind kind) {
  return kind == LocalKind::Var || kind == LocalKind::State || kind == LocalKind::Slot ||
         kind == LocalKind::Carry || kind == LocalKind::OptimizedValue;
}

std::vector<Local> LocalScopes::close() {
  std::vector<Local> closed;
  while (locals_.size() > starts_.back()) {
    Local& last = locals_.back();
    const auto entry = by_name_.find(last.name);
    entry->second.pop_back();
    if (entry->second.empty()) by_name_.erase(entry);
    closed.push_back(std::move(last));
    locals_.pop_back();
  }
  starts_.pop_back();
  return closed;
}

Local* LocalScopes::find(const std::string& name) {
  const auto entry = by_name_.find(name);
  return entry == by_name_.end() ? nullptr : &locals_[entry->second.back()];
}

void LocalScopes::add(Local local) {
  by_name_[local.name].push_back(locals_.size());
  locals_.push_back(std::move(local));
}

std::vector<std::string> LocalScopes::names() const {
  std::vector<std::string> all;
  for (const auto& [name, indices] : by_name_) all.push_back(name);
  return all;
}

}  // namespace gradc
