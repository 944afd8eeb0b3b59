// Elaborates the body once; adds penalties, metrics, gradients and updates.
#include "frontend/model_graphs.h"

#include <algorithm>

namespace gradc {

ModelGraphs::ModelGraphs(const TrainBlock& block, const TrainEntries& settings,
                         const ModelArguments& arguments, const ElaborationSetup& setup,
                         Diagnostics& diagnostics)
    : block_(block),
      settings_(settings),
      diagnostics_(diagnostics),
      elaborator_(setup, diagnostics) {
  elaborator_.run_model(*block.model(), block.model_file(), arguments);
  if (diagnostics_.has_errors()) return;
  add_penalties();
  split_all();
}

namespace {

OriginRef origin_at(Span span, std::string role) {
  if (!span.is_somewhere() || span.source->is_library()) return nullptr;
  const Position position = span.position();
  return std::make_shared<const Origin>(
      Origin{span.source->name(), static_cast<int32_t>(position.line),
             static_cast<int32_t>(position.column), std::move(role)});
}

}  // namespace

void ModelGraphs::add_penalties() {
  DraftGraph& draft = elaborator_.draft();
  for (Published loss : elaborator_.losses()) {
    draft.set_origin(origin_at(loss.where, "penalties"));
    const DType dtype = draft.type(loss.value).dtype;
    for (const TensorId penalty : elaborator_.penalties())
      loss.value = elaborator_.ops().binary(OpKind::Add, loss.value,
                                            elaborator_.ops().convert(penalty, dtype));
    losses_.push_back(loss);
  }
}

void ModelGraphs::split_all() {
  const int64_t rows = elaborator_.setup().rows;
  const auto split = [&](const Published& published) {
    try {
      SplitMetric cut =
          split_metric(elaborator_.draft(), front_, published.value, published.name, rows);
      if (cut.has_row_count)
        diagnostics_.report(
            warning(
                "W0712", published.where,
                fmt::format("`{}` uses the number of rows of a batch, but its sums run over the "
                            "whole pass",
                            published.name))
                .with_help("mean(…) instead of sum(…) / batch"));
      splits_.emplace_back(published.name, std::move(cut));
    } catch (const Error& failure) {
      throw DiagnosticError{error(failure.code(), published.where, failure.what())};
    }
  };
  for (const Published& loss : losses_) split(loss);
  for (const Published& metric : elaborator_.metrics()) split(metric);
}

std::vector<const Owned*> ModelGraphs::parameters() const {
  std::vector<const Owned*> trained;
  for (const auto& owned : elaborator_.ownership().owned())
    if (owned->kind == InputKind::Parameter) trained.push_back(owned.get());
  return trained;
}

void ModelGraphs::warn_of_unused(const std::vector<const Owned*>& trained) {
  const DraftGraph& draft = elaborator_.draft();
  std::vector<bool> is_used(draft.tensor_count(), false);
  is_used[index(losses_.at(0).value)] = true;
  for (size_t position = draft.tensor_count(); position-- > 0;) {
    const DraftNode* node = draft.node(static_cast<TensorId>(position));
    if (!is_used[position] || !node) continue;
    for (const TensorId operand : node->operands) is_used[index(operand)] = true;
  }
  for (const Owned* parameter : trained)
    if (!is_used[index(parameter->input)])
      elaborator_.warn(warning(
          "W0706",
          parameter->where.source->is_library() ? parameter->owner->where : parameter->where,
          fmt::format("parameter {} does not influence the loss", parameter->path)));
}

// The derivatives of the only loss by all parameters.
std::vector<TensorId> ModelGraphs::gradients() {
  if (gradients_) return *gradients_;
  const Span name = block_.model()->name.span;
  if (losses_.empty())
    throw DiagnosticError{error("E0709", name, "the model has no loss: there is nothing to train")
                              .with_help("loss = mean(…)")};
  if (losses_.size() > 1)
    throw DiagnosticError{
        error("E0805", losses_[1].where, "training with several losses is not supported yet")};
  const std::vector<const Owned*> trained = parameters();
  if (trained.empty()) {
    gradients_ = std::vector<TensorId>{};
    return *gradients_;
  }
  warn_of_unused(trained);
  std::vector<TensorId> operands{losses_[0].value};
  for (const Owned* parameter : trained) {
    if (!is_float(parameter->type.dtype))
      throw DiagnosticError{error("E0705", parameter->where,
                                  fmt::format("parameter {} is {}: integers have no derivative",
                                              parameter->path, to_string(parameter->type)))
                                .with_help("state keeps a value that is not trained")};
    operands.push_back(parameter->input);
  }
  elaborator_.draft().set_origin(
      origin_at(losses_[0].where, fmt::format("gradient of {}", losses_[0].name)));
  gradients_ = elaborator_.draft().add_node(OpKind::Gradient, std::move(operands));
  return *gradients_;
}

std::vector<TensorId> ModelGraphs::processed_gradients() {
  std::vector<TensorId> plain = gradients();
  if (!settings_.gradients) return plain;
  const Span span = settings_.gradients_span;
  std::vector<Value> list(plain.begin(), plain.end());
  std::vector<Argument> arguments{{"", {}, Value::list(std::move(list)), span}};
  const Value result =
      elaborator_.call_from(settings_.gradients, std::move(arguments), span, block_.model_file());
  const std::vector<Value>* changed = result.elements();
  if (!changed || changed->size() != plain.size())
    elaborator_.fail("E0720", span, "`gradients` must give a list as long as the one it gets");
  std::vector<TensorId> processed;
  for (size_t i = 0; i < plain.size(); ++i)
    processed.push_back(elaborator_.expect_type((*changed)[i], Type(elaborator_.type(plain[i])),
                                                span, fmt::format("gradient {}", i)));
  return processed;
}

void ModelGraphs::run_optimizers() {
  if (is_optimized_) return;
  is_optimized_ = true;
  const std::vector<const Owned*> trained = parameters();
  const std::vector<TensorId> derivatives = processed_gradients();
  for (size_t i = 0; i < trained.size(); ++i)
    updates_.push_back(
        {trained[i], elaborator_.run_optimizer(*settings_.optimizer, *trained[i], derivatives[i],
                                               settings_.optimizer_span, slots_)});
}

void ModelGraphs::add_losses(std::vector<DraftOutput>& outputs) const {
  for (const Published& loss : losses_)
    outputs.push_back({OutputKind::Loss, loss.name, loss.value});
}

void ModelGraphs::add_accumulations(std::vector<DraftOutput>& outputs) const {
  for (const auto& [name, split] : splits_)
    for (const Accumulation& accumulation : split.accumulations)
      outputs.push_back({accumulation.kind, accumulation.name, accumulation.value});
}

Graph ModelGraphs::extract(GraphMode mode, const std::vector<DraftOutput>& outputs,
                           const Replacements& replace) {
  return elaborator_.draft().extract(block_.model()->name.text, mode, elaborator_.setup().rows,
                                     outputs, replace);
}

Graph ModelGraphs::make(GraphMode mode, const GraphRequest& request) {
  switch (mode) {
    case GraphMode::Init:
      return init_graph();
    case GraphMode::Train:
      return train_graph();
    case GraphMode::Evaluate: {
      std::vector<DraftOutput> outputs;
      add_losses(outputs);
      add_accumulations(outputs);
      return extract(mode, outputs);
    }
    case GraphMode::Predict:
      return predict_graph();
    case GraphMode::Run:
      return run_graph(request);
    case GraphMode::Metrics:
      return metrics_graph();
    case GraphMode::Body:
      break;
  }
  CHECK(false, "no model graph of mode {}", name(mode));
}

Graph ModelGraphs::train_graph() {
  if (!settings_.optimizer)
    throw DiagnosticError{error("E0709", block_.model()->name.span,
                                "there is nothing to train: the `train` block has no optimizer")
                              .with_help("optimizer = adam")};
  run_optimizers();
  std::vector<DraftOutput> outputs;
  for (const Update& update : updates_)
    outputs.push_back({OutputKind::Parameter, update.parameter->path, update.value});
  for (const auto& owned : elaborator_.ownership().owned())
    if (owned->kind == InputKind::State)
      outputs.push_back({OutputKind::State, owned->path, owned->current});
  for (const SlotUpdate& slot : slots_)
    outputs.push_back({OutputKind::Slot, slot.name, slot.current});
  elaborator_.draft().set_origin(nullptr);
  const TensorId next = elaborator_.ops().binary(OpKind::Add, elaborator_.ops().step(), int64_t{1});
  outputs.push_back({OutputKind::Step, "step", next});
  add_losses(outputs);
  add_accumulations(outputs);
  return extract(GraphMode::Train, outputs);
}

Graph ModelGraphs::init_graph() {
  if (settings_.optimizer && !losses_.empty()) run_optimizers();
  std::vector<DraftOutput> outputs;
  Replacements replace;
  for (const InputKind kind : {InputKind::Parameter, InputKind::State})
    for (const auto& owned : elaborator_.ownership().owned()) {
      if (owned->kind != kind) continue;
      replace[owned->input] = owned->initial;
      outputs.push_back({kind == InputKind::Parameter ? OutputKind::Parameter : OutputKind::State,
                         owned->path, owned->initial});
    }
  for (const SlotUpdate& slot : slots_) {
    replace[slot.input] = slot.initial;
    outputs.push_back({OutputKind::Slot, slot.name, slot.initial});
  }
  elaborator_.draft().set_origin(nullptr);
  const TensorId zero = elaborator_.ops().number(NumberValue::of(int64_t{0}), DType::I64);
  outputs.push_back({OutputKind::Step, "step", zero});
  return extract(GraphMode::Init, outputs, replace);
}

Graph ModelGraphs::predict_graph() {
  std::vector<DraftOutput> outputs;
  for (const Published& output : elaborator_.outputs())
    outputs.push_back({OutputKind::Output, output.name, output.value});
  if (outputs.empty())
    throw DiagnosticError{error("E0717", block_.model()->name.span, "the model has no output")
                              .with_help("output NAME = …")};
  return extract(GraphMode::Predict, outputs);
}

Graph ModelGraphs::run_graph(const GraphRequest& request) {
  std::vector<DraftOutput> outputs;
  add_losses(outputs);
  const std::vector<Published>& published = elaborator_.outputs();
  if (request.names)
    for (const BoundName& bound : elaborator_.body().bindings)
      if (std::ranges::find(published, bound.name, &Published::name) == published.end())
        outputs.push_back({OutputKind::Output, bound.name, bound.value});
  for (const Published& output : published)
    outputs.push_back({OutputKind::Output, output.name, output.value});
  add_accumulations(outputs);
  if (request.gradients) {
    const std::vector<const Owned*> trained = parameters();
    const std::vector<TensorId> derivatives = gradients();
    for (size_t i = 0; i < trained.size(); ++i)
      outputs.push_back({OutputKind::Gradient, trained[i]->path, derivatives[i]});
  }
  return extract(GraphMode::Run, outputs);
}

Graph ModelGraphs::metrics_graph() {
  std::vector<DraftOutput> outputs;
  for (const auto& [name, split] : splits_)
    outputs.push_back({OutputKind::Metric, name, split.value});
  return front_.extract(block_.model()->name.text, GraphMode::Metrics, 0, outputs);
}

}  // namespace gradc
