// Text whose bytes are tokens, cut into windows.
#pragma once
#include "runtime/data/data_source.h"
#include "runtime/data/dataset.h"

namespace gradc {

/// Whether `path` is a file called *.txt or *.txt.gz.
bool is_text_file(const std::string& path);

/// Field `text`: u8[window]. Options: `window` (129), `stride` (1) between the starts of training
/// windows, `test` (0.1), the share of the bytes, at the end, that is held out; its windows are
/// window - 1 apart, so that a model which predicts each byte from those before it in its window
/// predicts each byte once. Bytes after the last whole window are left out.
/// Throws Error: InputOutput, E0911 where the file cannot be read; ModelOrData, E0915 where the
/// text is too short for a window of either part.
DataSplit load_text(const DataSource& source);
DataDescription describe_text(const DataSource& source);

}  // namespace gradc
