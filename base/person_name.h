// What somebody may be called in the log: whoever reads it must see who it was, and take nobody for
// the engine's own.
//
// Thread: any.
#pragma once

#include <string_view>

namespace stele {

// What is wrong with the name, to stand behind it in a sentence; empty: nothing is. It is UTF-8
// that shows something, with no control characters and none that turn text, and it begins with
// neither "worker:" nor "trigger:", which is how the log says that those have done it. How long it
// may be is for others to say.
std::string_view FaultOfPersonName(std::string_view name);

}  // namespace stele
