// A copy of the state and a thread.
#include "runtime/commands/checkpoint_writer.h"

#include <chrono>

#include "runtime/weights_file.h"

namespace gradc {

CheckpointWriter::~CheckpointWriter() {
  if (writing_.valid()) writing_.wait();
}

void CheckpointWriter::start(const Session& session, NamedTensors additions,
                             std::vector<std::string> paths) {
  wait();
  content_.tensors.resize(state_count_);  // their memory is used again
  session.take_snapshot(content_);
  state_count_ = content_.tensors.size();
  for (NamedTensor& tensor : additions.tensors) content_.tensors.push_back(std::move(tensor));
  for (const auto& [key, value] : additions.metadata) content_.metadata[key] = value;
  writing_ = std::async(std::launch::async, [this, files = std::move(paths)] {
    for (const std::string& path : files) write_weights(path, content_);
    after_write_();
  });
}

void CheckpointWriter::check() {
  if (writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    writing_.get();
}

void CheckpointWriter::wait() {
  if (writing_.valid()) writing_.get();
}

}  // namespace gradc
