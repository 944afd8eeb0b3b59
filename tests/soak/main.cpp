// soak: random graphs and random models through the compiler, for as long as is wanted.
//   soak [--graphs N] [--models N] [--seed S] [--seconds T] [--full] [--stop]
//        [--crash] [--sample FILE]
// Graph k is a function of S + k alone; likewise model k. What goes wrong is shrunk and printed; it
// ends with a table of the ops that were met, and 1 if anything went wrong. After a crash, which
// names the graph, --crash --seed K shrinks graph K in processes of their own; --stop
// ends at the first failure; --sample FILE
// examines what was printed.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include <sys/wait.h>
#include <unistd.h>

#include "ir/op.h"
#include "runtime/threads.h"
#include "tests/soak/examine_model.h"
#include "tests/soak/shrink_sample.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  uint64_t graphs = 0;
  uint64_t models = 0;
  uint64_t seed = 0;
  double seconds = 1e9;
  bool full = false;
  bool stop = false;
  bool crash = false;
  std::string sample;
};

constexpr uint64_t kBatch = 24;
constexpr int kCrashes[] = {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS};

/// What is under way, for whoever reads about a crash.
char current[128] = "nothing";

void on_crash(int signal) {
  const char* text = "\nCRASH while at ";
  [[maybe_unused]] ssize_t written = write(1, text, std::strlen(text));
  written = write(1, current, std::strlen(current));
  written = write(1, "\n", 1);
  _exit(128 + signal);
}

void set_current(const std::string& text) {
  std::strncpy(current, text.c_str(), sizeof current - 1);
}

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--full") {
      options.full = true;
      continue;
    }
    if (flag == "--stop") {
      options.stop = true;
      continue;
    }
    if (flag == "--crash") {
      options.crash = true;
      continue;
    }
    if (i + 1 == argc) {
      fmt::print(stderr, "soak: {} wants a value\n", flag);
      std::exit(2);
    }
    const char* value = argv[++i];
    if (flag == "--graphs")
      options.graphs = std::strtoull(value, nullptr, 10);
    else if (flag == "--models")
      options.models = std::strtoull(value, nullptr, 10);
    else if (flag == "--seed")
      options.seed = std::strtoull(value, nullptr, 10);
    else if (flag == "--sample")
      options.sample = value;
    else if (flag == "--seconds")
      options.seconds = std::strtod(value, nullptr);
    else {
      fmt::print(stderr, "soak: unknown flag {}\n", flag);
      std::exit(2);
    }
  }
  return options;
}

/// "compiled", "pass cse", "pipeline": what stays the same while a sample shrinks.
std::string stage_of(const Fault& fault) {
  const std::string first = fault.where.substr(0, fault.where.find(','));
  return first.starts_with("passes ") ? "passes" : first;
}

/// Does the examination end the process?
bool crashes(const Sample& sample) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    for (int signal : kCrashes) std::signal(signal, SIG_DFL);
    examine(sample, Thoroughness::Full);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

int shrink_crash(uint64_t seed) {
  const Sample sample = random_sample(seed);
  if (!crashes(sample)) {
    fmt::print("graph {} does not crash\n", seed);
    return 0;
  }
  fmt::print("{}\n", sample_text(shrink(sample, crashes), fmt::format("graph {}: crash", seed)));
  return 1;
}

int examine_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  const std::vector<Fault> faults = examine(parse_sample(text.str(), path), Thoroughness::Full);
  for (const Fault& fault : faults) fmt::print("{}: {}\n", fault.where, fault.what);
  return faults.empty() ? 0 : 1;
}

class Soak {
 public:
  explicit Soak(const Options& options) : options_(options), start_(Clock::now()) {}

  int run() {
    run_graphs();
    fmt::print("{} graphs in {:.1f} s, {} nodes; {} failures\n", graphs_, seconds(), nodes(),
               failures_);
    run_models();
    fmt::print(
        "{} models in {:.1f} s, {} nodes in all; {} failures; of {} spoilt texts {} refused\n",
        models_, seconds(), nodes(), failures_, spoilt_, refused_);
    print_counts();
    return failures_ == 0 ? 0 : 1;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  void run_graphs() {
    CompiledGraphs compiled;
    const Thoroughness thoroughness = options_.full ? Thoroughness::Full : Thoroughness::Quick;
    for (uint64_t first = 0; first < options_.graphs && seconds() < options_.seconds;
         first += kBatch) {
      compiled.next_batch();
      std::vector<std::unique_ptr<Examination>> batch;
      for (uint64_t k = first; k < std::min(first + kBatch, options_.graphs); ++k) {
        set_current(fmt::format("passes of graph {}", options_.seed + k));
        batch.push_back(
            std::make_unique<Examination>(random_sample(options_.seed + k), thoroughness));
        count_ops(batch.back()->sample().graph, counts_);
        batch.back()->prepare(compiled);
      }
      set_current(fmt::format("code of graphs {} to {}", options_.seed + first,
                              options_.seed + first + batch.size() - 1));
      compiled.compile();
      for (const std::unique_ptr<Examination>& examination : batch) {
        set_current(fmt::format("execution of graph {}", examination->sample().seed));
        examination->run(compiled);
        ++graphs_;
        if (!examination->faults().empty()) report(*examination);
      }
      if (graphs_ % (kBatch * 50) == 0) {
        fmt::print("... {} graphs, {:.0f} s, {} failures, {} kernels\n", graphs_, seconds(),
                   failures_, compiled.kernel_count());
        std::fflush(stdout);
      }
    }
  }

  void run_models() {
    CompiledGraphs compiled;
    for (uint64_t k = 0; k < options_.models && seconds() < options_.seconds; ++k) {
      const uint64_t seed = options_.seed + k;
      compiled.next_batch();
      set_current(fmt::format("model {}", seed));
      const RandomModel model = random_model(seed);
      run_model(compiled, model, seed);
      for (uint64_t spoiling = 0; spoiling < 3; ++spoiling) run_spoilt(model, seed * 3 + spoiling);
      ++models_;
      if (models_ % 500 == 0) {
        fmt::print("... {} models, {:.0f} s, {} failures, {} kernels\n", models_, seconds(),
                   failures_, compiled.kernel_count());
        std::fflush(stdout);
      }
    }
  }

  void run_model(CompiledGraphs& compiled, const RandomModel& model, uint64_t seed) {
    std::vector<std::unique_ptr<Examination>> examinations;
    try {
      for (Sample& sample : samples_of(model, seed)) {
        count_ops(sample.graph, counts_);
        examinations.push_back(
            std::make_unique<Examination>(std::move(sample), Thoroughness::Light));
        examinations.back()->prepare(compiled);
      }
    } catch (const std::exception& error) {
      ++failures_;
      fmt::print("FAIL model {}: {}\n{}\n", seed, error.what(), model.text);
      std::fflush(stdout);
      if (options_.stop) std::_Exit(1);
    }
    compiled.compile();
    for (const std::unique_ptr<Examination>& examination : examinations) {
      examination->run(compiled);
      if (examination->faults().empty()) continue;
      fmt::print("in model {}:\n{}\n", seed, model.text);
      return report(*examination);
    }
  }

  void run_spoilt(const RandomModel& model, uint64_t seed) {
    set_current(fmt::format("spoilt text {}", seed));
    const std::string text = spoilt(model.text, seed);
    ++spoilt_;
    bool is_refused = false;
    const std::string fault = find_refusal_fault(model, text, is_refused);
    refused_ += is_refused ? 1 : 0;
    if (fault.empty()) return;
    ++failures_;
    fmt::print("FAIL spoilt text {}: {}\n{}\n", seed, fault, text);
    std::fflush(stdout);
    if (options_.stop) std::_Exit(1);
  }

  void report(const Examination& examination) {
    ++failures_;
    const Fault fault = examination.faults().front();
    const std::string title = fmt::format("graph {}: {}: {}", examination.sample().seed,
                                          fault.where, fault.what.substr(0, 400));
    fmt::print("FAIL {}\n", title);
    for (const Fault& other : examination.faults()) fmt::print("  in {}\n", other.where);
    std::fflush(stdout);
    if (options_.stop) std::_Exit(1);
    if (failures_ > 40) return;
    set_current(fmt::format("shrinking of graph {}", examination.sample().seed));
    const Sample smallest = shrink(examination.sample(), [&](const Sample& sample) {
      for (const Fault& other : examine(sample, Thoroughness::Full))
        if (stage_of(other) == stage_of(fault)) return true;
      return false;
    });
    fmt::print("{}\n", sample_text(smallest, title));
    std::fflush(stdout);
  }

  int64_t nodes() const {
    int64_t sum = 0;
    for (const auto& [op, count] : counts_) sum += count;
    return sum;
  }

  void print_counts() const {
    int column = 0;
    for (OpKind kind : kAllOpKinds) {
      const auto at = counts_.find(op_info(kind).name);
      fmt::print("{:>16} {:>8}{}", op_info(kind).name, at == counts_.end() ? 0 : at->second,
                 ++column % 4 == 0 ? "\n" : "");
    }
    fmt::print("\n");
  }

  Options options_;
  Clock::time_point start_;
  uint64_t graphs_ = 0;
  uint64_t failures_ = 0;
  uint64_t models_ = 0, spoilt_ = 0, refused_ = 0;
  std::map<std::string_view, int64_t> counts_;
};

}  // namespace

int main(int argc, char** argv) {
  configure_thread_waiting(argv);
  const Options options = parse_options(argc, argv);
  if (!options.sample.empty()) return examine_file(options.sample);
  if (options.crash) return shrink_crash(options.seed);
  if (options.graphs + options.models == 0) {
    fmt::print(stderr, "soak: nothing to do without --graphs, --models or --sample\n");
    return 2;
  }
  for (int signal : kCrashes) std::signal(signal, on_crash);
  return Soak(options).run();
}
