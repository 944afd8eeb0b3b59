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
  if (setup.training)
    plan_ = plan_updates(settings_, losses_, elaborator_.ownership(), diagnostics_);
}

namespace {

OriginRef origin_at(Span span, std::string role) {
  if (!span.is_somewhere() || span.source->is_library()) return nullptr;
  const Position position = span.position();
  return std::make_shared<const Origin>(
      Origin{span.source->name(), static_cast<int32_t>(position.line),
             static_cast<int32_t>(position.column), std::move(role)});
}

std::string average_name(const Owned& parameter) {
  return fmt::format("{}:{}", parameter.path, kAverageSlot);
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
    SplitMetric cut =
        split_metric(elaborator_.draft(), front_, published.value, published.name, rows);
    if (cut.has_row_count)
      diagnostics_.report(
          warning("W0712", published.where,
                  fmt::format("`{}` uses the number of rows of a batch, but its sums run over the "
                              "whole pass",
                              published.name))
              .with_help("mean(…) instead of sum(…) / batch"));
    splits_.emplace_back(published, std::move(cut));
  };
  for (const Published& loss : losses_) split(loss);
  for (const Published& metric : elaborator_.metrics()) split(metric);
}

std::vector<PassSums> ModelGraphs::sums() const {
  std::vector<PassSums> all;
  for (const auto& [published, split] : splits_) {
    PassSums& sums = all.emplace_back(PassSums{published.name, published.where, {}});
    for (const Accumulation& sum : split.accumulations)
      sums.types.emplace_back(sum.kind, elaborator_.type(sum.value));
  }
  return all;
}

void ModelGraphs::warn_of_unused(const PlannedLoss& planned) {
  const DraftGraph& draft = elaborator_.draft();
  const Published& loss = losses_[planned.loss];
  std::vector<bool> is_used(draft.tensor_count(), false);
  is_used[index(loss.value)] = true;
  for (size_t position = draft.tensor_count(); position-- > 0;) {
    const DraftNode* node = draft.node(static_cast<TensorId>(position));
    if (!is_used[position] || !node) continue;
    for (const TensorId operand : node->operands) is_used[index(operand)] = true;
  }
  for (const PlannedUpdate& update : planned.updates) {
    const Owned& parameter = *update.parameter;
    if (is_used[index(parameter.input)]) continue;
    elaborator_.warn(warning(
        "W0706", parameter.where.source->is_library() ? parameter.owner->where : parameter.where,
        fmt::format("parameter {} does not influence the loss{}", parameter.path,
                    losses_.size() > 1 ? fmt::format(" `{}`", loss.name) : "")));
  }
}

const std::vector<TensorId>& ModelGraphs::gradients(const PlannedLoss& planned) {
  const auto [place, is_new] = gradients_.try_emplace(&planned);
  if (!is_new || planned.updates.empty()) return place->second;
  warn_of_unused(planned);
  const Published& loss = losses_[planned.loss];
  std::vector<TensorId> operands{loss.value};
  for (const PlannedUpdate& update : planned.updates) {
    const Owned& parameter = *update.parameter;
    if (!is_float(parameter.type.dtype))
      throw DiagnosticError{error("E0705", parameter.where,
                                  fmt::format("parameter {} is {}: integers have no derivative",
                                              parameter.path, to_string(parameter.type)))
                                .with_help("state keeps a value that is not trained")};
    operands.push_back(parameter.input);
  }
  elaborator_.draft().set_origin(origin_at(loss.where, fmt::format("gradient of {}", loss.name)));
  return place->second = elaborator_.draft().add_node(OpKind::Gradient, std::move(operands));
}

std::vector<TensorId> ModelGraphs::processed_gradients(const PlannedLoss& planned) {
  const std::vector<TensorId>& plain = gradients(planned);
  const FunctionRef& process = planned.entries->gradients;
  if (!process || plain.empty()) return plain;
  const Span span = planned.entries->gradients_span;
  std::vector<Value> list(plain.begin(), plain.end());
  std::vector<Argument> arguments{{"", {}, Value::list(std::move(list)), span}};
  const Value result =
      elaborator_.call_from(process, std::move(arguments), span, block_.model_file());
  const std::vector<Value>* changed = result.elements();
  if (!changed || changed->size() != plain.size())
    elaborator_.fail("E0720", span, "`gradients` must give a list as long as the one it gets");
  std::vector<TensorId> processed;
  for (size_t i = 0; i < plain.size(); ++i)
    processed.push_back(elaborator_.expect_type((*changed)[i], Type(elaborator_.type(plain[i])),
                                                span, fmt::format("gradient {}", i)));
  return processed;
}

void ModelGraphs::require_plan() const {
  const Span name = block_.model()->name.span;
  if (losses_.empty())
    throw DiagnosticError{error("E0709", name, "the model has no loss: there is nothing to train")
                              .with_help("loss = mean(…)")};
  if (plan_.empty())
    throw DiagnosticError{
        error("E0707", losses_[1].where,
              fmt::format("a model with {} losses needs to know which trains which parameters",
                          losses_.size()))
            .with_help(optimize_advice(losses_))};
}

void ModelGraphs::run_optimizers() {
  if (is_optimized_) return;
  is_optimized_ = true;
  require_plan();
  for (const PlannedLoss& planned : plan_) update(planned);
}

// With `every` = N the update is made in steps N, 2N, … and the optimizer's own step counts these.
void ModelGraphs::update(const PlannedLoss& planned) {
  const std::vector<TensorId> derivatives = processed_gradients(planned);
  TensorOps& ops = elaborator_.ops();
  const Span span = planned.entries->optimizer_span;
  elaborator_.draft().set_origin(origin_at(span, "step"));
  const int64_t every = planned.entries->every;
  TensorId step = ops.step();
  TensorId acts{};
  if (every > 1) {
    acts = ops.binary(OpKind::Equal, ops.binary(OpKind::Mod, step, every), every - 1);
    step = ops.binary(OpKind::FloorDiv, step, every);
  }
  for (size_t i = 0; i < planned.updates.size(); ++i) {
    const Owned& parameter = *planned.updates[i].parameter;
    UpdatedParameter updated{parameter, parameter.input, derivatives[i], step, ""};
    const size_t first_slot = slots_.size();
    updated.value = elaborator_.run_optimizer(*planned.updates[i].optimizer, updated, span, slots_);
    if (every > 1) {
      elaborator_.draft().set_origin(origin_at(span, parameter.path + " update"));
      updated.value = ops.select(acts, updated.value, parameter.input);
      keep_slots(first_slot, acts);
    }
    updates_[&parameter] = updated.value;
    if (settings_.averaging) average(updated, acts, every > 1);
  }
}

void ModelGraphs::keep_slots(size_t first, TensorId acts) {
  for (size_t i = first; i < slots_.size(); ++i)
    slots_[i].current = elaborator_.ops().select(acts, slots_[i].current, slots_[i].input);
}

void ModelGraphs::average(const UpdatedParameter& updated, TensorId acts, bool is_every) {
  UpdatedParameter averaged = updated;
  averaged.slot_prefix = kAveragingPrefix;
  const size_t first_slot = slots_.size();
  const Span span = settings_.averaging_span;
  const TensorId kept = elaborator_.run_optimizer(*settings_.averaging, averaged, span, slots_);
  const std::string name = average_name(updated.parameter);
  const bool has_average = std::any_of(
      slots_.begin() + static_cast<int64_t>(first_slot), slots_.end(), [&](const SlotUpdate& slot) {
        return slot.name == name && elaborator_.type(slot.input) == updated.parameter.type;
      });
  if (kept != updated.value || !has_average)
    elaborator_.fail(
        error("E0720", span,
              fmt::format("`averaging` keeps a slot `average` of the value and leaves the value as "
                          "it is; `{}` does not",
                          settings_.averaging->name))
            .with_help("averaging = ema(0.999)"));
  if (is_every) keep_slots(first_slot, acts);
}

void ModelGraphs::add_losses(std::vector<DraftOutput>& outputs) const {
  for (const Published& loss : losses_)
    outputs.push_back({OutputKind::Loss, loss.name, loss.value});
}

void ModelGraphs::add_accumulations(std::vector<DraftOutput>& outputs) const {
  for (const auto& [published, split] : splits_)
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
      return extract(mode, outputs, averages());
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
  if (!settings_.trains())
    throw DiagnosticError{error("E0709", block_.model()->name.span,
                                "there is nothing to train: the `train` block has no optimizer")
                              .with_help("optimizer = adam")};
  if (settings_.provisional.is_somewhere())
    throw DiagnosticError{error("E0722", settings_.provisional,
                                "the number of steps is known when the data has been read")
                              .with_help("name data that is there, or give `steps`")};
  run_optimizers();
  std::vector<DraftOutput> outputs;
  const auto& all = elaborator_.ownership().owned();
  for (const auto& owned : all)
    if (const auto update = updates_.find(owned.get()); update != updates_.end())
      outputs.push_back({OutputKind::Parameter, owned->path, update->second});
  for (const auto& owned : all)
    if (owned->kind == InputKind::State && !elaborator_.is_frozen(owned->path))
      outputs.push_back({OutputKind::State, owned->path, owned->current});
  for (const SlotUpdate& slot : slots_)
    outputs.push_back({OutputKind::Slot, slot.name, slot.current});
  elaborator_.draft().set_origin(nullptr);
  const TensorId next = elaborator_.ops().binary(OpKind::Add, elaborator_.ops().step(), int64_t{1});
  outputs.push_back({OutputKind::Step, std::string(kStepName), next});
  add_losses(outputs);
  add_accumulations(outputs);
  return extract(GraphMode::Train, outputs);
}

void ModelGraphs::refuse_late_slots(const Replacements& replace) {
  for (const SlotUpdate& slot : slots_)
    if (elaborator_.draft().needs_step(slot.initial, replace))
      elaborator_.fail(error("E0608", slot.where,
                             fmt::format("the initial value of {} depends on a step", slot.name))
                           .with_help("slots begin before the first step: zeros_like(value)"));
}

Graph ModelGraphs::init_graph() {
  if (settings_.trains() && !losses_.empty()) run_optimizers();
  std::vector<DraftOutput> outputs;
  Replacements replace;
  for (const InputKind kind : {InputKind::Parameter, InputKind::State})
    for (const auto& owned : elaborator_.ownership().owned()) {
      if (owned->kind != kind) continue;
      replace[owned->input] = owned->initial;
      outputs.push_back({kind == InputKind::Parameter ? OutputKind::Parameter : OutputKind::State,
                         owned->path, owned->initial});
    }
  // What a slot starts with may read the value that the optimizer found or made: the initial one.
  for (const auto& [parameter, value] : updates_)
    if (value != parameter->input) replace[value] = parameter->initial;
  for (const SlotUpdate& slot : slots_) {
    replace[slot.input] = slot.initial;
    outputs.push_back({OutputKind::Slot, slot.name, slot.initial});
  }
  refuse_late_slots(replace);
  elaborator_.draft().set_origin(nullptr);
  const TensorId zero = elaborator_.ops().number(NumberValue::of(int64_t{0}), DType::I64);
  outputs.push_back({OutputKind::Step, std::string(kStepName), zero});
  return extract(GraphMode::Init, outputs, replace);
}

Graph ModelGraphs::predict_graph() {
  std::vector<DraftOutput> outputs;
  for (const Published& output : elaborator_.outputs())
    outputs.push_back({OutputKind::Output, output.name, output.value});
  if (outputs.empty())
    throw DiagnosticError{error("E0717", block_.model()->name.span, "the model has no output")
                              .with_help("output NAME = …")};
  return extract(GraphMode::Predict, outputs, averages());
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
    if (!elaborator_.setup().training && plan_.empty())
      plan_ = plan_updates(settings_, losses_, elaborator_.ownership(), diagnostics_);
    if (diagnostics_.has_errors()) throw SilentFault{};
    require_plan();
    for (const PlannedLoss& planned : plan_) {
      const std::vector<TensorId>& derivatives = gradients(planned);
      for (size_t i = 0; i < derivatives.size(); ++i)
        outputs.push_back(
            {OutputKind::Gradient, planned.updates[i].parameter->path, derivatives[i]});
    }
  }
  return extract(GraphMode::Run, outputs, request.training ? Replacements() : averages());
}

Replacements ModelGraphs::averages() {
  Replacements replace;
  if (!settings_.averaging || !settings_.trains()) return replace;
  for (const auto& owned : elaborator_.ownership().owned()) {
    if (owned->kind != InputKind::Parameter || elaborator_.is_frozen(owned->path)) continue;
    const auto [place, is_new] = averages_.try_emplace(owned.get());
    if (is_new)
      place->second = elaborator_.draft().input(InputKind::Slot, average_name(*owned), owned->type);
    replace[owned->input] = place->second;
  }
  return replace;
}

Graph ModelGraphs::metrics_graph() {
  std::vector<DraftOutput> outputs;
  for (const auto& [published, split] : splits_)
    outputs.push_back({OutputKind::Metric, published.name, split.value});
  return front_.extract(block_.model()->name.text, GraphMode::Metrics, 0, outputs);
}

}  // namespace gradc
