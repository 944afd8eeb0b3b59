// A group's nests as kernels, and which results may take the memory of an operand.
#include "codegen/lower_group.h"

#include "codegen/lower_nest.h"

namespace gradc {
namespace {

/// May `result` be written over `operand`? Each element must be read before it is written, by the
/// iteration that writes it.
bool is_in_place(const Graph& body, const std::vector<LoweredNest>& nests, int32_t operand,
                 int32_t result) {
  const Type& in = body.type(Graph::input_value(static_cast<size_t>(operand)));
  const Type& out = body.type(body.outputs()[static_cast<size_t>(result)].value);
  if (size_bytes(in.dtype) != size_bytes(out.dtype) ||
      in.shape.element_count() != out.shape.element_count())
    return false;
  const NestAccess* last_load = nullptr;
  bool is_written = false;
  for (const LoweredNest& nest : nests) {
    for (const NestAccess& access : nest.accesses) {
      if (!access.is_store && access.position == operand) {
        if (is_written || !access.is_simple) return false;
        if (last_load != nullptr && last_load->element != access.element) return false;
        last_load = &access;
      }
      if (access.is_store && access.position == result) {
        if (is_written) continue;
        if (last_load == nullptr || !access.is_simple || last_load->element != access.element)
          return false;
        is_written = true;
      }
    }
    if (last_load != nullptr && !is_written) return false;
  }
  return is_written;
}

}  // namespace

LoweredGroup lower_group(const Graph& body, const std::string& name) {
  const std::variant<GroupAnalysis, std::string> analysis = analyze_group(body);
  const auto* accepted = std::get_if<GroupAnalysis>(&analysis);
  if (accepted == nullptr)
    throw Error(ExitCode::ModelOrData, "",
                fmt::format("the group {} cannot be computed as one: {}", name,
                            std::get<std::string>(analysis)));
  std::vector<LoweredNest> nests;
  for (const Nest& nest : accepted->nests)
    nests.push_back(
        lower_nest(body, nest, nests.empty() ? name : fmt::format("{}_{}", name, nests.size())));
  LoweredGroup group;
  for (size_t i = 0; i < body.inputs().size(); ++i)
    for (size_t o = 0; o < body.outputs().size(); ++o) {
      const auto operand = static_cast<int32_t>(i);
      const auto result = static_cast<int32_t>(o);
      if (is_in_place(body, nests, operand, result)) group.in_place.emplace_back(operand, result);
    }
  for (LoweredNest& nest : nests) {
    for (GroupBuffer& buffer : nest.kernel.buffers)
      if (buffer.source == GroupBuffer::Source::Scratch)
        buffer.position += static_cast<int32_t>(group.scratch_bytes.size());
    group.scratch_bytes.insert(group.scratch_bytes.end(), nest.scratch_bytes.begin(),
                               nest.scratch_bytes.end());
    group.kernels.push_back(std::move(nest.kernel));
  }
  return group;
}

}  // namespace gradc
