#include "server/http/media_type.h"

#include <algorithm>
#include <optional>

#include "server/http/headers.h"

namespace stele::server::http {
namespace {

// Whether "q=" of the parameters is above 0; it is when there is none.
bool HasWeight(std::string_view parameters) {
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view one = Trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (one.starts_with("q=") || one.starts_with("Q="))
      return one.substr(2).find_first_of("123456789") != std::string_view::npos;
  }
  return true;
}

}  // namespace

std::string MediaType(std::string_view content_type) {
  std::string type(Trim(content_type.substr(0, content_type.find(';'))));
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return type;
}

bool IsJson(std::string_view content_type) {
  const std::string type = MediaType(content_type);
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

bool IsCompressible(std::string_view content_type) {
  const std::string type = MediaType(content_type);
  return IsJson(type) || type.starts_with("text/") || type.ends_with("+xml") ||
         type == "application/javascript" || type == "application/xml" ||
         type == "application/x-ndjson" || type == "application/yaml";
}

bool AcceptsGzip(std::string_view accept_encoding) {
  std::optional<bool> any;
  for (const std::string_view part : SplitList(accept_encoding)) {
    const size_t semicolon = std::min(part.find(';'), part.size());
    const std::string_view name = Trim(part.substr(0, semicolon));
    const bool accepted = HasWeight(part.substr(std::min(semicolon + 1, part.size())));
    if (EqualIgnoringCase(name, "gzip") || EqualIgnoringCase(name, "x-gzip")) return accepted;
    if (name == "*") any = accepted;
  }
  return any.value_or(false);
}

}  // namespace stele::server::http
