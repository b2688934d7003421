// A client's way to a server.
#pragma once

#include <kj/async-io.h>

#include <optional>
#include <string>
#include <string_view>

#include "server/loop/kj_loop.h"
#include "server/loop/tls.h"

namespace stele::server {

// Connects to `address` (address.h; no host means this machine). A name is looked up without
// blocking, and its addresses are tried one after another. Fails as DISCONNECTED with the address
// and the system's reason, and as FAILED for a text that is no address. Dropping the promise gives
// up. Used on the loop's thread; the promise is dropped before `loop` is. There is no timeout: see
// kj::Timer::timeoutAfter.
kj::Promise<kj::Own<kj::AsyncIoStream>> Connect(KjLoop& loop, std::string_view address);

// The same, and a handshake of TLS behind it where there is `tls`, which outlives the promise. The
// server's certificate is for `name`; an empty one stands for the host of the address.
kj::Promise<kj::Own<kj::AsyncIoStream>> Connect(KjLoop& loop, std::string_view address,
                                                std::optional<TlsClient>& tls,
                                                std::string name = {});

}  // namespace stele::server
