// As precompiled.h of the root, with JSON.
#pragma once
#include <nlohmann/json.hpp>

#include "../precompiled.h"
