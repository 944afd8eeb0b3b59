// Walks the statements for stores.
#include "codegen/guard_stores.h"

#include <algorithm>

#include "runtime/program.h"

namespace gradc {

static_assert(kGuardBytes == loop::kGuardElements * int64_t{sizeof(int32_t)});

namespace {

using namespace loop;

class Guarding {
 public:
  Guarding(Kernel& kernel, std::span<const GuardedBuffer> guarded)
      : kernel_(kernel), by_buffer_(kernel.buffers.size()) {
    const auto guard = static_cast<int32_t>(kernel.buffers.size());
    int32_t pointer = 0;
    for (size_t i = 0; i < kernel.buffers.size(); ++i) {
      if (kernel.buffers[i].is_local) continue;
      for (const GuardedBuffer& buffer : guarded)
        if (buffer.pointer == pointer) by_buffer_[i] = Guard{guard, buffer.admits_infinity};
      ++pointer;
    }
  }

  bool run() {
    visit(kernel_.body);
    if (found_) kernel_.buffers.push_back({"guard", DType::I32, kGuardElements, true});
    return found_;
  }

 private:
  void visit(std::vector<Stmt>& body) {
    for (Stmt& stmt : body) {
      if (auto* loop = std::get_if<For>(&stmt)) visit(loop->body);
      auto* store = std::get_if<Store>(&stmt);
      if (store == nullptr) continue;
      store->guard = by_buffer_[static_cast<size_t>(store->access.buffer)];
      found_ = found_ || store->guard.has_value();
    }
  }

  Kernel& kernel_;
  std::vector<std::optional<Guard>> by_buffer_;
  bool found_ = false;
};

}  // namespace

bool guard_stores(Kernel& kernel, std::span<const GuardedBuffer> guarded) {
  return !guarded.empty() && Guarding(kernel, guarded).run();
}

}  // namespace gradc
