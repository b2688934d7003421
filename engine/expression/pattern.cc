#include "engine/expression/pattern.h"

#include <re2/re2.h>

#include <utility>

#include "engine/expression/limits.h"

namespace stele::expression {

std::expected<Pattern, std::string> Pattern::Compile(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxPatternMemory);
  auto re =
      std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!re->ok()) return std::unexpected(re->error());
  if (re->ProgramSize() > kMaxPatternProgram) return std::unexpected("it is too large");
  return Pattern(std::move(re));
}

bool Pattern::Matches(std::string_view text) const {
  return re_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                    re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace stele::expression
