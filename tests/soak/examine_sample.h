// A graph through every pass alone, passes in random order and the whole pipeline, with compiled
// code, against the reference interpreter.
#pragma once
#include "passes/roundings.h"
#include "tests/soak/compiled_graphs.h"
#include "tests/soak/random_sample.h"

namespace gradc::testing {

/// What went wrong: `where` names the stage ("pass cse", "compiled, fused").
struct Fault {
  std::string where;
  std::string what;
};

/// How much is tried with one graph.
enum class Thoroughness : uint8_t {
  Light,  // the pipeline, compiled; all else in turn
  Quick,  // passes alone by the interpreter; compiled: fused, and one other way in turn
  Full,   // compiled in every way
};

/// The examination of one sample, in two steps so that the code of many is made at once.
class Examination {
 public:
  explicit Examination(Sample sample, Thoroughness thoroughness);

  /// Passes and text forms; adds what is to be compiled. Faults are kept, nothing is thrown.
  void prepare(CompiledGraphs& compiled);
  /// After CompiledGraphs::compile.
  void run(const CompiledGraphs& compiled);

  const Sample& sample() const { return sample_; }
  const std::vector<Fault>& faults() const { return faults_; }

 private:
  struct Variant {
    std::string name;
    size_t program;
    int threads;
    bool same_bits_as_first;
  };

  template <typename Action>
  void guarded(const std::string& where, Action action);
  void check_text(const Graph& graph, const std::string& where);
  void check_outputs(const std::string& where, std::span<const Tensor> outputs,
                     Allowance allowance);
  void check_each_pass();
  Graph shuffled(RandomSource& random);
  void add_variants(CompiledGraphs& compiled);
  void add_variant(CompiledGraphs& compiled, const std::string& name, const Graph& fused,
                   Backend backend, int threads, bool same_bits_as_first);

  Sample sample_;
  Thoroughness thoroughness_;
  Graph differentiated_;
  std::optional<AllowedOutputs> allowed_, same_but_zeros_;
  std::vector<Variant> variants_;
  std::vector<Fault> faults_;
};

/// Everything about one sample by itself.
std::vector<Fault> examine(const Sample& sample, Thoroughness thoroughness);

}  // namespace gradc::testing
