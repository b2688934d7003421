#include "engine/tasks/program_output.h"

#include "base/json.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/outputs_file.h"
#include "engine/tasks/scratch_directory.h"

namespace stele::tasks {

std::expected<Payload, TaskFailure> ProgramOutput(std::string printed, bool truncated,
                                                  const std::string& outputs_file,
                                                  size_t max_outputs_bytes,
                                                  const Redactor& redactor) {
  Result<std::string> text = ReadSmallFile(outputs_file, max_outputs_bytes);
  if (!text) {
    bool too_long = text.error().code == ErrorCode::kLimitExceeded;
    return std::unexpected(
        TaskFailure{too_long ? "output_limit" : "outputs", text.error().message, false, {}});
  }
  Result<Object> declared = ParseOutputs(*text);
  if (!declared) {
    return std::unexpected(
        TaskFailure{"outputs", redactor.Text(declared.error().message), false, {}});
  }
  Object output{{"exit_code", int64_t{0}}};
  size_t first = printed.find_first_not_of(" \t\r\n");
  if (!truncated && first != std::string::npos &&
      (printed[first] == '{' || printed[first] == '[')) {
    if (Result<Value> result = ParseJson(printed)) output.Set("result", *std::move(result));
  }
  // Without the line ends at its end, as $(…) of a shell has it.
  size_t last = printed.find_last_not_of("\r\n");
  printed.resize(last == std::string::npos ? 0 : last + 1);
  bool cut = truncated || printed.size() > kMaxStdoutOutputBytes;
  output.Set("stdout", KeepEnds(printed, kMaxStdoutOutputBytes));
  if (cut) output.Set("stdout_truncated", true);
  for (Member& member : *declared) output.Set(member.key, std::move(member.value));
  return Payload::FromValue(redactor.Redact(std::move(output)));
}

}  // namespace stele::tasks
