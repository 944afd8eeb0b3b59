// Layers by the longest way, order by barycentres, places by least squares, edges as curves.
#include "tools/layered_layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace gradc {
namespace {

constexpr double kGapBetweenNodes = 28;
constexpr double kGapBetweenLayers = 34;
constexpr double kMargin = 16;
constexpr int kSweeps = 12;
constexpr int kPointsOfCurve = 14;

/// A node or a place where an edge passes through a layer.
struct Cell {
  double width = 0, height = 0;
  size_t layer = 0;
  double x = 0;  // of the middle
  std::vector<size_t> above = {}, below = {};
};

class LayeredLayout {
 public:
  explicit LayeredLayout(const std::vector<LayoutNode>& nodes) : nodes_(nodes) {
    find_layers();
    make_cells();
    for (int sweep = 0; sweep < kSweeps; ++sweep) order(sweep % 2 == 0);
    for (std::vector<size_t>& layer : layers_) spread(layer, {});
    for (int sweep = 0; sweep < 2 * kSweeps; ++sweep) settle(sweep % 2 == 0);
  }

  Layout make() {
    Layout layout;
    double left = 1e300, right = -1e300;
    for (const Cell& cell : cells_) {
      left = std::min(left, cell.x - cell.width / 2);
      right = std::max(right, cell.x + cell.width / 2);
    }
    for (Cell& cell : cells_) cell.x += kMargin - left;
    layout.width = right - left + 2 * kMargin;
    double y = kMargin;
    for (const std::vector<size_t>& layer : layers_) {
      double height = 0;
      for (const size_t cell : layer) height = std::max(height, cells_[cell].height);
      tops_.push_back(y);
      heights_.push_back(height);
      y += height + kGapBetweenLayers;
    }
    layout.height = y - kGapBetweenLayers + kMargin;
    for (size_t i = 0; i < nodes_.size(); ++i)
      layout.corners.push_back({cells_[i].x - cells_[i].width / 2, top(i)});
    for (size_t i = 0; i < nodes_.size(); ++i) {
      layout.edges.emplace_back();
      for (size_t k = 0; k < nodes_[i].operands.size(); ++k)
        layout.edges.back().push_back(curve(i, k));
    }
    return layout;
  }

 private:
  double top(size_t cell) const {
    return tops_[cells_[cell].layer] + (heights_[cells_[cell].layer] - cells_[cell].height) / 2;
  }

  void find_layers() {
    layer_of_.assign(nodes_.size(), 0);
    std::vector<std::optional<size_t>> first_user(nodes_.size());
    for (size_t i = 0; i < nodes_.size(); ++i)
      for (const size_t operand : nodes_[i].operands)
        layer_of_[i] = std::max(layer_of_[i], layer_of_[operand] + 1);
    // What has no operands stands right above its first user.
    for (size_t i = 0; i < nodes_.size(); ++i)
      for (const size_t operand : nodes_[i].operands)
        first_user[operand] = std::min(first_user[operand].value_or(layer_of_[i]), layer_of_[i]);
    for (size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].operands.empty() && first_user[i]) layer_of_[i] = *first_user[i] - 1;
  }

  void make_cells() {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      Cell cell;
      cell.width = nodes_[i].width;
      cell.height = nodes_[i].height;
      add(cell, layer_of_[i]);
    }
    passes_.resize(nodes_.size());
    for (size_t i = 0; i < nodes_.size(); ++i)
      for (const size_t operand : nodes_[i].operands) {
        size_t from = operand;
        passes_[i].emplace_back();
        for (size_t layer = layer_of_[operand] + 1; layer < layer_of_[i]; ++layer) {
          const size_t pass = add(Cell{.width = 8}, layer);
          passes_[i].back().push_back(pass);
          link(from, pass);
          from = pass;
        }
        link(from, i);
      }
  }

  size_t add(Cell cell, size_t layer) {
    cell.layer = layer;
    if (layers_.size() <= layer) layers_.resize(layer + 1);
    layers_[layer].push_back(cells_.size());
    cells_.push_back(std::move(cell));
    return cells_.size() - 1;
  }

  void link(size_t upper, size_t lower) {
    cells_[upper].below.push_back(lower);
    cells_[lower].above.push_back(upper);
  }

  template <typename Use>
  void sweep_layers(bool is_downward, const Use& use) {
    for (size_t i = 0; i < layers_.size(); ++i)
      use(layers_[is_downward ? i : layers_.size() - 1 - i]);
  }

  void order(bool is_downward) {
    std::vector<double> place(cells_.size());
    for (const std::vector<size_t>& layer : layers_)
      for (size_t i = 0; i < layer.size(); ++i)
        place[layer[i]] = static_cast<double>(i) - static_cast<double>(layer.size()) / 2;
    sweep_layers(is_downward, [&](std::vector<size_t>& layer) {
      std::vector<std::pair<double, size_t>> keyed;
      for (const size_t cell : layer) {
        const std::vector<size_t>& near = is_downward ? cells_[cell].above : cells_[cell].below;
        double sum = 0;
        for (const size_t other : near) sum += place[other];
        keyed.emplace_back(near.empty() ? place[cell] : sum / static_cast<double>(near.size()),
                           cell);
      }
      std::stable_sort(keyed.begin(), keyed.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      for (size_t i = 0; i < layer.size(); ++i) {
        layer[i] = keyed[i].second;
        place[layer[i]] = static_cast<double>(i) - static_cast<double>(layer.size()) / 2;
      }
    });
  }

  void settle(bool is_downward) {
    sweep_layers(is_downward, [&](std::vector<size_t>& layer) {
      std::vector<double> wanted;
      for (const size_t cell : layer) {
        const std::vector<size_t>& near = is_downward ? cells_[cell].above : cells_[cell].below;
        double sum = 0;
        for (const size_t other : near) sum += cells_[other].x;
        wanted.push_back(near.empty() ? cells_[cell].x : sum / static_cast<double>(near.size()));
      }
      spread(layer, wanted);
    });
  }

  /// The places with the least sum of squared distances to the wanted ones (without: to 0) that
  /// leave the gaps. With the widths taken off, the order of the places must only not fall: a run
  /// that falls is merged to its mean.
  void spread(const std::vector<size_t>& layer, const std::vector<double>& wanted) {
    struct Run {
      double sum;
      size_t count;
      double mean() const { return sum / static_cast<double>(count); }
    };
    std::vector<double> offset(layer.size(), 0);
    for (size_t i = 1; i < layer.size(); ++i)
      offset[i] = offset[i - 1] + kGapBetweenNodes +
                  (cells_[layer[i - 1]].width + cells_[layer[i]].width) / 2;
    std::vector<Run> runs;
    for (size_t i = 0; i < layer.size(); ++i) {
      runs.push_back({(wanted.empty() ? 0 : wanted[i]) - offset[i], 1});
      while (runs.size() > 1 && runs[runs.size() - 2].mean() > runs.back().mean()) {
        const Run last = runs.back();
        runs.pop_back();
        runs.back().sum += last.sum;
        runs.back().count += last.count;
      }
    }
    size_t i = 0;
    for (const Run& run : runs)
      for (size_t k = 0; k < run.count; ++k, ++i) cells_[layer[i]].x = run.mean() + offset[i];
  }

  /// Vertical at every layer it meets.
  std::vector<Point> curve(size_t node, size_t operand) const {
    const size_t from = nodes_[node].operands[operand];
    std::vector<Point> points = {{cells_[from].x, top(from) + cells_[from].height}};
    const auto go_to = [&](Point to) {
      const Point start = points.back();
      const double half = (to.y - start.y) / 2;
      if (std::abs(to.x - start.x) < 0.5) return points.push_back(to);
      for (int i = 1; i <= kPointsOfCurve; ++i) {
        const double t = static_cast<double>(i) / kPointsOfCurve, s = 1 - t;
        const double bend = 3 * s * s * t, lift = 3 * s * t * t;
        points.push_back({s * s * s * start.x + bend * start.x + lift * to.x + t * t * t * to.x,
                          s * s * s * start.y + bend * (start.y + half) + lift * (to.y - half) +
                              t * t * t * to.y});
      }
    };
    const auto below_layer = [&](size_t layer) { return tops_[layer] + heights_[layer]; };
    if (points.back().y < below_layer(cells_[from].layer))
      points.push_back({cells_[from].x, below_layer(cells_[from].layer)});
    for (const size_t pass : passes_[node][operand]) {
      go_to({cells_[pass].x, tops_[cells_[pass].layer]});
      points.push_back({cells_[pass].x, below_layer(cells_[pass].layer)});
    }
    // The arrows of several operands end side by side.
    const auto count = static_cast<double>(nodes_[node].operands.size());
    const double step = std::min(16.0, cells_[node].width / (count + 1));
    const double end = cells_[node].x + step * (rank_of(node, operand) - (count - 1) / 2);
    const double tip = top(node);
    go_to({end, tops_[cells_[node].layer] - 4});
    points.push_back({end, tip});
    return points;
  }

  /// How many other operands come in further to the left.
  double rank_of(size_t node, size_t operand) const {
    const auto entry = [&](size_t k) {
      const std::vector<size_t>& passes = passes_[node][k];
      return cells_[passes.empty() ? nodes_[node].operands[k] : passes.back()].x;
    };
    double rank = 0;
    for (size_t k = 0; k < passes_[node].size(); ++k)
      rank += entry(k) < entry(operand) || (entry(k) == entry(operand) && k < operand);
    return rank;
  }

  const std::vector<LayoutNode>& nodes_;
  std::vector<size_t> layer_of_;
  std::vector<Cell> cells_;  // those of the nodes come first
  std::vector<std::vector<size_t>> layers_;
  std::vector<std::vector<std::vector<size_t>>> passes_;  // of each node and operand
  std::vector<double> tops_, heights_;
};

}  // namespace

Layout layered_layout(const std::vector<LayoutNode>& nodes) {
  if (nodes.empty()) return {2 * kMargin, 2 * kMargin, {}, {}};
  return LayeredLayout(nodes).make();
}

}  // namespace gradc
