// The rows of a log's tree as its database has them.
//
// Threads: any. REQUIRES: the log outlives it.
#pragma once

#include "eventstore/log_db.h"
#include "eventstore/tree_rows.h"

namespace stele::eventstore {

class LogRows final : public TreeRows {
 public:
  explicit LogRows(const LogDb& log) : log_(log) {}
  Result<std::optional<std::string>> Read(std::string_view name) const override {
    return log_.ReadMeta(name);
  }
  Status ForEach(std::string_view prefix, std::string_view from, const Visit& visit) const override;
  Result<std::optional<KeyRow>> Last(std::string_view prefix) const override;

 private:
  const LogDb& log_;
};

// As the log writes them; a row without a value goes.
std::vector<LogDb::MetaChange> ChangesOf(const std::vector<KeyRow>& rows);

}  // namespace stele::eventstore
