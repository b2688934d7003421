#include "cli/load/process_use.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace stele::load {

namespace {

// Fields of /proc/PID/stat (man 5 proc), counted from the one behind the name.
constexpr size_t kUserTicks = 11;
constexpr size_t kSystemTicks = 12;

std::string Folder(pid_t process) {
  return process == 0 ? "/proc/self" : fmt::format("/proc/{}", process);
}

// Of "Name:   12 kB", "name: 12".
uint64_t Number(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    uint64_t number = 0;
    std::string unit;
    rest >> number >> unit;
    return unit == "kB" ? number * 1024 : number;
  }
  return 0;
}

}  // namespace

std::optional<ProcessUse> ReadUse(pid_t process) {
  const std::string folder = Folder(process);
  std::ifstream file(folder + "/stat");
  std::string line;
  std::getline(file, line);
  // The name may hold blanks and parentheses.
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  if (fields.size() <= kSystemTicks) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return ProcessUse{.user_seconds = std::stod(fields[kUserTicks]) / ticks,
                    .system_seconds = std::stod(fields[kSystemTicks]) / ticks,
                    .resident_bytes = Number(folder + "/status", "VmRSS:"),
                    .peak_resident_bytes = Number(folder + "/status", "VmHWM:"),
                    .written_bytes = Number(folder + "/io", "write_bytes:")};
}

UseBetween Between(const ProcessUse& first, const ProcessUse& second, int64_t took_us) {
  UseBetween use{.user_seconds = second.user_seconds - first.user_seconds,
                 .system_seconds = second.system_seconds - first.system_seconds,
                 .resident_bytes = second.resident_bytes,
                 .peak_resident_bytes = second.peak_resident_bytes,
                 .written_bytes = second.written_bytes - first.written_bytes};
  if (took_us > 0)
    use.cores = (use.user_seconds + use.system_seconds) / (static_cast<double>(took_us) / 1e6);
  return use;
}

}  // namespace stele::load
