#include "engine/tasks/script_confinement.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>
#include <vector>

namespace stele::tasks {
namespace {

// A shell's exit code for a command that a signal ended.
constexpr int64_t kShellSignalBase = 128;
constexpr uint64_t kMaxSizeBytes = uint64_t{1} << 60;
// Fewer, and no interpreter starts.
constexpr uint64_t kMinFiles = 8;

struct Unit {
  std::string_view name;
  int shift;
};
constexpr Unit kUnits[] = {{"", 0},     {"b", 0},   {"k", 10},   {"kb", 10}, {"kib", 10},
                           {"m", 20},   {"mb", 20}, {"mib", 20}, {"g", 30},  {"gb", 30},
                           {"gib", 30}, {"t", 40},  {"tb", 40},  {"tib", 40}};

// One object of the configuration, read with sentences that begin with its name.
class LimitsReader {
 public:
  LimitsReader(ConfigReader& outer, const Value& limits, ConfigReader::Mode mode)
      : outer_(outer), reader_(limits, mode) {}

  std::optional<uint64_t> Size(std::string_view key) {
    return Read(key, "a size like \"256MB\" or a number of bytes", ParseSizeBytes);
  }
  std::optional<uint64_t> Count(std::string_view key, uint64_t least) {
    return Read(key, fmt::format("a number from {} on", least),
                [least](std::string_view text) -> std::optional<uint64_t> {
                  uint64_t count = 0;
                  const char* end = text.data() + text.size();
                  const auto [at, error] = std::from_chars(text.data(), end, count);
                  if (error != std::errc() || at != end || count < least) return std::nullopt;
                  return count;
                });
  }
  std::optional<int64_t> Duration(std::string_view key) {
    const auto read = Read(key, "a duration like \"30s\" of more than nothing, at most 36500 days",
                           [](std::string_view text) -> std::optional<uint64_t> {
                             const std::optional<int64_t> duration = ParseDurationUs(text);
                             if (!duration || *duration == 0) return std::nullopt;
                             return static_cast<uint64_t>(*duration);
                           });
    if (!read) return std::nullopt;
    return static_cast<int64_t>(*read);
  }
  void Finish() {
    for (const std::string& fault : reader_.TakeFaults())
      outer_.AddFault(fmt::format("In `limits`: {}", fault));
  }

 private:
  template <class Parse>
  std::optional<uint64_t> Read(std::string_view key, std::string_view expected, Parse parse) {
    const std::optional<std::string> text = reader_.Text(key);
    if (!text || reader_.IsOpen(Value(*text))) return std::nullopt;
    const std::optional<uint64_t> value = parse(*text);
    if (!value)
      reader_.AddFault(fmt::format("Expected {} as `{}` but found \"{}\"", expected, key, *text));
    return value;
  }

  ConfigReader& outer_;
  ConfigReader reader_;
};

TaskFailure Isolation(std::string message) {
  return TaskFailure{"isolation", std::move(message), false, {}};
}

std::expected<Identity, TaskFailure> FindUser(const std::string& name) {
  uid_t number = 0;
  const char* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data(), end, number);
  const bool numeric = error == std::errc() && at == end;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  const int status = numeric
                         ? getpwuid_r(number, &entry, buffer.data(), buffer.size(), &found)
                         : getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (status == 0 && found != nullptr) return Identity{entry.pw_uid, entry.pw_gid};
  if (numeric) return Identity{number, number};
  return std::unexpected(
      Isolation(fmt::format("Expected a user of this machine but found \"{}\"", name)));
}

void AddLimit(Confinement& confinement, int resource, std::optional<uint64_t> value) {
  if (value) confinement.limits.push_back({resource, *value, *value});
}

}  // namespace

std::optional<uint64_t> ParseSizeBytes(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !(number >= 0)) return std::nullopt;
  std::string unit;
  for (const char c : std::string_view(at, end)) {
    if (c != ' ' || !unit.empty())
      unit += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const auto* known = std::ranges::find(kUnits, unit, &Unit::name);
  if (known == std::end(kUnits)) return std::nullopt;
  const double bytes = std::ldexp(number, known->shift);
  if (bytes > static_cast<double>(kMaxSizeBytes)) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

ScriptConfinement ReadConfinement(ConfigReader& reader, ConfigReader::Mode mode) {
  ScriptConfinement script;
  const Value* limits = reader.Any("limits");
  if (limits != nullptr && limits->is_object()) {
    LimitsReader read(reader, *limits, mode);
    script.cpu_us = read.Duration("cpu");
    script.memory_bytes = read.Size("memory");
    script.files = read.Count("files", kMinFiles);
    script.processes = read.Count("processes", 1);
    script.file_bytes = read.Size("file_size");
    script.core_bytes = read.Size("core").value_or(0);
    read.Finish();
  } else if (limits != nullptr && !reader.IsOpen(*limits)) {
    reader.AddFault(
        fmt::format("Expected an object as `limits` but found: {}", KindName(limits->kind())));
  }
  const std::string isolation = reader.Text("isolation").value_or("none");
  const bool open = reader.IsOpen(Value(isolation));
  if (isolation != "none" && isolation != "namespaces" && !open)
    reader.AddFault(
        fmt::format("Expected `isolation` to be none or namespaces but found \"{}\"", isolation));
  script.namespaces = isolation == "namespaces";
  script.network = reader.Bool("network", true);
  if (!script.network && !script.namespaces && !open)
    reader.AddFault("Expected `isolation: namespaces` with `network: false` but found none");
  script.user = reader.Text("user").value_or("");
  return script;
}

std::expected<Confinement, TaskFailure> PlanConfinement(const ScriptConfinement& script) {
  Confinement confinement;
  confinement.namespaces = script.namespaces;
  confinement.network = script.network;
  if (script.cpu_us) {
    // Whole seconds, rounded up. One more, and what ignores SIGXCPU is killed.
    const uint64_t seconds = (static_cast<uint64_t>(*script.cpu_us) + 999'999) / 1'000'000;
    confinement.limits.push_back({RLIMIT_CPU, seconds, seconds + 1});
  }
  AddLimit(confinement, RLIMIT_DATA, script.memory_bytes);
  AddLimit(confinement, RLIMIT_NOFILE, script.files);
  AddLimit(confinement, RLIMIT_NPROC, script.processes);
  AddLimit(confinement, RLIMIT_FSIZE, script.file_bytes);
  AddLimit(confinement, RLIMIT_CORE, script.core_bytes);
  if (script.user.empty()) return confinement;
  const std::expected<Identity, TaskFailure> identity = FindUser(script.user);
  if (!identity) return std::unexpected(identity.error());
  if (geteuid() == 0) {
    confinement.identity = *identity;
  } else if (identity->user != geteuid()) {
    return std::unexpected(Isolation(
        fmt::format("Expected the engine to be root, to run a script as the user \"{}\", but found "
                    "it to be the user {}",
                    script.user, geteuid())));
  }
  return confinement;
}

std::optional<TaskFailure> ConfinementFailure(const ScriptConfinement& script, LaunchStep step,
                                              const char* reason) {
  switch (step) {
    case LaunchStep::kStart:
    case LaunchStep::kDirectory:
    case LaunchStep::kProgram:
      return std::nullopt;
    case LaunchStep::kLimits:
      return Isolation(fmt::format("Expected to set the limits but found: {}", reason));
    case LaunchStep::kUser:
      return Isolation(
          fmt::format("Expected to become the user \"{}\" but found: {}", script.user, reason));
    case LaunchStep::kNamespaces:
      return Isolation(fmt::format(
          "Expected namespaces of its own for the script but found that this machine refuses: {}",
          reason));
  }
  return std::nullopt;
}

std::optional<HitLimit> LimitHit(const ScriptConfinement& script, const ChildProcess::Exit& exit,
                                 int64_t cpu_us) {
  const auto ended_by = [&](int signal) {
    return exit.signal == signal || (exit.signal == 0 && exit.code == kShellSignalBase + signal);
  };
  if (script.cpu_us && (ended_by(SIGXCPU) || (exit.signal == SIGKILL && cpu_us >= *script.cpu_us)))
    return HitLimit{
        "cpu", fmt::format("{} s of processor time", static_cast<double>(*script.cpu_us) / 1e6)};
  if (script.file_bytes && ended_by(SIGXFSZ))
    return HitLimit{"file_size", fmt::format("{} bytes in a file", *script.file_bytes)};
  return std::nullopt;
}

}  // namespace stele::tasks
