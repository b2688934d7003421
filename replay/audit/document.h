// The members of a document that comes from somebody who may not be trusted: each is there, once,
// of its kind, and none besides.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "eventstore/hash.h"

namespace stele::replay {

// The object of a document; `name` says what it should be. kBadProof when a member is there twice,
// and for what is no such document at all another code: of JSON, or kInvalidInput.
Result<Value> ParseDocument(std::string_view text, std::string_view name);

// Takes the members of an object one by one; the first fault stays.
class MemberReader {
 public:
  // `name` begins the sentences: "the proof". REQUIRES: both outlive it.
  MemberReader(const Value& object, std::string_view name) : object_(object), name_(name) {}

  std::string Text(std::string_view member);
  uint64_t Number(std::string_view member);
  std::string Bytes(std::string_view member);  // in base64
  std::vector<eventstore::Hash> Hashes(std::string_view member);
  // Empty when it is no array.
  const Array& Items(std::string_view member);
  bool Has(std::string_view member) const { return object_.Find(member) != nullptr; }

  // kBadProof: a member was missing or of another kind, or there are others.
  Status Finish() const;

 private:
  const Value* Take(std::string_view member, std::string_view kind);
  void Wrong(std::string_view member, std::string_view kind);

  const Value& object_;
  const std::string_view name_;
  std::vector<std::string_view> taken_;
  Status status_;
};

Array HashTexts(const std::vector<eventstore::Hash>& hashes);

}  // namespace stele::replay
