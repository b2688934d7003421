// Secrets in files, as container platforms mount them: a file of NAME=value lines, or a directory
// with one file a secret. Read anew for each secret, so that a replaced file counts from the next
// attempt on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/secrets/secrets.h"

namespace stele::secrets {

// In a file: blank lines and lines that begin with `#` say nothing; a value is everything behind
// the first `=`, as it stands. In a directory: the text of the file NAME without one line end at
// its end. Each file must be closed to others.
class FileSecrets final : public Secrets {
 public:
  // Checks that it can be used: kIo, kSecretExposed, kBadSecret with the line, kLimitExceeded.
  static Result<std::unique_ptr<FileSecrets>> Open(const std::string& path);
  std::optional<std::string> Find(std::string_view name) const override;
  std::string Missing(std::string_view name) const override;

 private:
  FileSecrets(std::string path, bool directory) : path_(std::move(path)), directory_(directory) {}
  Result<std::optional<std::string>> Read(std::string_view name) const;

  std::string path_;
  bool directory_;
};

}  // namespace stele::secrets
