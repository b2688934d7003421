// Where a program is.
#pragma once

#include <string>
#include <string_view>

namespace stele::tasks {

// The first executable file `name` in the absolute directories of `path` ("/usr/bin:/bin"). Empty
// when there is none.
std::string FindProgram(std::string_view name, std::string_view path);

}  // namespace stele::tasks
