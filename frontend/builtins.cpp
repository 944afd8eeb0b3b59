// The names the language has without any text. One entry a name.
#include "frontend/builtins.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>

namespace gradc {
namespace {

using Parameter = BuiltinParameter;

constexpr Parameter required(std::string_view name) { return {name, false, {}}; }
constexpr Parameter optional(std::string_view name, std::string_view text) {
  return {name, true, text};
}

template <const auto& kParameters>
constexpr BuiltinSignature function(std::string_view name, std::string_view doc) {
  return {name, kParameters, doc, true};
}

constexpr std::array kX = {required("x")};
constexpr std::array kAB = {required("a"), required("b")};
constexpr std::array kXLowHigh = {required("x"), required("low"), required("high")};
constexpr std::array kConditionAB = {required("condition"), required("a"), required("b")};
constexpr std::array kXShape = {required("x"), required("shape")};
constexpr std::array kXOrder = {required("x"), optional("order", "none")};
constexpr std::array kXAxis = {required("x"), required("axis")};
constexpr std::array kPartsAxis = {required("parts"), required("axis")};
constexpr std::array kPartsAxis0 = {required("parts"), optional("axis", "0")};
constexpr std::array kXPartsAxis = {required("x"), required("parts"), required("axis")};
constexpr std::array kXWidthsValue = {required("x"), required("widths"), optional("value", "0")};
constexpr std::array kXAxisKeep = {required("x"), optional("axis", "none"),
                                   optional("keep", "false")};
constexpr std::array kXAxisKeepMinus1False = {required("x"), optional("axis", "-1"),
                                              optional("keep", "false")};
constexpr std::array kXAxisReverseExclusive = {required("x"), optional("axis", "-1"),
                                               optional("reverse", "false"),
                                               optional("exclusive", "false")};
constexpr std::array kXAxisDescending = {required("x"), optional("axis", "-1"),
                                         optional("descending", "false")};
constexpr std::array kXK = {required("x"), required("k")};
constexpr std::array kXKernelStridesPaddingDilationGroups = {required("x"),
                                                             required("kernel"),
                                                             optional("strides", "1"),
                                                             optional("padding", "\"valid\""),
                                                             optional("dilation", "1"),
                                                             optional("groups", "1")};
constexpr std::array kXAxesSizeStridesDilation = {required("x"), required("axes"), required("size"),
                                                  optional("strides", "none"),
                                                  optional("dilation", "1")};
constexpr std::array kXIndicesAxis = {required("x"), required("indices"), optional("axis", "0")};
constexpr std::array kXIndicesAxis1 = {required("x"), required("indices"), optional("axis", "-1")};
constexpr std::array kXIndicesUpdatesAxis = {required("x"), required("indices"),
                                             required("updates"), optional("axis", "0")};
constexpr std::array kIndicesClassesDtype = {required("indices"), required("classes"),
                                             optional("dtype", "f32")};
constexpr std::array kLabelClasses = {required("label"), required("classes")};
constexpr std::array kCountDtype = {required("count"), optional("dtype", "i32")};
constexpr std::array kShapeDtype = {required("shape"), optional("dtype", "f32")};
constexpr std::array kShapeValueDtype = {required("shape"), required("value"),
                                         optional("dtype", "f32")};
constexpr std::array kValuesDtype = {required("values"), optional("dtype", "none")};
constexpr std::array kShapeLowHighDtype = {required("shape"), optional("low", "0"),
                                           optional("high", "1"), optional("dtype", "f32")};
constexpr std::array kShapeMeanDeviationDtype = {
    required("shape"), optional("mean", "0"), optional("deviation", "1"), optional("dtype", "f32")};
constexpr std::array kXDtype = {required("x"), required("dtype")};
constexpr std::array kYX = {required("y"), required("x")};
constexpr std::array kXAxisNone = {required("x"), optional("axis", "none")};
constexpr std::array kStartStopStep = {required("start"), optional("stop", "none"),
                                       optional("step", "1")};
constexpr std::array kList = {required("list")};
constexpr std::array kValue = {required("value")};

constexpr std::array kSignatures = {
    function<kX>("abs", "The absolute value."),
    function<kX>("exp", "e to the power x."),
    function<kX>("expm1", "exp(x) - 1, exact near 0."),
    function<kX>("log", "The natural logarithm."),
    function<kX>("log1p", "log(1 + x), exact near 0."),
    function<kX>("sqrt", "The square root."),
    function<kX>("sin", "The sine of x in radians."),
    function<kX>("cos", "The cosine of x in radians."),
    function<kX>("tanh", "The hyperbolic tangent."),
    function<kX>("erf", "The error function."),
    function<kX>("erfc", "1 - erf(x), exact for large x."),
    function<kX>("sigmoid", "1 / (1 + exp(-x))."),
    function<kX>("sign", "-1, 0 or 1."),
    function<kX>("floor", "Rounds down to a whole value."),
    function<kX>("ceil", "Rounds up to a whole value."),
    function<kX>("round", "Rounds to the nearest whole value, halves to even."),
    function<kAB>("maximum", "The greater of two, elementwise."),
    function<kAB>("minimum", "The lesser of two, elementwise."),
    function<kXLowHigh>("clip", "x, at least low and at most high."),
    function<kConditionAB>("select",
                           "a where the condition holds, b elsewhere; both are computed."),
    function<kXShape>("reshape", "The same elements in row-major order under another shape."),
    function<kXOrder>("transpose", "Axes in another order; without one the last two swap."),
    function<kXAxis>("expand", "Inserts an axis of size 1."),
    function<kXShape>("broadcast", "Repeats along axes of size 1 and new leading axes."),
    function<kPartsAxis>("concat", "Joins a list of tensors along an axis."),
    function<kPartsAxis0>("stack", "Joins a list of tensors along a new axis."),
    function<kXPartsAxis>("split", "A list of equal parts along an axis, or of the sizes listed."),
    function<kXAxis>("reverse", "Turns an axis round."),
    function<kXWidthsValue>("pad", "Adds elements around: a [before, after] for each axis."),
    function<kXAxisKeep>("sum", "The sum over an axis, a list of axes, or everything."),
    function<kXAxisKeep>("mean", "The mean over an axis, a list of axes, or everything."),
    function<kXAxisKeep>("max", "The greatest over an axis, a list of axes, or everything."),
    function<kXAxisKeep>("min", "The least over an axis, a list of axes, or everything."),
    function<kXAxisKeep>("prod", "The product over an axis, a list of axes, or everything."),
    function<kXAxisKeepMinus1False>(
        "argmax", "The index of the greatest along an axis, the first of equals."),
    function<kXAxisKeepMinus1False>("argmin",
                                    "The index of the least along an axis, the first of equals."),
    function<kXAxisReverseExclusive>(
        "cumulative_sum",
        "Running sums along an axis, from its end with `reverse`, without the element itself with "
        "`exclusive`; of ints in i64."),
    function<kXAxisDescending>(
        "sort", "The elements in order along an axis, NaNs last; equal ones keep their order."),
    function<kXAxisDescending>("argsort",
                               "The positions, i32, in the order in which `sort` takes them."),
    function<kXK>("top_k",
                  "[values, indices] of the k greatest along the last axis, the greatest first."),
    function<kXIndicesAxis1>("take_along_axis",
                             "x at the indices along one axis, of a shape that agrees on the "
                             "others; out of range counts as the nearest."),
    function<kXKernelStridesPaddingDilationGroups>(
        "convolution",
        "Slides a kernel [window…, in / groups, out] over x [batch, size…, in]. padding: "
        "\"valid\", \"same\" (size / strides, rounded up), or a width or [before, after] for each "
        "axis."),
    function<kXKernelStridesPaddingDilationGroups>(
        "convolution_transpose",
        "The derivative of convolution by its x: spreads x [batch, size…, in] with a kernel "
        "[window…, out / groups, in] over size * strides elements, and what \"valid\" needs more."),
    function<kXAxesSizeStridesDilation>(
        "windows",
        "Windows of x: each of the axes becomes two, the places of a window of that size and the "
        "elements in it."),
    function<kXIndicesAxis>("gather", "The slices of x at the indices, along an axis."),
    function<kXIndicesUpdatesAxis>("scatter_add",
                                   "x with the updates added at the indices, along an axis."),
    function<kIndicesClassesDtype>("one_hot", "1 at the index along a new last axis, 0 elsewhere."),
    function<kLabelClasses>("index_range",
                            "label; if it comes straight from the data, every element is checked "
                            "to be in [0, classes) when the data is loaded."),
    function<kCountDtype>("iota", "0, 1, … count - 1 as a tensor."),
    function<kShapeDtype>("zeros", "Zeros."),
    function<kShapeDtype>("ones", "Ones."),
    function<kShapeValueDtype>("full", "One value everywhere."),
    function<kValuesDtype>("tensor", "A list of numbers, or of lists, as a tensor."),
    function<kX>("zeros_like", "Zeros of the shape and dtype of x."),
    function<kX>("ones_like", "Ones of the shape and dtype of x."),
    function<kShapeLowHighDtype>(
        "random_uniform",
        "Fresh draws in each step, from [low, high) before they are rounded to the dtype."),
    function<kShapeMeanDeviationDtype>("random_normal", "Fresh normal draws in each step."),
    function<kXDtype>("convert",
                      "The values under another dtype; a float to an int truncates toward zero."),
    function<kX>("stop_gradient", "x, through which no gradient flows."),
    function<kYX>("gradient", "The total derivative of the scalar y by x, or by each of a list."),
    function<kX>("accumulate", "The sum over the batches of a pass, in a metric."),
    function<kX>("shape", "The list of dimensions."),
    function<kXAxisNone>("size", "One dimension, or the number of elements."),
    function<kX>("rank", "The number of dimensions."),
    function<kX>("dtype", "The element type."),
    function<kStartStopStep>("range", "The list 0 … start - 1, or start … stop - 1."),
    function<kList>("len", "The number of elements."),
    function<kValue>("kind",
                     "The kind of a value as a string: \"int\", \"float\", \"tensor\", \"list\" …"),
    BuiltinSignature{"pi", {}, "3.14159…, the circumference of a circle of diameter 1.", false},
};

}  // namespace

std::span<const BuiltinSignature> builtin_signatures() { return kSignatures; }

const BuiltinSignature* find_builtin(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const BuiltinSignature*> index;
    for (const BuiltinSignature& signature : kSignatures) index[signature.name] = &signature;
    return index;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

std::span<const std::string_view> train_names() {
  static constexpr std::array<std::string_view, 13> kNames = {
      "digits", "xor",  "fizzbuzz",    "mnist",           "csv",  "npz", "npy", "text",
      "images", "load", "total_steps", "steps_per_epoch", "noise"};
  return kNames;
}

std::string signature_text(const BuiltinSignature& signature) {
  std::string text(signature.name);
  if (!signature.is_function) return text;
  text += '(';
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    const BuiltinParameter& parameter = signature.parameters[i];
    if (i > 0) text += ", ";
    text += parameter.name;
    if (parameter.has_default) text += fmt::format(" = {}", parameter.default_text);
  }
  return text + ")";
}

}  // namespace gradc
