// How an Error travels: as an exception of KJ, whose text begins with the code ("STL0405: Expected
// …") and whose type says what a client can do about it (schemas/api.capnp). Clients use it, too.
//
// Thread: any.
#pragma once

#include <kj/exception.h>

#include <optional>
#include <string_view>

#include "base/error.h"

namespace stele::server::rpc {

kj::Exception ToException(const Error& error);

// What a call failed with, as the server said it. Of what no server said, a code by the exception's
// type: kClosed where the connection has ended, kBackPressure, kUnsupported, else kIo.
Error ErrorOf(const kj::Exception& exception);

// What Error::ToString gave; nothing for another text, or a code that this program does not know.
std::optional<Error> ParseError(std::string_view text);

// Whether the far end has said it. What is not from there happened here, or to the connection.
bool IsRemote(const kj::Exception& exception);

// The code of that number; nothing for one that this program does not know.
std::optional<ErrorCode> FindErrorCode(uint32_t number);

}  // namespace stele::server::rpc
