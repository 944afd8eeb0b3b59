// A training step as the frontend elaborates it, for tests that need a whole model.
#pragma once
#include "ir/builder.h"

namespace gradc {

/// One RMSprop step of 784-hidden-10 with relu, softmax and cross-entropy on u8 images; the update
/// of every parameter and slot, the loss and the accuracy are outputs.
Graph mlp_step(int64_t rows, int64_t hidden);

}  // namespace gradc
