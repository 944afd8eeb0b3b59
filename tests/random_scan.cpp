// Builds bodies from a few kinds of cells.
#include "tests/random_scan.h"

#include <numeric>

#include "ir/builder.h"
#include "ir/ops/scan.h"
#include "tests/random_source.h"

namespace gradc::testing {
namespace {

using Ints = std::vector<int64_t>;

ValueId dot(GraphBuilder& b, ValueId x, ValueId y, int64_t contract_y = 0) {
  return b.add(OpKind::Dot, {x, y},
               {{"lhs_batch", Ints{}},
                {"rhs_batch", Ints{}},
                {"lhs_contract", Ints{1}},
                {"rhs_contract", Ints{contract_y}}});
}

struct Sizes {
  int64_t rows, width, length;
  DType dtype;
  Type state() const { return {dtype, Shape{rows, width}}; }
  Type row() const { return {dtype, Shape{width}}; }
  Type kernel() const { return {dtype, Shape{width, width}}; }
};

/// Inputs: carries h and c, elements x and y, constants kernel, bias, mask.
struct Cell {
  GraphBuilder b{"cell", GraphMode::Body};
  ValueId h, c, x, y, kernel, bias, mask;

  explicit Cell(const Sizes& sizes) {
    ValueId* const places[] = {&h, &c, &x, &y, &kernel, &bias, &mask};
    const Type types[] = {sizes.state(),  sizes.state(), sizes.state(), sizes.row(),
                          sizes.kernel(), sizes.row(),   sizes.state()};
    for (size_t i = 0; i < std::size(places); ++i)
      *places[i] = b.input(InputKind::Operand, fmt::format("a{}", i), types[i]);
  }
  ValueId rows(ValueId row) { return b.broadcast(row, b.shape(h), {1}); }
  void output(ValueId value) {
    b.output(OutputKind::Result, fmt::format("r{}", b.graph().outputs().size()), value);
  }
};

/// Rounds of an inner scan over the mask's rows, added up.
ValueId nested_sum(Cell& cell) {
  const Shape& shape = cell.b.shape(cell.h);
  const Type row{cell.b.dtype(cell.h), Shape{shape[1]}};
  GraphBuilder inner("inner", GraphMode::Body);
  const ValueId sum = inner.input(InputKind::Operand, "a0", row);
  const ValueId element = inner.input(InputKind::Operand, "a1", row);
  const ValueId weight = inner.input(InputKind::Operand, "a2", row);
  inner.output(OutputKind::Result, "r0",
               inner.add(OpKind::Sin, {inner.add(inner.mul(sum, weight), element)}));
  ops::ScanForm form;
  form.carries = form.sequences = 1;
  form.length = shape[0];
  form.body = std::make_shared<const Graph>(std::move(inner).build());
  return cell.b.add(OpKind::Scan, {cell.y, cell.h, cell.bias}, ops::scan_attrs(form));
}

Graph make_body(RandomSource& random, const Sizes& sizes) {
  Cell cell(sizes);
  GraphBuilder& b = cell.b;
  const ValueId one = b.fill(sizes.state(), 1);
  const ValueId held = random.chance(50) ? b.mul(cell.h, cell.mask) : cell.h;
  ValueId drive = b.add(dot(b, held, cell.kernel), cell.x);
  if (random.chance(50)) drive = b.add(drive, cell.rows(cell.bias));
  if (random.chance(50)) drive = b.mul(drive, cell.rows(b.add(OpKind::Exp, {cell.bias})));
  const ValueId gate = b.add(OpKind::Sigmoid, {drive});
  ValueId next = b.add(OpKind::Tanh, {b.add(drive, cell.rows(cell.y))});
  if (random.chance(50)) next = b.add(b.mul(gate, cell.h), b.mul(b.sub(one, gate), next));
  ValueId kept = b.add(b.mul(gate, cell.c), b.mul(next, cell.x));
  if (random.chance(30)) kept = b.add(kept, cell.rows(nested_sum(cell)));
  if (random.chance(20)) kept = cell.h;
  if (random.chance(20)) next = cell.c;
  cell.output(next);
  cell.output(kept);
  if (random.chance(60)) cell.output(next);
  if (random.chance(40)) cell.output(cell.h);
  if (random.chance(40)) cell.output(b.reduce(OpKind::Sum, gate, {0}));
  if (random.chance(20)) cell.output(cell.bias);
  if (random.chance(20)) cell.output(next);
  return std::move(b).build();
}

}  // namespace

Graph random_scan_graph(uint64_t seed, DType dtype) {
  RandomSource random(seed);
  const Sizes sizes{random.between(1, 5), random.between(1, 19),
                    random.chance(10) ? 0 : random.between(1, 5), dtype};
  GraphBuilder b("scans", GraphMode::Run);
  const auto input = [&](InputKind kind, const char* name, Type type) {
    return b.input(kind, name, std::move(type));
  };
  const auto stacked = [&](const Type& type) {
    std::vector<int64_t> dims{sizes.length};
    dims.insert(dims.end(), type.shape.begin(), type.shape.end());
    return Type{type.dtype, Shape(dims)};
  };
  const ValueId h = input(InputKind::Parameter, "h", sizes.state());
  const ValueId x = input(InputKind::Data, "x", stacked(sizes.state()));
  const ValueId y = input(InputKind::Parameter, "y", stacked(sizes.row()));
  const ValueId kernel = input(InputKind::Parameter, "kernel", sizes.kernel());
  const ValueId bias = input(InputKind::Parameter, "bias", sizes.row());
  const ValueId mask = random.chance(50) ? b.fill(sizes.state(), 1) : b.add(OpKind::Cos, {h});
  ops::ScanForm form;
  form.carries = form.sequences = 2;
  form.length = sizes.length;
  form.reverse = random.chance(50);
  form.body = std::make_shared<const Graph>(make_body(random, sizes));
  const std::vector<ValueId> results = b.add_node(
      OpKind::Scan, {h, b.fill(sizes.state(), 0), x, y, kernel, bias, mask}, ops::scan_attrs(form));
  for (size_t k = 0; k < results.size(); ++k)
    b.output(OutputKind::Output, fmt::format("y{}", k), results[k]);
  return std::move(b).build();
}

Graph with_gradients(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) rewriter.copy(node);
  GraphBuilder& b = rewriter.builder();
  ValueId y = b.fill({DType::F32, {}}, 0);
  for (const Output& output : graph.outputs()) {
    const ValueId value = rewriter.map(output.value);
    Ints axes(static_cast<size_t>(b.shape(value).rank()));
    std::iota(axes.begin(), axes.end(), 0);
    y = b.add(y, b.reduce(OpKind::Sum, b.mul(value, value), axes));
  }
  std::vector<ValueId> operands{y};
  for (size_t i = 0; i < graph.inputs().size(); ++i) operands.push_back(Graph::input_value(i));
  const std::vector<ValueId> gradients = b.add_node(OpKind::Gradient, operands);
  for (size_t i = 0; i < gradients.size(); ++i)
    b.output(OutputKind::Gradient, fmt::format("g{}", i), gradients[i]);
  return std::move(rewriter).finish();
}

}  // namespace gradc::testing
