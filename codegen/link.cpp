// The linker's command line, its run, and what its messages mean.
#include "codegen/link.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "codegen/link_line.h"
#include "runtime/atomic_file.h"
#include "runtime/data/whole_file.h"

extern char** environ;

namespace gradc {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& code, const std::string& message) {
  throw Error(ExitCode::InputOutput, code, message);
}

/// The first of that name in a folder of $PATH.
std::optional<std::string> on_path(const std::string& name) {
  const char* value = std::getenv("PATH");
  std::istringstream folders(value != nullptr ? value : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0 && fs::is_regular_file(candidate)) return candidate;
  }
  return std::nullopt;
}

/// A folder that goes with all that is in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    const char* base = std::getenv("TMPDIR");
    path_ = fmt::format("{}/gradc.XXXXXX", base != nullptr && *base != 0 ? base : "/tmp");
    if (mkdtemp(path_.data()) == nullptr)
      refuse("E0922", fmt::format("cannot make a folder `{}`: {}", path_, std::strerror(errno)));
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Where libgradc_runtime.a is: beside this program, or where installation puts it.
std::string runtime_folder() {
  std::error_code fault;
  const fs::path here = fs::read_symlink("/proc/self/exe", fault).parent_path();
  const fs::path candidates[] = {here, here / kInstalledLibraries};
  for (const fs::path& folder : candidates)
    if (fs::exists(folder / "libgradc_runtime.a", fault)) return folder.lexically_normal().string();
  refuse("E0930", fmt::format("libgradc_runtime.a is neither in {} nor in {}",
                              candidates[0].string(), candidates[1].lexically_normal().string()));
}

/// Our libraries and those they need, in link order. Small ones go into the result, so that it
/// runs where they are not installed.
std::vector<std::string> libraries(const LinkRequest& request) {
  const std::string folder = runtime_folder();
  std::vector<std::string> list = {folder + "/libgradc_commands.a",
                                   folder + "/libgradc_runtime.a",
                                   folder + "/libgradc_core.a",
                                   folder + "/libgradc_fmt.a",
                                   "-l:libpng16.a",
                                   "-l:libz.a"};
  if (request.calls_library) list.emplace_back("-ldnnl");
  for (const char* name : {"-lgomp", "-lstdc++", "-lm"}) list.emplace_back(name);
  return list;
}

/// Every symbol but those of the C interface stays inside a library.
constexpr const char* kExports = "{ global: gradc_*; local: *; };\n";

std::vector<std::string> cc_arguments(const LinkRequest& request, const ScratchFolder& scratch,
                                      const std::vector<std::string>& objects,
                                      const std::string& output) {
  std::vector<std::string> arguments = objects;
  arguments.insert(arguments.end(), {"-o", output});
  if (request.kind == ArtefactKind::Object) {
    arguments.insert(arguments.end(), {"-r", "-nostdlib"});
    return arguments;
  }
  for (const char* flag : kSanitizerFlags) arguments.emplace_back(flag);
  arguments.insert(arguments.end(), {"-Wl,--gc-sections", "-Wl,--as-needed", "-Wl,-z,noexecstack",
                                     "-Wl,-z,noseparate-code"});
  if (request.kind == ArtefactKind::Shared) {
    std::ofstream(scratch.file("exports")) << kExports;
    arguments.insert(arguments.end(),
                     {"-shared", "-Wl,-Bsymbolic",
                      "-Wl,--version-script=" + scratch.file("exports"), "-Wl,-u,gradc_create"});
  } else {
    arguments.emplace_back("-Wl,-s");
    if (request.is_static) arguments.emplace_back("-static");
  }
  const std::vector<std::string> last = libraries(request);
  arguments.insert(arguments.end(), last.begin(), last.end());
  return arguments;
}

/// Files that a compiler would add to the command line of a linker.
std::string found_file(const std::string& name) {
  std::error_code ignored;
  for (const char* folder : kSystemLibraries)
    if (const fs::path path = fs::path(folder) / name; fs::exists(path, ignored))
      return path.string();
  refuse("E0929",
         fmt::format("no `cc` on the path, and `ld.lld` alone finds no {}: install gcc", name));
}

std::vector<std::string> lld_arguments(const LinkRequest& request, const ScratchFolder& scratch,
                                       const std::vector<std::string>& objects,
                                       const std::string& output) {
  std::vector<std::string> arguments = {"-o", output};
  if (request.kind == ArtefactKind::Object) {
    arguments.emplace_back("-r");
    arguments.insert(arguments.end(), objects.begin(), objects.end());
    return arguments;
  }
  const bool is_shared = request.kind == ArtefactKind::Shared;
  for (const char* folder : kSystemLibraries) arguments.push_back(fmt::format("-L{}", folder));
  arguments.insert(arguments.end(),
                   {"--gc-sections", "--as-needed", "-z", "noexecstack", "-z", "noseparate-code"});
  if (is_shared) {
    std::ofstream(scratch.file("exports")) << kExports;
    arguments.insert(arguments.end(),
                     {"-shared", "-Bsymbolic", "--version-script=" + scratch.file("exports"), "-u",
                      "gradc_create"});
  } else if (request.is_static) {
    arguments.insert(arguments.end(), {"-static", "-s", found_file("crt1.o")});
  } else {
    arguments.insert(arguments.end(),
                     {"-pie", "-s", "-dynamic-linker", kDynamicLinker, found_file("Scrt1.o")});
  }
  const char* begin = is_shared || !request.is_static ? "crtbeginS.o" : "crtbeginT.o";
  const char* end = is_shared || !request.is_static ? "crtendS.o" : "crtend.o";
  arguments.insert(arguments.end(), {found_file("crti.o"), found_file(begin)});
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  const std::vector<std::string> ours = libraries(request);
  arguments.insert(arguments.end(), ours.begin(), ours.end());
  arguments.insert(arguments.end(), {"--start-group", "-lgcc", "-lgcc_eh", "-lc", "--end-group"});
  arguments.insert(arguments.end(), {found_file(end), found_file("crtn.o")});
  return arguments;
}

/// Runs the program without a shell; its output goes to the file `log`. Returns its exit code.
int run(const std::string& program, const std::vector<std::string>& arguments,
        const std::string& log) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int fault = posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (fault != 0)
    refuse("E0929", fmt::format("cannot run `{}`: {}", program, std::strerror(fault)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) refuse("E0929", fmt::format("cannot wait for `{}`", program));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// What a person can do about it, for the usual causes.
std::string hint_for(const std::string& log) {
  if (log.find("ldnnl") != std::string::npos || log.find("library dnnl") != std::string::npos)
    return "\n  oneDNN is missing: install libdnnl-dev, or build with --backend llvm, which does "
           "without it";
  if (log.find("No space left") != std::string::npos) return "\n  the disk is full";
  return "";
}

}  // namespace

void link(const LinkRequest& request) {
  constexpr auto kDurability = AtomicFile::Durability::ProcessEnd;
  if (request.kind == ArtefactKind::Object && request.objects.size() == 1)
    return write_file(request.output, std::as_bytes(std::span(request.objects.front())),
                      kDurability);
  const ScratchFolder scratch;
  std::vector<std::string> objects;
  for (const std::string& object : request.objects) {
    objects.push_back(scratch.file(fmt::format("{}.o", objects.size())));
    write_file(objects.back(), std::as_bytes(std::span(object)), kDurability);
  }
  const std::string output = scratch.file("out");
  const std::string log = scratch.file("log");
  int status = 0;
  if (const auto cc = on_path("cc")) {
    status = run(*cc, cc_arguments(request, scratch, objects, output), log);
  } else if (const auto lld = on_path("ld.lld")) {
    status = run(*lld, lld_arguments(request, scratch, objects, output), log);
  } else {
    refuse("E0929",
           "no linker: neither `cc` nor `ld.lld` is on the path; install gcc, or use "
           "--emit obj and link elsewhere");
  }
  if (status != 0) {
    const std::string said = read_whole(log);
    refuse("E0931", fmt::format("the linker failed:\n{}{}", said, hint_for(said)));
  }
  // Written again, as the scratch folder may be in another file system than the output.
  const std::string bytes = read_whole(output);
  AtomicFile file(request.output);
  file.write(std::as_bytes(std::span(bytes)));
  if (request.kind != ArtefactKind::Object) file.make_executable();
  file.commit(kDurability);
}

}  // namespace gradc
