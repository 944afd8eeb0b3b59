// As runtime/core/precompiled.h, with JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "../core/precompiled.h"
