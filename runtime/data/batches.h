// An epoch of a dataset, cut into batches; and threads that assemble them ahead.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/data/dataset.h"

namespace gradc {

/// What becomes of the rows that do not fill a batch.
enum class LastBatch { Keep, Drop };

struct BatchOptions {
  int64_t size = 32;
  bool shuffle = true;
  uint64_t seed = 0;
  LastBatch last_batch = LastBatch::Keep;
};

struct Batch {
  /// Place in the epoch, from 0.
  int64_t index = 0;
  int64_t rows = 0;
  /// One tensor of `rows` rows per field, in the order of the dataset's fields. Not to be written:
  /// it may share the dataset's memory.
  std::vector<Tensor> values;
};

/// Epoch `epoch` of a dataset. Each row occurs once, in file order or in the order of a
/// Fisher-Yates shuffle of the rows that depends on (seed, epoch) alone: any batch can be had at
/// any time, so a run resumes anywhere.
class Batches {
 public:
  /// Throws Error (ModelOrData, E0905) where the data has no rows or dropping the rest leaves no
  /// batch, E0915 where the fields differ in their rows. `options.size` is at least 1.
  Batches(Dataset dataset, const BatchOptions& options, int64_t epoch = 0);

  int64_t count() const { return count_; }
  /// Rows of batch `index`: the batch size, or the rest in the last one.
  int64_t rows(int64_t index) const;
  /// The rows of batch `index`, contiguous and 64-byte aligned.
  Batch read(int64_t index) const;
  /// The dataset's row at place `position` of the epoch.
  int64_t row_at(int64_t position) const;
  int64_t bytes_per_row() const;
  bool is_shuffled() const { return !order_.empty(); }

 private:
  Tensor gather(const Field& field, int64_t begin, int64_t rows) const;

  Dataset dataset_;
  int64_t size_;
  int64_t count_;
  // Empty in file order.
  std::vector<uint32_t> order_;
};

/// The batches of an epoch in turn, assembled by threads that keep ahead by a bounded amount (at
/// least two batches, small batches by the block so that the hand-over costs little). The batches
/// are the same for any number of threads. In file order there is nothing to assemble and no
/// thread.
class BatchLoader {
 public:
  /// Starts at batch `first`. With 0 threads a batch is assembled when it is asked for.
  explicit BatchLoader(Batches batches, int64_t first = 0, int threads = 1);
  /// Stops the threads, wherever they are in the epoch.
  ~BatchLoader();
  BatchLoader(BatchLoader&&) noexcept;
  BatchLoader& operator=(BatchLoader&&) noexcept;

  /// Nothing after the last batch. Rethrows what a thread met, once the batches before it are out.
  std::optional<Batch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
