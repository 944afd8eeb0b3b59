// As runtime/core/precompiled.h, with what the emitter includes of LLVM.
#pragma once
#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "../../runtime/core/precompiled.h"
