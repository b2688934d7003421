// What lies in a data directory beside the log and cannot be rebuilt from it. Never a key.
#pragma once

#include <string>
#include <vector>

namespace stele::cli {

inline std::vector<std::string> FilesBesideTheLog() {
  return {"settings.json", "secrets.stele"};
}

}  // namespace stele::cli
