// As runtime/core/precompiled.h, with JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "../runtime/core/precompiled.h"
