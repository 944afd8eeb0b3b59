// The thread that assembles batches while the step runs.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "runtime/data/batches.h"

namespace gradc {
namespace {

// Batches are handed over in blocks of about this size: waking a thread costs as much as copying
// it.
constexpr int64_t kBlockBytes = int64_t{1} << 18;
constexpr int64_t kMostBatchesPerBlock = 1024;
constexpr size_t kBlocksAhead = 2;

}  // namespace

struct BatchLoader::State {
  using Block = std::vector<Batch>;

  State(Batches batches_, int64_t first)
      : batches(std::move(batches_)), begin(first), next_index(first) {
    CHECK(first >= 0 && first <= batches.count(), "batch {} of {}", first, batches.count());
    const int64_t bytes = batches.bytes_per_row() * batches.rows(0);
    per_block =
        std::clamp(kBlockBytes / std::max<int64_t>(bytes, 1), int64_t{1}, kMostBatchesPerBlock);
    if (batches.is_shuffled()) thread = std::thread([this] { produce(); });
  }
  ~State() {
    if (!thread.joinable()) return;
    {
      const std::lock_guard lock(mutex);
      is_stopping = true;
    }
    changed.notify_all();
    thread.join();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void produce();
  bool put(Block block);
  bool take();

  const Batches batches;
  const int64_t begin;
  int64_t per_block;

  // Touched by the consumer only.
  int64_t next_index;
  Block current;
  size_t used = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Block> ready;
  std::exception_ptr failure;
  bool is_done = false;
  bool is_stopping = false;
  std::thread thread;
};

void BatchLoader::State::produce() {
  std::exception_ptr met;
  try {
    for (int64_t index = begin; index < batches.count();) {
      Block block;
      const int64_t end = std::min(index + per_block, batches.count());
      for (; index < end; ++index) block.push_back(batches.read(index));
      if (!put(std::move(block))) return;
    }
  } catch (...) {
    met = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex);
    failure = met;
    is_done = true;
  }
  changed.notify_all();
}

/// False where the loader is being destroyed.
bool BatchLoader::State::put(Block block) {
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_stopping || ready.size() < kBlocksAhead; });
    if (is_stopping) return false;
    ready.push_back(std::move(block));
  }
  changed.notify_all();
  return true;
}

/// Makes `current` the next block; false after the last one.
bool BatchLoader::State::take() {
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_done || !ready.empty(); });
    if (ready.empty()) {
      if (failure) std::rethrow_exception(failure);
      return false;
    }
    current = std::move(ready.front());
    used = 0;
    ready.pop_front();
  }
  changed.notify_all();
  return true;
}

BatchLoader::BatchLoader(Batches batches, int64_t first)
    : state_(std::make_unique<State>(std::move(batches), first)) {}
BatchLoader::~BatchLoader() = default;
BatchLoader::BatchLoader(BatchLoader&&) noexcept = default;
BatchLoader& BatchLoader::operator=(BatchLoader&&) noexcept = default;

std::optional<Batch> BatchLoader::next() {
  if (!state_->thread.joinable()) {
    if (state_->next_index == state_->batches.count()) return std::nullopt;
    return state_->batches.read(state_->next_index++);
  }
  if (state_->used == state_->current.size() && !state_->take()) return std::nullopt;
  return std::move(state_->current[state_->used++]);
}

}  // namespace gradc
