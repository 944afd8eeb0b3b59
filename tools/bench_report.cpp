// Figures in their units.
#include "tools/bench_report.h"

#include <fmt/format.h>

#include "runtime/processor.h"
#include "tools/fusion_table.h"

namespace gradc {
namespace {

double milliseconds(double seconds) { return seconds * 1e3; }

double rate(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

/// NAME_ms, NAME_p10_ms, NAME_p90_ms.
void add_times(nlohmann::ordered_json& object, const std::string& name, const Times& times) {
  object[name + "_ms"] = milliseconds(times.median());
  object[name + "_p10_ms"] = milliseconds(times.quantile(0.1));
  object[name + "_p90_ms"] = milliseconds(times.quantile(0.9));
}

std::string text(const Times& times) {
  return fmt::format("{:.4g} ({:.4g} to {:.4g})", milliseconds(times.median()),
                     milliseconds(times.quantile(0.1)), milliseconds(times.quantile(0.9)));
}

nlohmann::ordered_json ceilings_as_json(const Ceilings& ceilings) {
  nlohmann::ordered_json object = {{"threads", ceilings.threads},
                                   {"gflop_per_s", ceilings.flop_per_s / 1e9}};
  for (const Ceilings::Level& level : ceilings.levels)
    object[level.name + "_gb_per_s"] = level.bytes_per_s / 1e9;
  return object;
}

nlohmann::ordered_json kernel_as_json(const BenchResult& result, size_t position) {
  const KernelTime& kernel = result.kernels[position];
  const double seconds = kernel.times.median();
  return {{"event", "kernel"},
          {"step", position},
          {"name", kernel.facts.name},
          {"backend", kernel.facts.backend},
          {"us", seconds * 1e6},
          {"flop", kernel.facts.work.flop},
          {"bytes", kernel.facts.work.bytes},
          {"gflop_per_s", rate(kernel.facts.work.flop, seconds) / 1e9},
          {"gb_per_s", rate(kernel.facts.work.bytes, seconds) / 1e9},
          {"share_of_ceiling", share_of_ceiling(result.ceilings, kernel)}};
}

std::string kernels_as_markdown(const BenchResult& result) {
  std::string table =
      "\n| step | kernel | backend | us | MFLOP | MB | GFLOP/s | GB/s | of the ceiling |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (size_t i = 0; i < result.kernels.size(); ++i) {
    const KernelTime& kernel = result.kernels[i];
    const double seconds = kernel.times.median();
    const Work& work = kernel.facts.work;
    table +=
        fmt::format("| {} | {} | {} | {:.2f} | {:.3f} | {:.3f} | {:.1f} | {:.1f} | {:.2f} |\n", i,
                    kernel.facts.name, kernel.facts.backend, seconds * 1e6, work.flop / 1e6,
                    work.bytes / 1e6, rate(work.flop, seconds) / 1e9,
                    rate(work.bytes, seconds) / 1e9, share_of_ceiling(result.ceilings, kernel));
  }
  return table;
}

}  // namespace

double share_of_ceiling(const Ceilings& ceilings, const KernelTime& kernel) {
  return rate(ceilings.seconds(kernel.facts.work), kernel.times.median());
}

std::vector<nlohmann::ordered_json> as_json(const BenchResult& result) {
  std::vector<nlohmann::ordered_json> lines;
  for (size_t i = 0; i < result.kernels.size(); ++i) lines.push_back(kernel_as_json(result, i));
  if (result.groups)
    for (const GroupGain& group : *result.groups) lines.push_back(as_json(group));
  const double fused = result.fused.median();
  nlohmann::ordered_json end = {{"event", "end"},
                                {"model", result.model},
                                {"mode", result.mode},
                                {"target", target_description()},
                                {"threads", result.ceilings.threads},
                                {"rows", result.rows}};
  add_times(end, "fused", result.fused);
  add_times(end, "unfused", result.unfused);
  end["speedup"] = rate(result.unfused.median(), fused);
  if (result.infer.count() > 0) add_times(end, "infer", result.infer);
  end["floor_ms"] = milliseconds(result.floor_seconds());
  end["share_of_floor"] = rate(result.floor_seconds(), fused);
  end["least_flop"] = result.least.flop;
  end["least_bytes"] = result.least.bytes;
  end["samples_per_s"] = rate(static_cast<double>(result.rows), fused);
  end["steps"] = result.fused.count();
  end["kernels"] = result.kernel_count;
  end["unfused_kernels"] = result.unfused_kernel_count;
  end["peak_bytes"] = result.arena_bytes + result.other_bytes;
  end["peak_lower_bound"] = result.arena_lower_bound + result.other_bytes;
  end["arena_bytes"] = result.arena_bytes;
  end["arena_lower_bound"] = result.arena_lower_bound;
  end["resident_bytes"] = result.resident_bytes;
  end["compile_ms"] = milliseconds(result.compile_seconds);
  end["elaborate_ms"] = milliseconds(result.compile.elaborate);
  end["passes_ms"] = milliseconds(result.compile.passes);
  end["lower_ms"] = milliseconds(result.compile.lower);
  end["code_ms"] = milliseconds(result.compile.code);
  if (result.groups) add_group_totals(end, *result.groups);
  end["ceilings"] = ceilings_as_json(result.ceilings);
  lines.push_back(std::move(end));
  return lines;
}

nlohmann::ordered_json as_json(const CompileResult& result) {
  nlohmann::ordered_json end = {{"event", "end"},
                                {"model", result.model},
                                {"mode", "compile"},
                                {"target", target_description()},
                                {"rows", result.rows},
                                {"rounds", result.total.count()},
                                {"kernels", result.kernel_count}};
  add_times(end, "compile", result.total);
  end["elaborate_ms"] = milliseconds(result.elaborate.median());
  end["passes_ms"] = milliseconds(result.passes.median());
  end["lower_ms"] = milliseconds(result.lower.median());
  end["code_ms"] = milliseconds(result.code.median());
  if (result.cached.count() > 0) add_times(end, "cached", result.cached);
  return end;
}

std::string as_markdown(const BenchResult& result) {
  const double fused = result.fused.median();
  std::string page = fmt::format(
      "{} ({}), {} rows, {} threads, {}\n\n"
      "| | |\n| --- | --- |\n"
      "| fused, ms | {} |\n| unfused, ms | {} |\n| speedup | {:.2f} |\n",
      result.model, result.mode, result.rows, result.ceilings.threads, target_description(),
      text(result.fused), text(result.unfused), rate(result.unfused.median(), fused));
  if (result.infer.count() > 0) page += fmt::format("| inference, ms | {} |\n", text(result.infer));
  page += fmt::format("| floor, ms | {:.4g} |\n| share of the floor | {:.2f} |\n",
                      milliseconds(result.floor_seconds()), rate(result.floor_seconds(), fused));
  page += fmt::format("| samples per s | {:.0f} |\n| kernels | {} of {} |\n",
                      rate(static_cast<double>(result.rows), fused), result.kernel_count,
                      result.unfused_kernel_count);
  page +=
      fmt::format("| peak, MiB | {:.2f}, at least {:.2f} |\n",
                  static_cast<double>(result.arena_bytes + result.other_bytes) / (1 << 20),
                  static_cast<double>(result.arena_lower_bound + result.other_bytes) / (1 << 20));
  page += fmt::format(
      "| compile, ms | {:.1f}: elaborate {:.1f}, passes {:.1f}, lower {:.1f}, code {:.1f} |\n",
      milliseconds(result.compile_seconds), milliseconds(result.compile.elaborate),
      milliseconds(result.compile.passes), milliseconds(result.compile.lower),
      milliseconds(result.compile.code));
  page += fmt::format("| ceilings | {:.0f} GFLOP/s", result.ceilings.flop_per_s / 1e9);
  for (const Ceilings::Level& level : result.ceilings.levels)
    page += fmt::format("; {} {:.0f} GB/s", level.name, level.bytes_per_s / 1e9);
  page += " |\n";
  if (!result.kernels.empty()) page += kernels_as_markdown(result);
  if (result.groups) page += as_markdown(*result.groups);
  return page;
}

std::string as_markdown(const CompileResult& result) {
  std::string page = fmt::format(
      "{} (compile), {} rows, {} kernels, {} rounds\n\n"
      "| phase | ms |\n| --- | --- |\n"
      "| elaborate | {} |\n| passes | {} |\n| lower | {} |\n| code | {} |\n| all | {} |\n",
      result.model, result.rows, result.kernel_count, result.total.count(), text(result.elaborate),
      text(result.passes), text(result.lower), text(result.code), text(result.total));
  if (result.cached.count() > 0)
    page += fmt::format("| all, with the cache | {} |\n", text(result.cached));
  return page;
}

}  // namespace gradc
