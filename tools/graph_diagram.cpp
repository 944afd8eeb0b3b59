// Boxes and JSON objects of nodes.
#include "tools/graph_diagram.h"

#include <fmt/format.h>

#include "ir/op.h"

namespace gradc {
namespace {

using Json = nlohmann::ordered_json;

Color color_of(OpClass op_class) {
  switch (op_class) {
    case OpClass::Contraction:
      return 0xcfe0f5;
    case OpClass::Reduction:
      return 0xd5eff0;
    case OpClass::Region:
      return 0xf6efc8;
    default:
      return 0xeceff3;
  }
}

Json json_of(const AttrValue& value) {
  if (const auto* body = std::get_if<BodyRef>(&value)) return graph_as_json(**body);
  if (const auto* tensor = std::get_if<Tensor>(&value)) return to_string(tensor->type());
  if (const auto* dtype = std::get_if<DType>(&value)) return fmt::format("{}", *dtype);
  if (const auto* one = std::get_if<bool>(&value)) return *one;
  if (const auto* one = std::get_if<int64_t>(&value)) return *one;
  if (const auto* one = std::get_if<double>(&value)) return *one;
  if (const auto* one = std::get_if<std::string>(&value)) return *one;
  return std::get<std::vector<int64_t>>(value);
}

Json json_of(const Graph& graph, const Node& node) {
  Json json = {{"op", op_info(node.kind).name},
               {"operands", Json::array()},
               {"results", Json::array()},
               {"attributes", Json::object()}};
  for (const ValueId operand : node.operands) json["operands"].push_back(index(operand));
  for (const ValueId result : node.results)
    json["results"].push_back({{"value", index(result)}, {"type", to_string(graph.type(result))}});
  for (const auto& [name, value] : node.attrs.entries()) json["attributes"][name] = json_of(value);
  if (node.origin)
    json["origin"] = {{"file", node.origin->file},
                      {"line", node.origin->line},
                      {"column", node.origin->column},
                      {"role", node.origin->role}};
  return json;
}

}  // namespace

std::vector<DiagramNode> graph_nodes(const Graph& graph) {
  std::vector<DiagramNode> nodes;
  std::vector<size_t> maker(graph.value_count());
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const ValueId value = Graph::input_value(i);
    maker[index(value)] = nodes.size();
    nodes.push_back({fmt::format("{} {}", name(graph.inputs()[i].kind), graph.inputs()[i].name),
                     {to_string(graph.type(value))},
                     0xcfe8d5,
                     {}});
  }
  for (const Node& node : graph.nodes()) {
    DiagramNode box;
    box.title = op_info(node.kind).name;
    box.color = color_of(op_class(node.kind));
    for (const ValueId operand : node.operands) box.operands.push_back(maker[index(operand)]);
    for (const ValueId result : node.results) {
      maker[index(result)] = nodes.size();
      box.lines.push_back(to_string(graph.type(result)));
    }
    nodes.push_back(std::move(box));
  }
  for (const Output& output : graph.outputs())
    nodes.push_back({fmt::format("{} {}", name(output.kind), output.name),
                     {},
                     0xfbe0c4,
                     {maker[index(output.value)]}});
  return nodes;
}

nlohmann::ordered_json graph_as_json(const Graph& graph) {
  Json json = {{"name", graph.name},      {"mode", name(graph.mode)}, {"rows", graph.rows},
               {"inputs", Json::array()}, {"nodes", Json::array()},   {"outputs", Json::array()}};
  for (size_t i = 0; i < graph.inputs().size(); ++i)
    json["inputs"].push_back({{"kind", name(graph.inputs()[i].kind)},
                              {"name", graph.inputs()[i].name},
                              {"value", i},
                              {"type", to_string(graph.type(Graph::input_value(i)))}});
  for (const Node& node : graph.nodes()) json["nodes"].push_back(json_of(graph, node));
  for (const Output& output : graph.outputs())
    json["outputs"].push_back(
        {{"kind", name(output.kind)}, {"name", output.name}, {"value", index(output.value)}});
  return json;
}

}  // namespace gradc
