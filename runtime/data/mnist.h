// A folder in the layout of the MNIST archive.
#pragma once
#include <string>

#include "runtime/data/dataset.h"

namespace gradc {

/// Whether `folder` has any of the four files train-images-idx3-ubyte, train-labels-idx1-ubyte,
/// t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; also spelled `.idx3-ubyte`, also with `.gz`.
bool is_mnist_folder(const std::string& folder);

/// Fields `image` u8[rows, height, width] and `label` u8[rows], in the order of the files; no test
/// data where both t10k files are missing. Throws Error: InputOutput, E0911 where a file is missing
/// or cannot be read; ModelOrData, E0912 to E0915 where the data is not of that form.
DataSplit load_mnist(const std::string& folder);
/// From the files' headers alone; throws as load_mnist does for faults that show there.
DataDescription describe_mnist(const std::string& folder);

}  // namespace gradc
