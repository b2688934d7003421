// Who may come in: sessions, users and API keys. Beside the table of resources.h, since `--dev` has
// none of it.
//
// Thread: the loop's.
#pragma once

#include "server/operations/logins.h"
#include "server/rest/route.h"

namespace stele::server::rest {

// REQUIRES: the logins outlive the routes.
Resource SessionResource(Logins& logins);
Resource UsersResource(Logins& logins);

}  // namespace stele::server::rest
