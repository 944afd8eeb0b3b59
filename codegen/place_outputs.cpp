// Memory of the outputs, state updates in place, and the order of the blocks.
#include <algorithm>
#include <functional>
#include <optional>
#include <queue>

#include "codegen/draft.h"

namespace gradc {

namespace {

/// Position of the input that the output is the new value of, or -1.
int32_t updated_input(const Graph& graph, const Output& output) {
  const std::optional<InputKind> kind = updated_input_kind(output.kind);
  if (!kind) return -1;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Input& input = graph.inputs()[i];
    if (input.kind != *kind || input.name != output.name) continue;
    CHECK(graph.type(Graph::input_value(i)) == graph.type(output.value),
          "{} changes its type from {} to {}", output.name,
          to_string(graph.type(Graph::input_value(i))), to_string(graph.type(output.value)));
    return static_cast<int32_t>(i);
  }
  return -1;
}

bool contains(const std::vector<int32_t>& list, int32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// successors[b]: blocks that must come after b.
std::vector<std::vector<int32_t>> find_successors(const Draft& draft) {
  std::vector<int32_t> writer(draft.storages.size(), -1);
  for (size_t b = 0; b < draft.blocks.size(); ++b)
    for (int32_t storage : draft.blocks[b].writes)
      writer[static_cast<size_t>(storage)] = static_cast<int32_t>(b);
  std::vector<std::vector<int32_t>> successors(draft.blocks.size());
  for (size_t b = 0; b < draft.blocks.size(); ++b) {
    for (int32_t storage : draft.blocks[b].reads) {
      const int32_t producer = writer[static_cast<size_t>(storage)];
      if (producer >= 0 && producer != static_cast<int32_t>(b))
        successors[static_cast<size_t>(producer)].push_back(static_cast<int32_t>(b));
    }
  }
  for (const OrderEdge& edge : draft.extra_order)
    successors[static_cast<size_t>(edge.before)].push_back(edge.after);
  return successors;
}

/// Marks every block that must come after `start`.
std::vector<bool> find_reachable(const Draft& draft, int32_t start) {
  const auto successors = find_successors(draft);
  std::vector<bool> reached(draft.blocks.size(), false);
  std::vector<int32_t> open{start};
  while (!open.empty()) {
    const int32_t block = open.back();
    open.pop_back();
    for (int32_t next : successors[static_cast<size_t>(block)]) {
      if (reached[static_cast<size_t>(next)]) continue;
      reached[static_cast<size_t>(next)] = true;
      open.push_back(next);
    }
  }
  return reached;
}

class OutputPlacer {
 public:
  OutputPlacer(const Graph& graph, Draft& draft) : graph_(graph), draft_(draft) {}

  std::vector<ProgramOutput> run();

 private:
  int32_t storage_of(size_t output) const {
    return draft_.value_storage[index(graph_.outputs()[output].value)];
  }
  int32_t input_storage(int32_t input) const {
    return draft_.value_storage[static_cast<size_t>(input)];
  }
  bool is_updated(int32_t storage) const;
  bool update_in_place(int32_t storage, int32_t input);
  void place_state(size_t output);
  void place_result(size_t output);
  int32_t writer_of(int32_t storage) const;
  int32_t add_copy(const std::string& name, int32_t from, int32_t to);
  void order_after_readers(int32_t block, int32_t old_value);
  int32_t save_old_value(size_t output);

  const Graph& graph_;
  Draft& draft_;
  std::vector<ProgramOutput> outputs_;
  std::vector<int32_t> saved_;  // by output: where the old value of another state is kept, or -1
};

bool OutputPlacer::is_updated(int32_t storage) const {
  const Storage& candidate = draft_.storage(storage);
  if (candidate.place != Place::Input) return false;
  return std::any_of(outputs_.begin(), outputs_.end(), [&](const ProgramOutput& output) {
    return output.updates_input == candidate.offset;
  });
}

int32_t OutputPlacer::writer_of(int32_t storage) const {
  for (size_t b = 0; b < draft_.blocks.size(); ++b)
    if (contains(draft_.blocks[b].writes, storage)) return static_cast<int32_t>(b);
  return -1;
}

int32_t OutputPlacer::add_copy(const std::string& name, int32_t from, int32_t to) {
  StepBlock block;
  block.name = name;
  block.backend = "copy";
  block.steps.push_back(CopyStep{name, from, to});
  block.reads = {from};
  block.writes = {to};
  draft_.blocks.push_back(std::move(block));
  return static_cast<int32_t>(draft_.blocks.size()) - 1;
}

void OutputPlacer::order_after_readers(int32_t block, int32_t old_value) {
  for (size_t b = 0; b < draft_.blocks.size(); ++b)
    if (static_cast<int32_t>(b) != block && contains(draft_.blocks[b].reads, old_value))
      draft_.extra_order.push_back({static_cast<int32_t>(b), block});
}

bool OutputPlacer::update_in_place(int32_t storage, int32_t input) {
  const int32_t old_value = input_storage(input);
  const int32_t writer = writer_of(storage);
  if (writer < 0 || draft_.storage(storage).place != Place::Arena) return false;
  const StepBlock& block = draft_.blocks[static_cast<size_t>(writer)];
  const std::pair<int32_t, int32_t> pair{old_value, storage};
  const bool reads_in_place =
      std::find(block.in_place.begin(), block.in_place.end(), pair) != block.in_place.end();
  if (contains(block.reads, old_value) && !reads_in_place) return false;
  const std::vector<bool> later = find_reachable(draft_, writer);
  for (size_t b = 0; b < draft_.blocks.size(); ++b)
    if (later[b] && contains(draft_.blocks[b].reads, old_value)) return false;
  order_after_readers(writer, old_value);
  Storage& target = draft_.storage(storage);
  target.name = draft_.storage(old_value).name;
  target.place = Place::Input;
  target.offset = input;
  return true;
}

/// The new value is the old value of another state, which may be overwritten first: keep it.
int32_t OutputPlacer::save_old_value(size_t output) {
  const std::string name = outputs_[output].name + ":old";
  const int32_t kept = draft_.add_storage({name, outputs_[output].type.size_bytes()});
  add_copy(name, storage_of(output), kept);
  return kept;
}

void OutputPlacer::place_state(size_t output) {
  const int32_t input = outputs_[output].updates_input;
  const int32_t storage = saved_[output] >= 0 ? saved_[output] : storage_of(output);
  if (storage == input_storage(input)) return;
  if (saved_[output] < 0 && update_in_place(storage, input)) return;
  const ProgramOutput& description = outputs_[output];
  const int64_t bytes = description.type.size_bytes();
  const int32_t target = draft_.add_storage({description.name, bytes, Place::Input, input});
  order_after_readers(add_copy(description.name, storage, target), input_storage(input));
}

void OutputPlacer::place_result(size_t output) {
  const int32_t storage = storage_of(output);
  Storage& target = draft_.storage(storage);
  if (target.place == Place::Arena) {
    target.name = outputs_[output].name;
    target.place = Place::Output;
    target.offset = static_cast<int64_t>(output);
    return;
  }
  const ProgramOutput& description = outputs_[output];
  const int32_t copy = draft_.add_storage({description.name, description.type.size_bytes(),
                                           Place::Output, static_cast<int64_t>(output)});
  add_copy(description.name, storage, copy);
}

std::vector<ProgramOutput> OutputPlacer::run() {
  for (const Output& output : graph_.outputs())
    outputs_.push_back(
        {output.kind, output.name, graph_.type(output.value), updated_input(graph_, output)});
  saved_.assign(outputs_.size(), -1);
  // Copies of old values are readers that the choices for states must respect: they come first.
  std::vector<bool> is_done(outputs_.size(), false);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const int32_t input = outputs_[i].updates_input;
    const int32_t storage = storage_of(i);
    if (input >= 0 && storage != input_storage(input) && is_updated(storage))
      saved_[i] = save_old_value(i);
    is_done[i] = input < 0 && draft_.storage(storage).place == Place::Input;
    if (is_done[i]) place_result(i);
  }
  for (size_t i = 0; i < outputs_.size(); ++i)
    if (outputs_[i].updates_input >= 0) place_state(i);
  for (size_t i = 0; i < outputs_.size(); ++i)
    if (outputs_[i].updates_input < 0 && !is_done[i]) place_result(i);
  return std::move(outputs_);
}

}  // namespace

std::vector<ProgramOutput> place_outputs(const Graph& graph, Draft& draft) {
  return OutputPlacer(graph, draft).run();
}

std::vector<int32_t> order_blocks(const Draft& draft) {
  const auto successors = find_successors(draft);
  std::vector<int32_t> waiting_for(draft.blocks.size(), 0);
  for (const auto& list : successors)
    for (int32_t next : list) ++waiting_for[static_cast<size_t>(next)];
  std::priority_queue<int32_t, std::vector<int32_t>, std::greater<>> ready;
  for (size_t b = 0; b < draft.blocks.size(); ++b)
    if (waiting_for[b] == 0) ready.push(static_cast<int32_t>(b));
  std::vector<int32_t> order;
  while (!ready.empty()) {
    const int32_t block = ready.top();
    ready.pop();
    order.push_back(block);
    for (int32_t next : successors[static_cast<size_t>(block)])
      if (--waiting_for[static_cast<size_t>(next)] == 0) ready.push(next);
  }
  CHECK(order.size() == draft.blocks.size(), "the steps wait for each other");
  return order;
}

}  // namespace gradc
