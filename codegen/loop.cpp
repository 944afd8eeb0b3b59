// Text form of kernels, and what the runtime wants to know about them.
#include "codegen/loop.h"

#include <algorithm>
#include <iterator>

#include "ir/op.h"
#include "ir/op_cost.h"

namespace gradc::loop {
namespace {

template <typename Id>
uint32_t number(Id id) {
  return static_cast<uint32_t>(id);
}

std::string_view name(ReduceKind kind) {
  static constexpr std::string_view kNames[] = {"sum", "max", "min", "prod", "argmax", "argmin"};
  return kNames[static_cast<size_t>(kind)];
}

std::string literal_text(const Tensor& value) {
  if (value.dtype() == DType::I64) return fmt::format("{}", value.span<int64_t>()[0]);
  return fmt::format("{}", value.at(0));
}

class Printer {
 public:
  std::string print(const Kernel& kernel) {
    line("kernel {}", kernel.name);
    ++depth_;
    for (size_t b = 0; b < kernel.buffers.size(); ++b) {
      const Buffer& buffer = kernel.buffers[b];
      line("buffer b{} {}: {}[{}]{}", b, buffer.name, buffer.dtype, buffer.elements,
           buffer.is_local     ? " local"
           : buffer.is_written ? " written"
                               : "");
    }
    statements(kernel.body);
    return std::move(text_);
  }

 private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_.append(2 * depth_, ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  static std::string affine(const Affine& map) {
    std::string text;
    for (size_t v = 0; v < map.strides.size(); ++v) {
      if (map.strides[v] == 0) continue;
      if (!text.empty()) text += " + ";
      text +=
          map.strides[v] == 1 ? fmt::format("i{}", v) : fmt::format("{}*i{}", map.strides[v], v);
    }
    if (map.offset != 0 || text.empty())
      text += text.empty() ? fmt::format("{}", map.offset) : fmt::format(" + {}", map.offset);
    return text;
  }
  static std::string access(const Access& at) {
    std::string text = fmt::format("b{}[{}", at.buffer, affine(at.position));
    for (const Indirection& indirection : at.indirections)
      text += fmt::format(" + {}*clamp(v{}, {})", indirection.stride, number(indirection.index),
                          indirection.size);
    return text + "]";
  }

  void statements(const std::vector<Stmt>& body) {
    for (const Stmt& stmt : body) std::visit([this](const auto& typed) { statement(typed); }, stmt);
  }
  void statement(const Let& let) {
    line("v{}: {} = {}", number(let.id), let.dtype,
         std::visit([](const auto& value) { return expression(value); }, let.value));
  }
  void statement(const Accumulator& accumulator) {
    std::string text = fmt::format("a{}: {} = {}", number(accumulator.id), accumulator.dtype,
                                   name(accumulator.kind));
    if (accumulator.start) text += fmt::format(" from v{}", number(*accumulator.start));
    line("{}", text);
  }
  void statement(const Accumulate& accumulate) {
    std::string text =
        fmt::format("a{} <- v{}", number(accumulate.accumulator), number(accumulate.value));
    if (accumulate.factor) text += fmt::format(" * v{}", number(*accumulate.factor));
    if (!accumulate.position.strides.empty()) text += " at " + affine(accumulate.position);
    line("{}", text);
  }
  void statement(const Store& store) {
    const std::string guard =
        store.guard ? fmt::format(" guard{} b{}", store.guard->admits_infinity ? " nan" : "",
                                  store.guard->buffer)
                    : "";
    line("{} {} v{}{}", access(store.access), store.add ? "+=" : "=", number(store.value), guard);
  }
  void statement(const For& loop) {
    line("for i{} < {}{}{}", number(loop.var), loop.extent, loop.parallel ? " parallel" : "",
         loop.vector ? " vector" : "");
    ++depth_;
    statements(loop.body);
    --depth_;
  }

  static std::string expression(const Load& load) { return access(load.access); }
  static std::string expression(const Literal& literal) { return literal_text(literal.value); }
  static std::string expression(const Iota& iota) { return "iota " + affine(iota.position); }
  static std::string expression(const Draw& draw) {
    return fmt::format("draw stream v{} seed v{} step v{} at {}", number(draw.stream),
                       number(draw.seed), number(draw.step), affine(draw.position));
  }
  static std::string expression(const Apply& apply) {
    std::string text(op_info(apply.kind).name);
    for (LetId operand : apply.operands) text += fmt::format(" v{}", number(operand));
    return text;
  }
  static std::string expression(const ReadAccumulator& read) {
    return fmt::format("read a{}", number(read.accumulator));
  }

  std::string text_;
  size_t depth_ = 0;
};

/// Adds up what the statements cost; a scalar costs as much as a vector.
class CostModel {
 public:
  double of(const std::vector<Stmt>& body, double trips, bool in_vector, uint32_t vector_var) {
    double cost = 0;
    const double elements = in_vector ? trips : trips * static_cast<double>(kVectorElements);
    for (const Stmt& stmt : body) {
      if (const auto* let = std::get_if<Let>(&stmt)) {
        cost += elements * let_cost(*let, in_vector, vector_var);
      } else if (const auto* accumulate = std::get_if<Accumulate>(&stmt)) {
        // A multiply-add costs what the loads of its operands are counted for.
        if (!accumulate->factor) cost += elements * 2 * op_cost_ns(OpKind::Add, DType::F32);
      } else if (const auto* store = std::get_if<Store>(&stmt)) {
        cost += elements * access_cost(store->access, in_vector, vector_var);
      } else if (const auto* loop = std::get_if<For>(&stmt)) {
        int64_t extent = loop->extent;
        if (loop->vector)
          extent = (extent + kVectorElements - 1) / kVectorElements * kVectorElements;
        cost += of(loop->body, trips * static_cast<double>(extent), in_vector || loop->vector,
                   loop->vector ? number(loop->var) : vector_var);
      }
    }
    return cost;
  }

 private:
  static double access_cost(const Access& access, bool in_vector, uint32_t vector_var) {
    if (!access.indirections.empty()) return kStridedAccessCostNs;
    const std::vector<int64_t>& strides = access.position.strides;
    const int64_t stride = in_vector && vector_var < strides.size() ? strides[vector_var] : 0;
    return stride == 0 || stride == 1 ? kAccessCostNs : kStridedAccessCostNs;
  }
  static double let_cost(const Let& let, bool in_vector, uint32_t vector_var) {
    if (const auto* load = std::get_if<Load>(&let.value))
      return access_cost(load->access, in_vector, vector_var);
    if (const auto* apply = std::get_if<Apply>(&let.value))
      return op_cost_ns(apply->kind, let.dtype);
    return std::holds_alternative<Draw>(let.value) ? kDrawCostNs : 0;
  }
};

const For* parallel_loop(const Kernel& kernel) {
  for (const Stmt& stmt : kernel.body)
    if (const auto* loop = std::get_if<For>(&stmt); loop != nullptr && loop->parallel) return loop;
  return nullptr;
}

/// Threads start at multiples of whole vectors of every dtype and of whole blocks of random words.
constexpr int64_t kVectorGrain = 64;

}  // namespace

size_t Kernel::pointer_count() const {
  const auto is_given = [](const Buffer& buffer) { return !buffer.is_local; };
  return static_cast<size_t>(std::count_if(buffers.begin(), buffers.end(), is_given));
}

int64_t Kernel::parallel_extent() const {
  const For* loop = parallel_loop(*this);
  return loop == nullptr ? 1 : loop->extent;
}

int64_t Kernel::parallel_grain() const {
  const For* loop = parallel_loop(*this);
  return loop != nullptr && loop->vector ? kVectorGrain : 1;
}

double Kernel::cost_ns() const {
  double cost = CostModel().of(body, 1, false, 0);
  for (const Buffer& buffer : buffers)
    if (!buffer.is_local)
      cost += static_cast<double>(buffer.elements * size_bytes(buffer.dtype)) * kByteCostNs;
  return cost;
}

bool takes_extent_from_range(const Kernel& kernel) {
  if (kernel.body.empty()) return false;
  const auto* loop = std::get_if<For>(&kernel.body.back());
  if (loop == nullptr || !loop->parallel || !loop->vector || loop->extent == 0) return false;
  // An iota is narrow or wide by the extent; additions in memory, and stores that all lanes make to
  // one element, want the number of active lanes in the text.
  const auto depends = [&](const Stmt& stmt) {
    const auto* let = std::get_if<Let>(&stmt);
    const auto* store = std::get_if<Store>(&stmt);
    if (store != nullptr) {
      const std::vector<int64_t>& strides = store->access.position.strides;
      const auto var = static_cast<size_t>(loop->var);
      return store->add || var >= strides.size() || strides[var] == 0;
    }
    return std::holds_alternative<For>(stmt) ||
           (let != nullptr && std::holds_alternative<Iota>(let->value));
  };
  return std::none_of(kernel.body.begin(), kernel.body.end() - 1, depends) &&
         std::none_of(loop->body.begin(), loop->body.end(), depends);
}

std::string print(const Kernel& kernel) { return Printer().print(kernel); }

}  // namespace gradc::loop
