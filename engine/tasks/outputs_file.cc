#include "engine/tasks/outputs_file.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace stele::tasks {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view Trim(std::string_view text) {
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool Next(std::string_view* line) {
    if (rest_.empty()) return false;
    ++number_;
    size_t end = rest_.find('\n');
    *line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line->ends_with('\r')) line->remove_suffix(1);
    return true;
  }
  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

}  // namespace

Result<Object> ParseOutputs(std::string_view text) {
  std::vector<Member> outputs;
  Lines lines(text);
  std::string_view line;
  while (lines.Next(&line)) {
    if (Trim(line).empty()) continue;
    int number = lines.number();
    size_t equals = line.find('=');
    size_t block = line.find("<<");
    bool is_block = block < equals;
    std::string_view name = Trim(line.substr(0, is_block ? block : equals));
    if ((!is_block && equals == std::string_view::npos) || name.empty()) {
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("Expected name=value in line {} of outputs but found \"{}\"", number,
                              line.substr(0, 80)));
    }
    if (!is_block) {
      outputs.push_back({std::string(name), line.substr(equals + 1)});
      continue;
    }
    std::string_view delimiter = Trim(line.substr(block + 2));
    std::string value;
    bool closed = false;
    for (bool first = true; lines.Next(&line); first = false) {
      if (Trim(line) == delimiter) {
        closed = true;
        break;
      }
      if (!first) value += '\n';
      value += line;
    }
    if (!closed || delimiter.empty()) {
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("Expected a line \"{}\" to close the value of {} from line {} of "
                              "outputs but found none",
                              delimiter, name, number));
    }
    outputs.push_back({std::string(name), std::move(value)});
  }
  return Object::Of(std::move(outputs));
}

}  // namespace stele::tasks
