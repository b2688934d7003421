#include "cli/new_key.h"

#include "engine/secrets/private_file.h"
#include "engine/secrets/secret_key.h"

namespace stele::cli {

Status PrintNewKey(const Arguments& arguments, const Terminal& terminal) {
  std::string text = secrets::SecretKey::Generate().ToText() + "\n";
  const secrets::WipeAtEnd wipe(text);
  if (arguments.Has("--out")) return secrets::CreatePrivateFile(arguments.Get("--out"), text);
  terminal.Print(text);
  return {};
}

}  // namespace stele::cli
