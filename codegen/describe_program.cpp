// The steps of a program in numbers, and as the text that `dump --stage plan` prints above the
// memory plan.
#include "codegen/draft.h"
#include "codegen/work.h"

namespace gradc {

namespace {

std::string storage_text(const Draft& draft, int32_t position) {
  const Storage& storage = draft.storage(position);
  switch (storage.place) {
    case Place::Arena:
      return fmt::format("b{}", position);
    case Place::Constant:
      return fmt::format("constant@{}", storage.offset);
    case Place::Input:
    case Place::Output:
    case Place::Guard:
      break;
  }
  return storage.name;
}

std::string list_text(const Draft& draft, const std::vector<int32_t>& storages) {
  std::string text;
  for (int32_t storage : storages) {
    if (!text.empty()) text += ' ';
    text += storage_text(draft, storage);
  }
  return text.empty() ? "nothing" : text;
}

/// Of all steps of the body, all rounds.
double scan_flop(const ScanStep& scan) {
  double flop = 0;
  for (const StepFacts& facts : scan.body->facts) flop += facts.work.flop;
  return flop * static_cast<double>(scan.length);
}

std::string work_text(const Step& step) {
  if (const auto* kernel = std::get_if<KernelStep>(&step))
    return fmt::format("{}: extent {}, grain {}, about {:.1f} us", kernel->name, kernel->extent,
                       kernel->grain, kernel->cost_ns / 1000);
  if (const auto* product = std::get_if<MatmulStep>(&step)) {
    const int64_t count = product->outer * product->batch;
    return fmt::format("{}: {}x {} x {} x {}, {:.2f} MFLOP{}{}", product->name, count, product->m,
                       product->n, product->k, work_of(*product).flop / 1e6,
                       product->bias >= 0 ? ", bias" : "",
                       product->activation == MatmulStep::Activation::Relu      ? ", relu"
                       : product->activation == MatmulStep::Activation::Tanh    ? ", tanh"
                       : product->activation == MatmulStep::Activation::Sigmoid ? ", sigmoid"
                                                                                : "");
  }
  if (const auto* scan = std::get_if<ScanStep>(&step))
    return fmt::format("{}: {} rounds{}, {} carried, {} collected", scan->name, scan->length,
                       scan->reverse ? " in reverse" : "", scan->carries.size(),
                       scan->collected.size());
  if (const auto* ordered = std::get_if<OrderedStep>(&step))
    return fmt::format("{}: {} rows of {}", ordered->name, ordered->rows, ordered->columns);
  if (const auto* convolution = std::get_if<ConvStep>(&step))
    return fmt::format("{}: {}x[{}]x{} * [{}]x{}, {:.2f} MFLOP{}", convolution->name,
                       convolution->batch, fmt::join(convolution->input, ", "),
                       convolution->channels, fmt::join(convolution->kernel, ", "),
                       convolution->filters, work_of(*convolution).flop / 1e6,
                       convolution->bias >= 0 ? ", bias" : "");
  return std::get<CopyStep>(step).name;
}

}  // namespace

int64_t bytes_of(const Draft& draft, const StepBlock& block) {
  int64_t bytes = 0;
  for (const auto* list : {&block.reads, &block.writes})
    for (int32_t storage : *list) bytes += draft.storage(storage).bytes;
  return bytes;
}

StepFacts facts_of(const Draft& draft, const StepBlock& block, const Step& step) {
  const std::string name = std::visit([](const auto& typed) { return typed.name; }, step);
  Work work{0, static_cast<double>(bytes_of(draft, block))};
  if (const auto* kernel = std::get_if<KernelStep>(&step)) work = kernel->work;
  if (const auto* product = std::get_if<MatmulStep>(&step)) work = work_of(*product);
  if (const auto* convolution = std::get_if<ConvStep>(&step)) work = work_of(*convolution);
  if (const auto* scan = std::get_if<ScanStep>(&step)) work.flop = scan_flop(*scan);
  return {name, block.backend, work, block.node};
}

std::string describe_program(const Draft& draft, const std::vector<int32_t>& order,
                             const Program& program) {
  std::string text = fmt::format("program {} mode {} rows {}: {} steps\n", program.name,
                                 name(program.mode), program.rows, program.steps.size());
  size_t number = 0;
  for (int32_t position : order) {
    const StepBlock& block = draft.blocks[static_cast<size_t>(position)];
    for (const Step& step : block.steps) {
      const bool is_first = &step == &block.steps.front();
      text += fmt::format("{:>4}  {:<6}  {}", number++, block.backend, work_text(step));
      if (is_first)
        text += fmt::format("; {}: {} -> {}", readable_bytes(bytes_of(draft, block)),
                            list_text(draft, block.reads), list_text(draft, block.writes));
      if (is_first && !block.reason.empty()) text += fmt::format("; {}", block.reason);
      text += "\n";
    }
  }
  return text;
}

}  // namespace gradc
