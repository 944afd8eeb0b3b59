// A program before its memory is placed: storages instead of addresses, blocks in no final order.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// Memory of one value and of its views. Becomes the program's buffer of the same position.
struct Storage {
  std::string name;
  int64_t bytes = 0;
  Place place = Place::Arena;
  int64_t offset = 0;  // Input, Output: the position; Constant: bytes; Arena: set by the plan
};

/// The steps of one node, in order, with nothing in between. Buffers are positions of storages.
struct StepBlock {
  std::string name;
  std::string backend;  // "llvm", "onednn", "own", "copy"
  std::string reason;   // why it is one block and in this backend
  int32_t node = -1;    // position in the graph; -1 where there is none
  std::vector<Step> steps;
  std::vector<int32_t> reads;
  std::vector<int32_t> writes;
  std::vector<int32_t> scratch;
  /// (read, written) storages that may be one memory.
  std::vector<std::pair<int32_t, int32_t>> in_place;
};

/// "Before" runs earlier than "after".
struct OrderEdge {
  int32_t before;
  int32_t after;
};

struct Draft {
  std::vector<Storage> storages;
  std::vector<StepBlock> blocks;
  std::vector<int32_t> value_storage;  // by value of the graph
  std::vector<OrderEdge> extra_order;  // beyond what reads and writes say

  int32_t add_storage(Storage storage) {
    storages.push_back(std::move(storage));
    return static_cast<int32_t>(storages.size()) - 1;
  }
  Storage& storage(int32_t position) { return storages[static_cast<size_t>(position)]; }
  const Storage& storage(int32_t position) const { return storages[static_cast<size_t>(position)]; }
};

/// Gives every output of the graph its memory: the program's outputs. The new value of a state is
/// written into the memory of the old one by the block that makes it where that is legal: all other
/// readers of the old value can run before, and the block itself reads it in place or not at all.
/// Else, and for outputs that are inputs, constants or other outputs, a copying block is added.
std::vector<ProgramOutput> place_outputs(const Graph& graph, Draft& draft);

/// An order of the blocks that respects reads, writes and extra_order: the smallest position that
/// is ready comes first.
std::vector<int32_t> order_blocks(const Draft& draft);

/// Sets the offsets of the arena storages for blocks that run in `order`, and the arena's size in
/// `program`. Returns the readable plan, one line per storage, and in `alive` the bytes of the
/// arena that are alive at each block.
std::string place_arena(Draft& draft, const std::vector<int32_t>& order, Program& program,
                        std::vector<int64_t>& alive);

/// Bytes of the storages that a block reads and writes.
int64_t bytes_of(const Draft& draft, const StepBlock& block);
StepFacts facts_of(const Draft& draft, const StepBlock& block, const Step& step);

/// One line for each step in `order`: backend, work, bytes, storages, reason.
std::string describe_program(const Draft& draft, const std::vector<int32_t>& order,
                             const Program& program);

/// Bytes for people: "640 B", "1.5 KiB", "2.3 MiB".
std::string readable_bytes(int64_t bytes);

}  // namespace gradc
