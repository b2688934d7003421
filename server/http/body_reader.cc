#include "server/http/body_reader.h"

#include <fmt/format.h>
#include <kj/debug.h>

#include <algorithm>

#include "server/http/gzip.h"
#include "server/http/headers.h"

namespace stele::server::http {
namespace {

constexpr size_t kPiece = 16384;

class Reader {
 public:
  Reader(kj::AsyncInputStream& body, size_t most, BodyBudget::Share& share)
      : body_(body), most_(most), share_(share) {}

  kj::Promise<ReadResult> Read() {
    const size_t begin = read_.size();
    // One byte more than may come tells a body that is too large from one that just fits.
    read_.resize(begin + std::min(kPiece, most_ + 1 - begin));
    return body_.tryRead(read_.data() + begin, 1, read_.size() - begin)
        .then([this, begin](size_t size) -> kj::Promise<ReadResult> {
          read_.resize(begin + size);
          if (size == 0) return ReadResult(std::move(read_));
          if (read_.size() > most_) return ReadResult(std::unexpect, TooLarge(most_));
          if (!share_.Take(size)) return ReadResult(std::unexpect, TooMany());
          return Read();
        });
  }

  static Response TooLarge(size_t most) {
    return Problem({ErrorCode::kLimitExceeded,
                    fmt::format("Expected a body of at most {} bytes but found more", most)});
  }

  static Response TooMany() {
    return Problem({ErrorCode::kBackPressure,
                    "Expected room for a body but found too many that come; try again later"});
  }

 private:
  kj::AsyncInputStream& body_;
  const size_t most_;
  BodyBudget::Share& share_;
  std::string read_;
};

}  // namespace

kj::Promise<ReadResult> ReadBody(kj::AsyncInputStream& body, size_t most, BodyBudget::Share& share,
                                 kj::Timer& timer, kj::Duration time) {
  KJ_IF_MAYBE (length, body.tryGetLength()) {
    if (*length > most) return ReadResult(std::unexpect, Reader::TooLarge(most));
    if (*length == 0) return ReadResult(std::string());
  }
  auto reader = kj::heap<Reader>(body, most, share);
  auto read = kj::evalNow([&]() { return reader->Read(); })
                  .catch_([](kj::Exception&& fault) -> kj::Promise<ReadResult> {
                    if (fault.getType() == kj::Exception::Type::DISCONNECTED) return kj::mv(fault);
                    return ReadResult(std::unexpect,
                                      Problem({ErrorCode::kBadRequest,
                                               "Expected a body in whole chunks but found other "
                                               "bytes"}));
                  })
                  .attach(kj::mv(reader));
  auto late = timer.afterDelay(time).then([time]() {
    return ReadResult(
        std::unexpect,
        Problem(408, {ErrorCode::kTimeout,
                      fmt::format("Expected the whole body within {} s but found a part of it",
                                  time / kj::SECONDS)}));
  });
  return read.exclusiveJoin(kj::mv(late));
}

Result<std::string> Unpack(std::string body, std::string_view content_encoding, size_t most) {
  const std::string_view coding = Trim(content_encoding);
  if (coding.empty() || EqualIgnoringCase(coding, "identity")) return body;
  if (EqualIgnoringCase(coding, "gzip") || EqualIgnoringCase(coding, "x-gzip"))
    return Gunzip(body, most);
  return Fail(ErrorCode::kUnsupportedMedia,
              fmt::format("Expected a Content-Encoding of gzip or none but found {}", coding));
}

}  // namespace stele::server::http
