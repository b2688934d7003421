// What a framing makes of bytes that come in pieces.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/framing.h"

namespace stele::server::http {

struct Framed {
  std::string passed;
  std::vector<HeadReader::Facts> heads;
  std::vector<size_t> begins;     // where in `passed` each head begins
  std::vector<uint64_t> lengths;  // of the bodies, without what is about chunks
  std::optional<FramingFault> fault;
  bool whole = false;  // no request was left within it

  // 0 when there is no fault.
  int status() const { return fault.has_value() ? fault->status : 0; }
  std::string said() const { return fault.has_value() ? fault->error.message : ""; }
};

class FramedPieces {
 public:
  void Add(std::string_view piece) {
    kept_ += piece;
    while (!kept_.empty() && !framed_.fault.has_value()) {
      const bool of_head = pass_ == 0 && framing_.between();
      if (pass_ == 0) {
        const auto step = framing_.Next(kept_);
        framed_.fault = framing_.fault();
        if (!step.has_value()) return;
        kept_.erase(0, step->drop);
        framed_.passed += step->instead;
        pass_ = step->pass;
        if (of_head) {
          framed_.heads.push_back(framing_.facts());
          framed_.begins.push_back(framed_.passed.size());
          framed_.lengths.push_back(framing_.facts().length);
        } else {
          framed_.lengths.back() += pass_;
        }
      }
      const size_t size = std::min<uint64_t>(pass_, kept_.size());
      framed_.passed.append(kept_, 0, size);
      kept_.erase(0, size);
      pass_ -= size;
    }
  }

  // The input ends here.
  Framed End() {
    if (pass_ == 0) framing_.End(kept_);
    framed_.fault = framing_.fault();
    framed_.whole = !framed_.fault.has_value() && framing_.between() && pass_ == 0;
    return framed_;
  }

 private:
  Framing framing_;
  std::string kept_;
  uint64_t pass_ = 0;
  Framed framed_;
};

}  // namespace stele::server::http
