// Hostile files of text.
#pragma once
#include "tests/tools/hostile_files.h"

namespace gradc {

std::vector<HostileFile> hostile_csv_files();
std::vector<HostileFile> hostile_text_files();
std::vector<HostileFile> hostile_model_files();
std::vector<HostileFile> hostile_graph_files();
std::vector<HostileFile> hostile_log_files();

}  // namespace gradc
