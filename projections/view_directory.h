// The directory of a store of views, made where there is none.
//
// Thread: any.
#pragma once

#include <string>

#include "base/error.h"

namespace stele::projections {

// With those around it. kWrongDirectory: something else stands there, a file or a link that leads
// nowhere. Whoever put it there knows what it is for, so that it stays; kIo: the disk refuses.
Status MakeViewDirectory(const std::string& path);

}  // namespace stele::projections
