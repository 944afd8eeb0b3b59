// Built-in data computed by a rule: exclusive or, fizz buzz.
#pragma once
#include "runtime/data/dataset.h"

namespace gradc {

/// Fields `point` f32[4, 2] and `target` f32[4, 1]: [0,0] 0, [0,1] 1, [1,0] 1, [1,1] 0. No test
/// data.
DataSplit make_xor();

/// Train on n = 101 to 1023 (923 rows), test on n = 1 to 100. Fields `bits` f32[rows, 10] (binary
/// digits of n, the least significant first), `label` u8[rows] (0 the number itself, 1 fizz: n a
/// multiple of 3, 2 buzz: of 5, 3 fizzbuzz: of 15), `target` f32[rows, 4] (one-hot label).
/// Source: Joel Grus, Data Science from Scratch, 2nd edition, chapter 18.
DataSplit make_fizzbuzz();

}  // namespace gradc
