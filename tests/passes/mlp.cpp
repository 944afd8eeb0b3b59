// A training step as the frontend elaborates it.
#include "mlp.h"

namespace gradc {
namespace {

using Ints = std::vector<int64_t>;

struct Parameter {
  std::string name;
  ValueId value;
  ValueId slot;
};

ValueId dense(GraphBuilder& builder, ValueId x, const Parameter& kernel, const Parameter& bias) {
  const ValueId product = builder.add(OpKind::Dot, {x, kernel.value},
                                      {{"lhs_batch", Ints{}},
                                       {"rhs_batch", Ints{}},
                                       {"lhs_contract", Ints{1}},
                                       {"rhs_contract", Ints{0}}});
  return builder.add(product, builder.broadcast_to(bias.value, builder.shape(product)));
}

/// log(softmax(logits)).
ValueId log_softmax(GraphBuilder& builder, ValueId logits) {
  const Shape shape = builder.shape(logits);
  const ValueId top = builder.reduce(OpKind::Max, logits, {1}, true);
  const ValueId stopped = builder.add(OpKind::StopGradient, {top});
  const ValueId shifted = builder.sub(logits, builder.broadcast_to(stopped, shape));
  const ValueId sum = builder.reduce(OpKind::Sum, builder.add(OpKind::Exp, {shifted}), {1}, true);
  return builder.sub(shifted, builder.broadcast_to(builder.add(OpKind::Log, {sum}), shape));
}

void add_rmsprop(GraphBuilder& builder, const Parameter& parameter, ValueId gradient) {
  const ValueId square = builder.mul(gradient, gradient);
  const ValueId average = builder.add(
      builder.mul(builder.fill_like(square, 0.9), parameter.slot),
      builder.mul(builder.sub(builder.fill_like(square, 1), builder.fill_like(square, 0.9)),
                  square));
  const ValueId scale =
      builder.add(builder.add(OpKind::Sqrt, {average}), builder.fill_like(square, 1e-7));
  const ValueId step = builder.div(builder.mul(builder.fill_like(square, 1e-3), gradient), scale);
  builder.output(OutputKind::Parameter, parameter.name, builder.sub(parameter.value, step));
  builder.output(OutputKind::Slot, parameter.name + ":average", average);
}

}  // namespace

Graph mlp_step(int64_t rows, int64_t hidden) {
  GraphBuilder builder("mlp", GraphMode::Train, rows);
  const ValueId image = builder.input(InputKind::Data, "image", {DType::U8, {rows, 28, 28}});
  const ValueId label = builder.input(InputKind::Data, "label", {DType::U8, {rows}}, 10);
  std::vector<Parameter> parameters;
  const auto add_parameter = [&](std::string name, Shape shape) {
    const Type type{DType::F32, std::move(shape)};
    const ValueId value = builder.input(InputKind::Parameter, name, type);
    const ValueId slot = builder.input(InputKind::Slot, name + ":average", type);
    parameters.push_back({std::move(name), value, slot});
  };
  add_parameter("hidden.kernel", {784, hidden});
  add_parameter("hidden.bias", {hidden});
  add_parameter("logits.kernel", {hidden, 10});
  add_parameter("logits.bias", {10});
  const ValueId flat = builder.convert(builder.reshape(image, {rows, 784}), DType::F32);
  const ValueId x = builder.div(flat, builder.fill_like(flat, 255));
  const ValueId before = dense(builder, x, parameters[0], parameters[1]);
  const ValueId activated = builder.add(OpKind::Maximum, {before, builder.fill_like(before, 0)});
  const ValueId logits = dense(builder, activated, parameters[2], parameters[3]);
  const ValueId classes = builder.add(
      OpKind::Iota, {}, {{"shape", Ints{rows, 10}}, {"axis", int64_t{1}}, {"dtype", DType::I32}});
  const ValueId wide_label = builder.convert(label, DType::I32);
  const ValueId is_class =
      builder.add(OpKind::Equal, {builder.broadcast(wide_label, {rows, 10}, {0}), classes});
  const ValueId scores = log_softmax(builder, logits);
  const ValueId picked = builder.select(is_class, scores, builder.fill_like(scores, 0));
  const ValueId losses = builder.neg(builder.reduce(OpKind::Sum, picked, {1}));
  const ValueId loss = builder.reduce(OpKind::Mean, losses, {0});
  std::vector<ValueId> operands = {loss};
  for (const Parameter& parameter : parameters) operands.push_back(parameter.value);
  const std::vector<ValueId> gradients = builder.add_node(OpKind::Gradient, operands);
  for (size_t k = 0; k < parameters.size(); ++k) add_rmsprop(builder, parameters[k], gradients[k]);
  builder.output(OutputKind::Loss, "loss", loss);
  return std::move(builder).build();
}

}  // namespace gradc
