// The ways from a graph to numbers that have to agree.
#include "tests/soak/examine_sample.h"

#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/fuse.h"
#include "passes/pipeline.h"
#include "passes/recompute.h"

namespace gradc::testing {
namespace {

/// The others keep every bit.
bool may_round(std::string_view pass) {
  return pass == "decompose" || pass == "split_reductions" || pass == "short_convolutions";
}

bool is_simplification(const Pass& pass) {
  return pass.name != "differentiate" && pass.name != "fuse" && pass.name != "fuse_nothing";
}

Graph run_pass(std::string_view name, const Graph& graph) {
  for (const Pass& pass : all_passes())
    if (pass.name == name) return pass.run(graph);
  CHECK(false, "no pass {}", name);
}

/// Fusion takes what decompose has been at.
Graph fused_of(const Graph& graph) { return run_pass("fuse", run_pass("decompose", graph)); }

/// A gradient by images that is computed in one loop with other ops adds in another order than one
/// that stands alone.
bool has_conv_input(const Graph& graph) {
  std::map<std::string_view, int64_t> counts;
  count_ops(graph, counts);
  return counts.contains(op_info(OpKind::ConvInput).name);
}

MemoryOutline outline_of(const Graph& graph) {
  return lower(graph, {.backend = Backend::Llvm}).memory;
}

}  // namespace

Examination::Examination(Sample sample, Thoroughness thoroughness)
    : sample_(std::move(sample)), thoroughness_(thoroughness) {}

template <typename Action>
void Examination::guarded(const std::string& where, Action action) {
  try {
    action();
  } catch (const std::exception& error) {
    faults_.push_back({where, error.what()});
  }
}

void Examination::check_text(const Graph& graph, const std::string& where) {
  const std::string text = print(Module{"sample", {}, {graph}});
  const std::string again = print(parse_module(text, "sample"));
  if (text != again) faults_.push_back({where, "text form: printed again it is\n" + again});
}

void Examination::check_outputs(const std::string& where, std::span<const Tensor> outputs,
                                Allowance allowance) {
  AllowedOutputs& allowed = allowance == Allowance::Roundings ? *allowed_ : *same_but_zeros_;
  if (std::string difference = allowed.find_difference(outputs); !difference.empty())
    faults_.push_back({where, std::move(difference)});
}

void Examination::check_each_pass() {
  for (const Pass& pass : all_passes()) {
    if (pass.name == "differentiate") continue;
    const std::string where = fmt::format("pass {}", pass.name);
    guarded(where, [&] {
      const bool needs_decompose = pass.name == "fuse" || pass.name == "fuse_nothing";
      const Graph after =
          pass.run(needs_decompose ? run_pass("decompose", differentiated_) : differentiated_);
      if (same_graph(after, differentiated_)) return;
      verify(after, where);
      if (pass.name == "fuse") check_text(after, where);
      check_outputs(
          where, interpret(after, sample_.inputs),
          may_round(pass.name) || needs_decompose ? Allowance::Roundings : Allowance::SignsOfZero);
    });
  }
}

/// Simplifications in any order, with repetitions.
Graph Examination::shuffled(RandomSource& random) {
  std::vector<const Pass*> passes;
  for (const Pass& pass : all_passes())
    if (is_simplification(pass)) passes.push_back(&pass);
  Graph graph = differentiated_;
  std::string order;
  for (int64_t count = random.between(3, 9); count > 0; --count) {
    const Pass& pass = *random.pick(passes);
    order += fmt::format(" {}", pass.name);
    guarded("passes" + order, [&] { graph = pass.run(graph); });
  }
  const std::string where = "passes" + order;
  guarded(where, [&] {
    verify(graph, where);
    check_outputs(where, interpret(graph, sample_.inputs), Allowance::Roundings);
  });
  return graph;
}

void Examination::add_variant(CompiledGraphs& compiled, const std::string& name, const Graph& fused,
                              Backend backend, int threads, bool same_bits_as_first) {
  guarded("lowering, " + name, [&] {
    variants_.push_back({name, compiled.add(fused, backend), threads, same_bits_as_first});
  });
}

void Examination::add_variants(CompiledGraphs& compiled) {
  RandomSource random(sample_.seed + 7);
  const bool is_full = thoroughness_ == Thoroughness::Full;
  const auto takes_turn = [&, turn = sample_.seed % 12](uint64_t number) {
    return is_full || turn == number;
  };
  Graph fused;
  guarded("pipeline", [&] {
    PipelineOptions options;
    options.verify = true;
    const Graph optimized = run_until(sample_.graph, Stage::Optimized, options);
    fused = run_until(optimized, Stage::Fused, options);
    check_text(fused, "pipeline");
    check_outputs("pipeline", interpret(fused, sample_.inputs), Allowance::Roundings);
    add_variant(compiled, "fused", fused, Backend::Llvm, 1, false);
    if (takes_turn(0))
      add_variant(compiled, "unfused", run_pass("fuse_nothing", optimized), Backend::Llvm, 1,
                  !has_conv_input(optimized));
    if (takes_turn(1)) add_variant(compiled, "library", fused, Backend::Auto, 1, false);
    if (takes_turn(2)) add_variant(compiled, "2 threads", fused, Backend::Llvm, 2, true);
    if (takes_turn(3)) add_variant(compiled, "split", split_groups(fused), Backend::Llvm, 1, false);
    if (takes_turn(4) || takes_turn(5)) {
      const Graph fitted = fit_memory(fused, 0, outline_of).graph;
      verify(fitted, "after fit_memory");
      add_variant(compiled, "recomputed", fitted, Backend::Llvm, 1, !has_conv_input(optimized));
    }
  });
  if (thoroughness_ == Thoroughness::Light && sample_.seed % 8 != 6) return;
  const Graph other = shuffled(random);
  if (takes_turn(6) || takes_turn(7))
    guarded("shuffled", [&] {
      add_variant(compiled, "shuffled passes", fused_of(other), Backend::Llvm, 1, false);
    });
  if (takes_turn(8)) {
    guarded("unoptimized", [&] {
      add_variant(compiled, "unoptimized", fused_of(differentiated_), Backend::Llvm, 1, false);
    });
  }
  for (const Pass& pass : all_passes()) {
    const bool is_next =
        is_full || &pass - all_passes().data() == static_cast<int64_t>(sample_.seed / 12 % 12);
    if (!is_simplification(pass) || !is_next || !(takes_turn(9) || takes_turn(10))) continue;
    guarded("fuse", [&] {
      add_variant(compiled, fmt::format("{} alone", pass.name), fused_of(pass.run(differentiated_)),
                  Backend::Llvm, 1, false);
    });
  }
}

void Examination::prepare(CompiledGraphs& compiled) {
  guarded("graph", [&] {
    verify(sample_.graph, "as grown");
    check_text(sample_.graph, "graph");
    differentiated_ = run_until(sample_.graph, Stage::Grad);
    verify(differentiated_, "after differentiate");
    allowed_.emplace(differentiated_, sample_.inputs, Allowance::Roundings);
    same_but_zeros_.emplace(*allowed_, Allowance::SignsOfZero);
  });
  if (!allowed_) return;
  if (thoroughness_ != Thoroughness::Light || sample_.seed % 16 == 0) check_each_pass();
  add_variants(compiled);
}

void Examination::run(const CompiledGraphs& compiled) {
  std::vector<Tensor> first;
  for (const Variant& variant : variants_) {
    const std::string where = "compiled, " + variant.name;
    guarded(where, [&] {
      const std::vector<Tensor> outputs =
          run_program(compiled.program(variant.program), sample_.inputs, variant.threads);
      check_outputs(where, outputs, Allowance::Roundings);
      if (first.empty()) first = outputs;
      for (size_t k = 0; variant.same_bits_as_first && k < first.size(); ++k)
        CHECK(same_values(outputs[k], first[k]), "{} has other bits than fused",
              sample_.graph.outputs()[k].name);
    });
  }
}

std::vector<Fault> examine(const Sample& sample, Thoroughness thoroughness) {
  CompiledGraphs compiled;
  Examination examination(sample, thoroughness);
  examination.prepare(compiled);
  compiled.compile();
  examination.run(compiled);
  return examination.faults();
}

}  // namespace gradc::testing
