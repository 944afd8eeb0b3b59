// The roofline plot: arithmetic intensity and speed of each kernel below the machine's ceilings.
#pragma once
#include "tools/bench_report.h"
#include "tools/scene.h"

namespace gradc {

/// Both axes are logarithmic. A kernel is a dot whose area is its share of the step's time; those
/// without arithmetic, and those below a thousandth, are not drawn. The slowest are named.
Scene draw_roofline(const BenchResult& result);

}  // namespace gradc
