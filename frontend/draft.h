// All tensors of one elaboration, in the order of their making. Inputs may be declared at any time;
// graphs are cut out of a draft by the outputs wanted, so dead code never reaches them.
#pragma once
#include <map>
#include <span>

#include "frontend/value.h"
#include "ir/graph.h"

namespace gradc {

/// What the elements of a tensor depend on, a set of bits.
enum DependsOn : uint8_t {
  kOnNothing = 0,
  kOnData = 1,     // a Data input
  kOnTrained = 2,  // a Parameter, Slot or State
  kOnRandom = 4,   // a draw
  kOnStep = 8,
  kOnRound = 16,  // an element or a carry of an open scan
};

struct DraftInput {
  InputKind kind;
  std::string name;
  int64_t limit = 0;
  TensorId id{};
};
struct DraftNode {
  OpKind kind;
  std::vector<TensorId> operands;
  std::vector<TensorId> results;
  Attrs attrs;
  OriginRef origin;
  bool of_rows = false;  // a constant computed from the number of rows
};
struct DraftOutput {
  OutputKind kind;
  std::string name;
  TensorId value;
};
/// Inputs to be replaced by other tensors (initial values), each older than its input.
using Replacements = std::map<TensorId, TensorId>;

/// An input of a scan's body and what it stands for outside.
struct RoundInput {
  TensorId outer;
  TensorId inner;
};
/// A scan whose body is being recorded.
struct OpenScan {
  int64_t length = 0;
  bool reverse = false;
  size_t first_node = 0;
  std::vector<RoundInput> carries;
  std::vector<RoundInput> sequences;
};

class DraftGraph {
 public:
  /// More nodes are E0801.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  static constexpr size_t kMaxNodes = 1'000;
#else
  static constexpr size_t kMaxNodes = 1'000'000;
#endif
  /// A higher rank is E0409.
  static constexpr int64_t kMaxRank = 32;

  TensorId input(InputKind kind, std::string name, Type type);
  /// Appends a node with the current origin; throws what the op's shape rule throws.
  std::vector<TensorId> add_node(OpKind kind, std::vector<TensorId> operands, Attrs attrs = {});
  TensorId add(OpKind kind, std::vector<TensorId> operands, Attrs attrs = {});
  void set_origin(OriginRef origin) { origin_ = std::move(origin); }
  const OriginRef& origin() const { return origin_; }

  // Scans (draft_scan.cpp).

  /// What is added from here to end_scan and depends on the round becomes the body; everything else
  /// stays in front of the loop.
  void begin_scan(int64_t length, bool reverse);
  /// What the innermost body sees of a value that goes from round to round.
  TensorId add_carry(TensorId initial);
  /// The element that a round of the open scan `level` (0: the outermost) sees of a tensor, whose
  /// axis 0 has as many elements as the scan has rounds.
  TensorId add_sequence(size_t level, TensorId stacked);
  /// `outputs`: the new carries, in the order of add_carry, then what is collected. The last
  /// carries and the collected values, stacked on axis 0. Throws Error (E0612).
  std::vector<TensorId> end_scan(std::span<const TensorId> outputs);
  /// The scans around what is added now, outermost first. Whoever opens a scan may cut them off
  /// where an error leaves it.
  std::vector<OpenScan>& open_scans() { return open_scans_; }

  const Type& type(TensorId id) const { return tensors_[index(id)].type; }
  uint8_t depends_on(TensorId id) const { return tensors_[index(id)].depends_on; }
  /// The axis that runs along the rows of the data, where known; -1: none.
  int64_t row_axis(TensorId id) const { return tensors_[index(id)].row_axis; }
  bool is_per_row(TensorId id) const { return depends_on(id) & (kOnData | kOnRandom); }
  /// Null for an input.
  const DraftNode* node(TensorId id) const;
  DraftNode& mutable_node(TensorId id);
  /// Null for a node.
  DraftInput* find_input(TensorId id);
  const std::vector<DraftInput>& inputs() const { return inputs_; }
  /// Is one of the inputs that the value is computed from Data or the Step?
  bool needs_step(TensorId value, const Replacements& replace) const;
  size_t tensor_count() const { return tensors_.size(); }

  /// The graph that computes `outputs`, with exactly the inputs it reads: data, parameters,
  /// states, slots, step, seed, accumulators, each kind in declaration order.
  Graph extract(std::string name, GraphMode mode, int64_t rows,
                std::span<const DraftOutput> outputs, const Replacements& replace = {}) const;

 private:
  struct TensorInfo {
    Type type;
    int32_t node;   // -1: an input
    int32_t input;  // -1: a result of a node
    uint8_t depends_on;
    int64_t row_axis;
  };
  int64_t result_row_axis(OpKind kind, const std::vector<TensorId>& operands, const Attrs& attrs,
                          const Type& result, size_t position) const;
  int64_t dot_row_axis(const std::vector<TensorId>& operands, const Attrs& attrs) const;
  struct RoundMarks;
  RoundMarks mark_round(const OpenScan& scan, std::span<const TensorId> outputs) const;
  TensorId add_round_input(Type type, TensorId source, int64_t row_axis);
  std::vector<bool> reached(std::span<const DraftOutput> outputs,
                            const Replacements& replace) const;

  std::vector<TensorInfo> tensors_;
  std::vector<DraftInput> inputs_;
  std::vector<DraftNode> nodes_;
  std::vector<OpenScan> open_scans_;
  OriginRef origin_;
};

}  // namespace gradc
