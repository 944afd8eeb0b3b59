// Shape rule and evaluation of scan.
#include "ir/ops/scan.h"

#include <cstring>

#include "ir/interpret.h"
#include "ir/ops/region.h"

namespace gradc::ops {

ScanForm scan_form(const Attrs& attrs, size_t operand_count) {
  ScanForm form;
  form.body = attrs.get<BodyRef>("body");
  form.carries = static_cast<size_t>(attrs.integer("carries"));
  form.sequences = static_cast<size_t>(attrs.integer("sequences"));
  form.constants = operand_count - form.carries - form.sequences;
  form.collected = form.body->outputs().size() - form.carries;
  form.length = attrs.integer("length");
  form.reverse = attrs.get<bool>("reverse");
  return form;
}

Attrs scan_attrs(const ScanForm& form) {
  return {{"body", form.body},
          {"carries", static_cast<int64_t>(form.carries)},
          {"sequences", static_cast<int64_t>(form.sequences)},
          {"length", form.length},
          {"reverse", form.reverse}};
}

namespace {

Shape element_shape(const Shape& stacked) {
  return Shape(std::vector<int64_t>(stacked.begin() + 1, stacked.end()));
}

Shape stacked_shape(const Shape& element, int64_t length) {
  std::vector<int64_t> dims{length};
  dims.insert(dims.end(), element.begin(), element.end());
  return Shape(std::move(dims));
}

/// Empty if the counts fit the operands and every sequence has `length` elements.
std::string find_count_fault(const Attrs& attrs, std::span<const Type> operands) {
  const int64_t carries = attrs.integer("carries");
  const int64_t sequences = attrs.integer("sequences");
  const int64_t length = attrs.integer("length");
  const auto count = static_cast<int64_t>(operands.size());
  if (carries < 0 || sequences < 0 || carries > count || sequences > count - carries)
    return fmt::format("{} carries and {} sequences of {} operands", carries, sequences, count);
  if (length < 0) return fmt::format("{} rounds", length);
  for (int64_t i = carries; i < carries + sequences; ++i) {
    const Shape& shape = operands[static_cast<size_t>(i)].shape;
    if (shape.rank() == 0 || shape[0] != length)
      return fmt::format("operand {} is {}, a sequence of {} rounds has that size on axis 0", i,
                         to_string(operands[static_cast<size_t>(i)]), length);
  }
  return {};
}

}  // namespace

std::string find_scan_fault(const Attrs& attrs, std::span<const Type> operands) {
  std::string fault = find_count_fault(attrs, operands);
  if (!fault.empty()) return fault;
  const auto carries = static_cast<size_t>(attrs.integer("carries"));
  const size_t end = carries + static_cast<size_t>(attrs.integer("sequences"));
  std::vector<Type> elements(operands.begin(), operands.end());
  for (size_t i = carries; i < end; ++i) elements[i].shape = element_shape(operands[i].shape);
  const Graph* body = attrs.get<BodyRef>("body").get();
  fault = find_body_fault(body, elements);
  if (!fault.empty()) return fault;
  if (body->outputs().size() < carries)
    return fmt::format("its body has {} outputs for {} carries", body->outputs().size(), carries);
  for (size_t i = 0; i < carries; ++i) {
    const Type& type = body->type(body->outputs()[i].value);
    if (type != operands[i])
      return fmt::format("carry {} is {}, its new value {}", i, to_string(operands[i]),
                         to_string(type));
  }
  return {};
}

std::vector<Type> Scan::infer(const InferContext& context) {
  const std::string fault = find_scan_fault(context.attrs, context.operands);
  if (!fault.empty()) throw shape_error("scan: " + fault);
  const ScanForm form = scan_form(context.attrs, context.operands.size());
  std::vector<Type> types;
  for (size_t i = 0; i < form.body->outputs().size(); ++i) {
    const Type& type = form.body->type(form.body->outputs()[i].value);
    const bool is_carry = i < form.carries;
    types.push_back(is_carry ? type : Type{type.dtype, stacked_shape(type.shape, form.length)});
  }
  return types;
}

void read_elements(const ScanForm& form, std::span<const Tensor> operands, int64_t round,
                   std::vector<Tensor>& inputs) {
  for (size_t i = form.carries; i < form.first_constant(); ++i) {
    Tensor element(form.body->type(Graph::input_value(i)));
    if (!element.is_empty())
      std::memcpy(element.raw(), operands[i].raw() + form.element(round) * element.size_bytes(),
                  static_cast<size_t>(element.size_bytes()));
    inputs[i] = std::move(element);
  }
}

std::vector<Tensor> run_rounds(const ScanForm& form, std::span<const Tensor> operands,
                               std::span<const Type> types, const RunBody& run) {
  std::vector<Tensor> inputs(operands.begin(), operands.end());
  std::vector<Tensor> results(operands.begin(),
                              operands.begin() + static_cast<int64_t>(form.carries));
  for (size_t i = form.carries; i < types.size(); ++i) results.emplace_back(types[i]);
  for (int64_t round = 0; round < form.length; ++round) {
    const int64_t at = form.element(round);
    read_elements(form, operands, round, inputs);
    const std::vector<Tensor> outputs = run(*form.body, inputs);
    for (size_t i = 0; i < form.carries; ++i) inputs[i] = results[i] = outputs[i];
    for (size_t i = form.carries; i < outputs.size(); ++i)
      if (!outputs[i].is_empty())
        std::memcpy(results[i].raw() + at * outputs[i].size_bytes(), outputs[i].raw(),
                    static_cast<size_t>(outputs[i].size_bytes()));
  }
  return results;
}

std::vector<Tensor> Scan::eval(const EvalContext& context) {
  return run_rounds(
      scan_form(context.attrs, context.operands.size()), context.operands, context.results,
      [](const Graph& body, std::span<const Tensor> inputs) { return interpret(body, inputs); });
}

}  // namespace gradc::ops
