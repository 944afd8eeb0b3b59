// The threads that assemble batches while the step runs.
#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/data/batches.h"

namespace gradc {
namespace {

// Batches are handed over in blocks of about this size: waking a thread costs as much as copying
// it.
constexpr int64_t kBlockBytes = int64_t{1} << 18;
constexpr int64_t kMostBatchesPerBlock = 1024;

struct Block {
  std::vector<Batch> batches;
  std::exception_ptr failure;  // of the batch behind them
};

}  // namespace

struct BatchLoader::State {
  State(Batches batches_, int64_t first, int threads)
      : batches(std::move(batches_)), begin(first), next_index(first) {
    CHECK(first >= 0 && first <= batches.count(), "batch {} of {}", first, batches.count());
    CHECK(threads >= 0, "{} threads", threads);
    const int64_t bytes = batches.bytes_per_row() * batches.rows(0);
    per_block =
        std::clamp(kBlockBytes / std::max<int64_t>(bytes, 1), int64_t{1}, kMostBatchesPerBlock);
    blocks = (batches.count() - begin + per_block - 1) / per_block;
    if (!batches.is_shuffled() || threads == 0) return;
    ready.resize(static_cast<size_t>(threads) + 1);
    start(threads);
  }
  ~State() { stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void start(int count);
  void stop();
  void produce();
  std::optional<int64_t> claim();
  Block read(int64_t block) const;
  bool take();

  const Batches batches;
  const int64_t begin;
  int64_t per_block;
  int64_t blocks;

  // Touched by the consumer only.
  int64_t next_index;
  Block current;
  size_t used = 0;

  std::mutex mutex;
  std::condition_variable changed;
  int64_t claimed = 0;  // blocks that a thread has begun
  int64_t taken = 0;    // blocks that the consumer has begun
  // Those between the two that are done: block k at place k modulo the size.
  std::vector<std::optional<Block>> ready;
  bool is_stopping = false;
  std::vector<std::thread> producers;

  std::optional<Block>& place_of(int64_t block) {
    return ready[static_cast<size_t>(block) % ready.size()];
  }
};

void BatchLoader::State::start(int count) {
  try {
    for (int i = 0; i < count; ++i) producers.emplace_back([this] { produce(); });
  } catch (...) {
    stop();
    throw;
  }
}

void BatchLoader::State::stop() {
  {
    const std::lock_guard lock(mutex);
    is_stopping = true;
  }
  changed.notify_all();
  for (std::thread& producer : producers) producer.join();
  producers.clear();
}

void BatchLoader::State::produce() {
  while (const std::optional<int64_t> number = claim()) {
    Block block = read(*number);
    {
      const std::lock_guard lock(mutex);
      place_of(*number) = std::move(block);
    }
    changed.notify_all();
  }
}

/// The next block to assemble, when there is room for it; nothing where there is none or the loader
/// is being destroyed.
std::optional<int64_t> BatchLoader::State::claim() {
  const auto most = static_cast<int64_t>(ready.size());
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return is_stopping || claimed == blocks || claimed < taken + most; });
  if (is_stopping || claimed == blocks) return std::nullopt;
  return claimed++;
}

Block BatchLoader::State::read(int64_t block) const {
  Block read;
  try {
    const int64_t first = begin + block * per_block;
    const int64_t end = std::min(first + per_block, batches.count());
    for (int64_t index = first; index < end; ++index) read.batches.push_back(batches.read(index));
  } catch (...) {
    read.failure = std::current_exception();
  }
  return read;
}

/// Makes `current` the next block; false after the last one.
bool BatchLoader::State::take() {
  if (current.failure) std::rethrow_exception(current.failure);
  {
    std::unique_lock lock(mutex);
    if (taken == blocks) return false;
    changed.wait(lock, [&] { return place_of(taken).has_value(); });
    current = *std::exchange(place_of(taken), std::nullopt);
    used = 0;
    ++taken;
  }
  changed.notify_all();
  return true;
}

BatchLoader::BatchLoader(Batches batches, int64_t first, int threads)
    : state_(std::make_unique<State>(std::move(batches), first, threads)) {}
BatchLoader::~BatchLoader() = default;
BatchLoader::BatchLoader(BatchLoader&&) noexcept = default;
BatchLoader& BatchLoader::operator=(BatchLoader&&) noexcept = default;

std::optional<Batch> BatchLoader::next() {
  State& state = *state_;
  if (state.producers.empty()) {
    if (state.next_index == state.batches.count()) return std::nullopt;
    return state.batches.read(state.next_index++);
  }
  while (state.used == state.current.batches.size())
    if (!state.take()) return std::nullopt;
  return std::move(state.current.batches[state.used++]);
}

}  // namespace gradc
