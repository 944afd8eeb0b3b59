// Registers instances, parameters and states by path.
#include "frontend/ownership.h"

namespace gradc {

Instance* Ownership::add_instance(Instance instance) {
  instances_.push_back(std::make_unique<Instance>(std::move(instance)));
  Instance* added = instances_.back().get();
  instance_by_path_.emplace(added->path, added);
  return added;
}

Owned* Ownership::add_owned(Owned owned) {
  owned_.push_back(std::make_unique<Owned>(std::move(owned)));
  Owned* added = owned_.back().get();
  owned_by_path_.emplace(added->path, added);
  return added;
}

Instance* Ownership::find_instance(const std::string& path) const {
  const auto found = instance_by_path_.find(path);
  return found == instance_by_path_.end() ? nullptr : found->second;
}

Owned* Ownership::find_owned(const std::string& path) const {
  const auto found = owned_by_path_.find(path);
  return found == owned_by_path_.end() ? nullptr : found->second;
}

std::vector<std::string> Ownership::owned_paths() const {
  std::vector<std::string> paths;
  for (const auto& owned : owned_) paths.push_back(owned->path);
  return paths;
}

std::string join_path(const std::string& path, const std::string& segment) {
  if (path.empty()) return segment;
  if (segment.empty()) return path;
  return path + "." + segment;
}

uint64_t stream_of_draw(const std::string& path, int64_t number, int64_t application) {
  // FNV-1a; the application is left out while it is 1, so that sharing an instance does not change
  // the draws of its first application.
  std::string key = fmt::format("{}#{}", path, number);
  if (application > 1) key += fmt::format("@{}", application);
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace gradc
