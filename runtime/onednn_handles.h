// Owners of oneDNN's handles and its one device; for the files onednn*.cpp only.
#pragma once
#include <oneapi/dnnl/dnnl.h>

#include "runtime/core/error.h"

namespace gradc::onednn {

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

/// One engine and stream for the process; never destroyed, as oneDNN may already be gone at exit.
struct Device {
  dnnl_engine_t engine = nullptr;
  dnnl_stream_t stream = nullptr;
};
inline const Device& device() {
  static const Device created = [] {
    Device made;
    CHECK(dnnl_engine_create(&made.engine, dnnl_cpu, 0) == dnnl_success, "no oneDNN engine");
    CHECK(dnnl_stream_create(&made.stream, made.engine, dnnl_stream_default_flags) == dnnl_success,
          "no oneDNN stream");
    return made;
  }();
  return created;
}

/// Nothing where there is no memory object.
inline void set_address(const Memory& memory, void* address) {
  if (memory.get() == nullptr) return;
  CHECK(dnnl_memory_set_data_handle(memory.get(), address) == dnnl_success, "binding memory");
}

}  // namespace gradc::onednn
