// The table of what oneDNN computes.
#include "runtime/library_calls.h"
#include "runtime/onednn_conv.h"
#include "runtime/onednn_matmul.h"

const gradc::LibraryCalls onednn_calls_of_gradc = {
    [](const gradc::MatmulStep& step) -> std::unique_ptr<gradc::LibraryCall> {
      return std::make_unique<gradc::OnednnMatmul>(step);
    },
    [](const gradc::ConvStep& step) -> std::unique_ptr<gradc::LibraryCall> {
      return std::make_unique<gradc::OnednnConv>(step);
    },
};
