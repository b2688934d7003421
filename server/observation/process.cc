#include "server/observation/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace stele::server {

namespace {

// Numbers of fields of /proc/PID/stat (man 5 proc), counted from the one behind the name.
constexpr size_t kUserTicks = 11;
constexpr size_t kSystemTicks = 12;
constexpr size_t kThreads = 17;
constexpr size_t kStartTicks = 19;
constexpr size_t kVirtualBytes = 20;
constexpr size_t kResidentPages = 21;
constexpr size_t kFields = 22;

// The name may hold blanks and parentheses.
std::vector<std::string> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(line.substr(end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double BootSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  return 0;
}

uint64_t CountFds() {
  std::error_code fault;
  uint64_t count = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", fault);
  for (; !fault && entry != std::filesystem::directory_iterator(); entry.increment(fault)) ++count;
  return count == 0 ? 0 : count - 1;  // the one that reads them
}

}  // namespace

ProcessFigures ReadProcess() {
  ProcessFigures figures;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  figures.open_fds = CountFds();
  const std::vector<std::string> fields = StatFields();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (fields.size() < kFields || ticks <= 0) return figures;
  figures.cpu_seconds = (std::stod(fields[kUserTicks]) + std::stod(fields[kSystemTicks])) / ticks;
  figures.threads = std::stoull(fields[kThreads]);
  figures.virtual_bytes = std::stoull(fields[kVirtualBytes]);
  figures.resident_bytes =
      std::stoull(fields[kResidentPages]) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (const double boot = BootSeconds(); boot > 0)
    figures.start_seconds = boot + std::stod(fields[kStartTicks]) / ticks;
  return figures;
}

}  // namespace stele::server
