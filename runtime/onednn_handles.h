// Owners of oneDNN's handles and its one device; for the files onednn*.cpp only.
#pragma once
#include <oneapi/dnnl/dnnl.h>

#include <memory>
#include <new>

#include "runtime/core/error.h"

namespace gradc::onednn {

/// The library says that memory ran out as a status.
inline void check_memory(dnnl_status_t status) {
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
}

/// Owns one handle of the C interface.
template <typename T, dnnl_status_t (*Destroy)(T)>
class Handle {
 public:
  Handle() = default;
  ~Handle() {
    if (value_ != nullptr) Destroy(value_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  T get() const { return value_; }
  T* out() { return &value_; }

 private:
  T value_ = nullptr;
};
using Engine = Handle<dnnl_engine_t, dnnl_engine_destroy>;
using Stream = Handle<dnnl_stream_t, dnnl_stream_destroy>;
using Memory = Handle<dnnl_memory_t, dnnl_memory_destroy>;
using Primitive = Handle<dnnl_primitive_t, dnnl_primitive_destroy>;
using PrimitiveDesc = Handle<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy>;
using PostOps = Handle<dnnl_post_ops_t, dnnl_post_ops_destroy>;
using PrimitiveAttr = Handle<dnnl_primitive_attr_t, dnnl_primitive_attr_destroy>;

/// One engine for the process; never destroyed, as oneDNN may already be gone at exit.
inline dnnl_engine_t engine() {
  static const dnnl_engine_t created = [] {
    dnnl_engine_t made = nullptr;
    const dnnl_status_t status = dnnl_engine_create(&made, dnnl_cpu, 0);
    check_memory(status);
    CHECK(status == dnnl_success, "no oneDNN engine");
    return made;
  }();
  return created;
}

/// A stream for each thread that calls: streams may not be shared. It goes with the thread.
inline dnnl_stream_t stream() {
  thread_local const auto created = [] {
    auto made = std::make_unique<Stream>();
    const dnnl_status_t status =
        dnnl_stream_create(made->out(), engine(), dnnl_stream_default_flags);
    check_memory(status);
    CHECK(status == dnnl_success, "no oneDNN stream");
    return made;
  }();
  return created->get();
}

inline void create_memory(Memory& memory, const dnnl_memory_desc_t& layout) {
  const dnnl_status_t status =
      dnnl_memory_create(memory.out(), &layout, engine(), DNNL_MEMORY_NONE);
  check_memory(status);
  CHECK(status == dnnl_success, "no oneDNN memory object");
}

/// Nothing where there is no memory object.
inline void set_address(const Memory& memory, void* address) {
  if (memory.get() == nullptr) return;
  CHECK(dnnl_memory_set_data_handle(memory.get(), address) == dnnl_success, "binding memory");
}

}  // namespace gradc::onednn
