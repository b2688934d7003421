#include "server/rest/route.h"

#include <utility>

namespace stele::server::rest {

Parameter Text(std::string name, std::string about) {
  return {.kind = Parameter::Kind::kText, .name = std::move(name), .about = std::move(about)};
}

Parameter Texts(std::string name, std::string about) {
  return {.kind = Parameter::Kind::kTexts, .name = std::move(name), .about = std::move(about)};
}

Parameter Number(std::string name, int64_t least, int64_t most, std::string about) {
  return {.kind = Parameter::Kind::kNumber,
          .name = std::move(name),
          .about = std::move(about),
          .least = least,
          .most = most};
}

Parameter Flag(std::string name, std::string about) {
  return {.kind = Parameter::Kind::kFlag, .name = std::move(name), .about = std::move(about)};
}

Parameter Choice(std::string name, std::vector<std::string> choices, std::string about) {
  return {.kind = Parameter::Kind::kChoice,
          .name = std::move(name),
          .about = std::move(about),
          .least = 0,
          .most = 0,
          .choices = std::move(choices)};
}

Parameter Header(std::string name, std::string about) {
  return {.kind = Parameter::Kind::kHeader, .name = std::move(name), .about = std::move(about)};
}

std::string PathOf(const Route& route) {
  return route.outside ? route.pattern : std::string(kPrefix) + route.pattern;
}

}  // namespace stele::server::rest
