// Tensors whose memory the system hands out page by page, when it is first written.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/core/tensor.h"

namespace gradc {

/// Bytes of main memory of this machine.
int64_t physical_memory_bytes();

/// A tensor of zeros. A large one costs no memory until it is written: a file that promises much
/// and holds little is found out at the price of the little. `source` names the file in messages.
/// Throws Error (InputOutput, E0802) where the machine has less memory than the tensor needs.
Tensor reserve_tensor(const Type& type, const std::string& source);

/// Throws Error (InputOutput, E0802) where `bytes` passes the main memory of this machine.
void check_fits_memory(int64_t bytes, const std::string& source);

}  // namespace gradc
