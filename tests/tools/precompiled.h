// As tests/precompiled.h, with JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "../precompiled.h"
