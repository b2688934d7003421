#include "projections/view_directory.h"

#include <fmt/format.h>

#include <filesystem>

namespace stele::projections {

namespace fs = std::filesystem;

namespace {

// What stands there in place of a directory; empty: nothing does.
std::string Obstacle(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status own = fs::symlink_status(path, ignored);
  if (!fs::exists(own) || fs::is_directory(own)) return "";
  if (!fs::is_symlink(own)) return "a file";
  const fs::file_status target = fs::status(path, ignored);
  if (target.type() == fs::file_type::not_found) return "a link that leads nowhere";
  return fs::exists(target) && !fs::is_directory(target) ? "a link to a file" : "";
}

}  // namespace

Status MakeViewDirectory(const std::string& path) {
  for (const fs::path& one : {fs::path(path).parent_path(), fs::path(path)})
    if (const std::string found = Obstacle(one); !found.empty())
      return Fail(ErrorCode::kWrongDirectory,
                  fmt::format("Expected a directory of views at {} but found {}; take it away, or "
                              "put back what it leads to: views that are not there are built anew",
                              one.string(), found));
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) return {};
  return Fail(ErrorCode::kIo, fmt::format("Expected to create the directory {} but found: {}", path,
                                          error.message()));
}

}  // namespace stele::projections
