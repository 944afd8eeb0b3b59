// Checks on reading: the `train` block.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/name_checker.h"
#include "runtime/core/did_you_mean.h"

namespace gradc {
namespace {

const std::vector<std::string> kTrainKeys = {
    "data",       "test", "batch",     "eval_batch", "epochs",    "steps", "shuffle",
    "last_batch", "seed", "optimizer", "gradients",  "averaging", "start"};
const std::vector<std::string> kOptimizeKeys = {"parameters", "optimizer", "every", "gradients"};

}  // namespace

void NameChecker::check_train(const ast::Train& train) {
  is_in_train_ = true;
  check_train_arguments(train);
  check_entries(train.entries, "train", kTrainKeys);
  is_in_train_ = false;
}

void NameChecker::check_train_arguments(const ast::Train& train) {
  for (const ast::Argument& argument : train.arguments) check(argument.value);
  const Resolution found = resolve(train.model.text, train.model.span);
  if (found.kind == Resolution::Kind::Nothing)
    return report_unknown(train.model.text, train.model.span);
  if (found.kind == Resolution::Kind::Opaque) return;
  const auto* model = found.kind == Resolution::Kind::Item ? found.item->as<ast::Model>() : nullptr;
  if (!model) {
    diagnostics_.report(
        error("E0305", train.model.span, fmt::format("`{}` is not a model", train.model.text)));
    return;
  }
  CalledSignature signature;
  signature.name = train.model.text;
  for (const ast::Parameter& parameter : model->callable.parameters)
    signature.parameters.push_back(
        {parameter.name.text, parameter.default_value != nullptr, &parameter});
  for (const ast::Argument& argument : train.arguments) {
    if (!argument.name) {
      diagnostics_.report(
          error("E0303", argument.value->span, "the arguments of a model are given by keyword"));
      continue;
    }
    const CalledParameter* parameter = find_parameter(signature, *argument.name);
    if (!parameter) continue;
    const ast::Parameter& declared = *parameter->declared;
    if (declared.type && declared.type->is_tensor) {
      diagnostics_.report(error("E0302", argument.name->span,
                                fmt::format("`{}` is an input of `{}`: it comes from the data",
                                            parameter->name, signature.name)));
    } else {
      check_argument_kind(signature, *parameter, *argument.value);
    }
  }
}

/// `known` empty: any key is legal (the settings of a group are those of its optimizer).
void NameChecker::check_entries(const std::vector<ast::Entry>& entries, std::string_view block,
                                std::span<const std::string> known) {
  std::unordered_map<std::string, Span> seen;
  for (const ast::Entry& entry : entries) {
    if (const auto* optimize = entry.as<ast::Optimize>())
      check_entries(optimize->entries, "optimize", kOptimizeKeys);
    if (const auto* group = entry.as<ast::Group>()) check_entries(group->entries, "group", {});
    const auto* setting = entry.as<ast::Setting>();
    if (!setting) continue;
    check(setting->value);
    const auto [first, is_new] = seen.emplace(setting->key.text, setting->key.span);
    if (!is_new)
      diagnostics_.report(
          error("E0721", setting->key.span, fmt::format("`{}` is given twice", setting->key.text))
              .note("the first is here", first->second));
    if (known.empty() || std::ranges::find(known, setting->key.text) != known.end()) continue;
    Diagnostic finding = error("E0710", setting->key.span,
                               fmt::format("`{}` has no entry `{}`", block, setting->key.text));
    if (const auto guess = did_you_mean(setting->key.text, known))
      finding.help = fmt::format("did you mean `{}`?", *guess);
    report_entry(std::move(finding), entries, *setting);
  }
}

/// A setting of the optimizer that stands beside it gets its own words.
void NameChecker::report_entry(Diagnostic finding, const std::vector<ast::Entry>& entries,
                               const ast::Setting& setting) {
  for (const ast::Entry& entry : entries) {
    const auto* other = entry.as<ast::Setting>();
    if (!other || other->key.text != "optimizer") continue;
    const auto* call = other->value->as<ast::Call>();
    const ast::Expr& callee = call ? *call->callee : *other->value;
    const auto* name = callee.as<ast::NameRef>();
    if (!name) continue;
    const auto signature = signature_of(resolve(name->text, callee.span), name->text);
    const bool is_setting =
        signature && std::ranges::find(signature->parameters, setting.key.text,
                                       &CalledParameter::name) != signature->parameters.end();
    if (!is_setting) continue;
    const std::string_view value = setting.value->span.text();
    finding.message += "; it is a setting of the optimizer";
    finding.help = fmt::format("optimizer = {}({} = {}), or --set optimizer.{}={}", name->text,
                               setting.key.text, value, setting.key.text, value);
  }
  diagnostics_.report(std::move(finding));
}

}  // namespace gradc
