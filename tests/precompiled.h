// What most tests include, compiled once. Catch comes last: its CHECK takes the place of ours.
#pragma once
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/builder.h"
#include "runtime/core/tensor.h"

#include <catch2/catch.hpp>
