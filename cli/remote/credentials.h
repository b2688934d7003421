// Who asks a server: a token, from where the arguments and the environment say.
//
// A file of tokens has a line for each server, its name and the token; a line with a token alone is
// for every server, as one that somebody else has written there.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/arguments.h"

namespace stele::cli {

struct FoundToken {
  std::string text;    // empty: there is none
  std::string place;   // what has it: a file, or a variable of the environment
  bool named = false;  // somebody has said that it counts
};
// For that server: of --token-file, else of STELE_TOKEN, else of the file that STELE_TOKEN_FILE
// names, else of the one that "stele login" writes. kUnauthenticated: a file that was named has
// none for it; kIo: it cannot be read.
Result<FoundToken> FindToken(const Arguments& arguments, std::string_view server);
Result<std::string> TokenFor(const Arguments& arguments, std::string_view server);

// Keeps it in the file of the above, which nobody else may read. Gives the file's name.
Result<std::string> KeepToken(const Arguments& arguments, std::string_view server,
                              std::string_view token);

// Takes the server's own line with that token away. False: there is none in the file.
Result<bool> ForgetToken(const Arguments& arguments, std::string_view server,
                         std::string_view token);

// Where the file has a line of the server's own with `before`: `fresh` in its place. It helps the
// next command; without it the one before counts to its end.
void KeepRenewed(const Arguments& arguments, std::string_view server, std::string_view before,
                 std::string_view fresh);

}  // namespace stele::cli
