// Who owns which parameter and state: instances of layers and their paths (section "Instances,
// sharing and paths" of docs/language.md).
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/value.h"
#include "ir/graph.h"

namespace gradc {

/// One application of a layer by its caller, or the model itself (path "").
struct Instance {
  std::string path;
  std::string layer;
  Instance* parent = nullptr;
  Span where;              // the call that made it
  Span latest;             // the latest call: of a shared instance another one
  std::string input_type;  // of the first application, for messages
  int applications = 0;
  int parent_application = 0;  // during which application of `parent` it was last applied
  int64_t draws = 0;           // of the running application
  int64_t multiply_adds = 0;
  std::string output;  // the type of the first result
  std::string shape;   // the same for tables: "(None, 10)"
  bool is_shared = false;
};

/// A parameter or state with its path.
struct Owned {
  std::string path;
  InputKind kind = InputKind::Parameter;  // or State
  Type type;
  TensorId input{};
  TensorId initial{};
  TensorId current{};  // of a state: the latest assignment
  Instance* owner = nullptr;
  Span where;
  int application = 0;  // of `owner`, that declared it last
};

/// All instances, parameters and states of one elaboration, in the order of their declaration.
class Ownership {
 public:
  Instance* add_instance(Instance instance);
  Owned* add_owned(Owned owned);
  Instance* find_instance(const std::string& path) const;
  Owned* find_owned(const std::string& path) const;

  const std::vector<std::unique_ptr<Instance>>& instances() const { return instances_; }
  const std::vector<std::unique_ptr<Owned>>& owned() const { return owned_; }
  std::vector<std::string> owned_paths() const;

 private:
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::unique_ptr<Owned>> owned_;
  std::unordered_map<std::string, Instance*> instance_by_path_;
  std::unordered_map<std::string, Owned*> owned_by_path_;
};

/// "a" and "b.c" make "a.b.c"; an empty side gives the other.
std::string join_path(const std::string& path, const std::string& segment);

/// The stream of a draw: a 64-bit hash of the path it belongs to, its number there, and the number
/// of the application of a shared instance (from 1).
uint64_t stream_of_draw(const std::string& path, int64_t number, int64_t application);

}  // namespace gradc
