// Every value of a graph: interpreted, or as compiled code makes it.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "ir/graph.h"
#include "runtime/program.h"

namespace gradc {

/// By id, where they are known.
using Values = std::vector<Tensor>;

/// Turns a fused graph into a program.
using CompileGraph = std::function<std::shared_ptr<const Program>(const Graph&)>;

std::vector<Tensor> operands_of(const Node& node, const Values& values);
/// Results of one node, by the interpreter.
std::vector<Tensor> evaluate(const Graph& graph, const Node& node, const Values& values);
Values interpreted_values(const Graph& graph, std::span<const Tensor> inputs);

/// A group or a scan: what is compiled; all else is there already, or a view.
bool is_compiled(const Node& node);
/// The same graph with the results of all groups and scans as its outputs, and nothing updated.
Graph with_all_outputs(const Graph& fused);
/// Runs a graph of with_all_outputs. Memory for all values at once; `inputs` stay as they are.
Values compiled_values(const Graph& graph, std::span<const Tensor> inputs,
                       const CompileGraph& compile_graph);

/// "group %31 = add, maximum (mnist_mlp.grad:3)".
std::string describe_node(const Graph& graph, const Node& node);
/// " (mnist_mlp.grad:3:12, gradient of hidden.kernel)"; empty where it is not known.
std::string describe_place(const Node& node);

}  // namespace gradc
