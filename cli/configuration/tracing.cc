#include "cli/configuration/tracing.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/tasks/curl_multi.h"
#include "engine/tasks/http_plan.h"

namespace stele::cli {

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kMaxHeaderLine = 16u << 10;
constexpr size_t kMaxHeaders = 64;

Result<std::optional<double>> RatioOf(const ChosenSetting& chosen, bool has_endpoint) {
  if (chosen.value.is_null() || chosen.value.as_string().empty())
    return has_endpoint ? std::optional(1.0) : std::nullopt;
  const std::string& text = chosen.value.as_string();
  double ratio = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (fault == std::errc() && end == text.data() + text.size() && ratio >= 0 && ratio <= 1)
    return ratio;
  return RefuseSetting(chosen, fmt::format("Expected a number from 0 to 1 but found \"{}\"", text));
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
}

// No line is shown: there are keys in them.
Result<Headers> ReadHeaders(const ChosenSetting& chosen) {
  const std::string& path = chosen.value.as_string();
  std::ifstream file(path);
  if (!file)
    return RefuseSetting(chosen, fmt::format("Expected a file but found none at \"{}\"", path));
  Headers headers;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    const std::string_view text = Trimmed(line);
    if (text.empty() || text.starts_with('#')) continue;
    const size_t colon = text.find(':');
    const std::string_view name = Trimmed(text.substr(0, colon));
    if (colon == std::string_view::npos || !tasks::IsHeaderName(name) ||
        text.size() > kMaxHeaderLine || headers.size() == kMaxHeaders)
      return RefuseSetting(chosen,
                           fmt::format("Expected at most {} lines `Name: value` in {} but found "
                                       "something else at line {}",
                                       kMaxHeaders, path, number));
    headers.emplace_back(name, Trimmed(text.substr(colon + 1)));
  }
  if (file.bad())
    return RefuseSetting(chosen, fmt::format("Expected to read {} but could not", path));
  return headers;
}

// Everybody may see what a setting is.
bool HasPassword(std::string_view url) {
  const size_t begin = url.find("://");
  const size_t end = url.find_first_of("/?#", begin == std::string_view::npos ? 0 : begin + 3);
  return url.substr(0, end).contains('@');
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

Result<Tracing> TracingOf(const Configuration& configuration) {
  const ChosenSetting& endpoint = configuration.Find("tracing.endpoint");
  const std::string url = configuration.Text("tracing.endpoint");
  auto ratio = RatioOf(configuration.Find("tracing.ratio"), !url.empty());
  if (!ratio.has_value()) return std::unexpected(ratio.error());
  // What is said is looked at, whether or not anybody is told of spans.
  Headers headers;
  if (!configuration.Text("tracing.headers_file").empty()) {
    auto read = ReadHeaders(configuration.Find("tracing.headers_file"));
    if (!read.has_value()) return std::unexpected(read.error());
    headers = *std::move(read);
  }
  Tracing tracing{.ratio = *ratio, .tracer = std::nullopt};
  if (url.empty()) return tracing;
  if (const auto built = tasks::BuildUrl(url, {}); !built.has_value())
    return RefuseSetting(endpoint, built.error().message);
  if (HasPassword(url))
    return RefuseSetting(endpoint,
                         "Expected a URL without a name and a password, which a header of "
                         "tracing.headers_file can say, but found them");
  server::tracing::TracerOptions& tracer = tracing.tracer.emplace();
  tracer.ratio = **ratio;
  tracer.exporting.url = url;
  tracer.exporting.version = STELE_VERSION;
  tracer.exporting.resource = {{"service.name", configuration.Text("tracing.service")},
                               {"service.version", STELE_VERSION},
                               {"host.name", HostName()}};
  tracer.exporting.headers = std::move(headers);
  return tracing;
}

}  // namespace stele::cli
