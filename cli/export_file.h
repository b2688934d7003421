// Where an export goes: standard output, or a file that gets its name when it is whole.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::cli {

class ExportFile {
 public:
  // Empty: standard output. Until it is whole the file is NAME.part; kWrongDirectory when there is
  // something of either name already. Only its owner may read it, for it has what people put in.
  static Result<std::unique_ptr<ExportFile>> Open(const std::string& name);
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;
  ~ExportFile();

  // kIo: it cannot be written; what is read from standard output ended, for one.
  Status Write(std::string_view text);
  // It is whole: durably, under its name.
  Status Finish();
  uint64_t bytes() const { return bytes_; }

 private:
  ExportFile(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}

  const std::string name_;  // empty: standard output
  int fd_;                  // -1: closed
  uint64_t bytes_ = 0;
};

}  // namespace stele::cli
