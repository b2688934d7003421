// Messages of the Debug Adapter Protocol as values. docs/dap.md says what of it there is; the
// protocol is at https://microsoft.github.io/debug-adapter-protocol/specification.
//
// Thread: one at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace stele::cli::dap {

// Arguments of a request. What is asked for and is not there, or is of another kind, is an error
// that names it: kBadRequest.
class Fields {
 public:
  explicit Fields(Object object = {}) : object_(std::move(object)) {}

  Result<int64_t> Integer(std::string_view name) const;
  Result<std::string> Text(std::string_view name) const;
  // kBadRequest: it is there and of another kind.
  Status CheckText(std::string_view name) const;
  Status CheckBool(std::string_view name) const;
  // `otherwise` when it is not there or of another kind: of what a request may leave out.
  int64_t IntegerOr(std::string_view name, int64_t otherwise) const;
  std::string TextOr(std::string_view name, std::string_view otherwise = "") const;
  bool BoolOr(std::string_view name, bool otherwise) const;
  // The member as fields of its own; without any when it is no object.
  Fields Inside(std::string_view name) const;
  // The objects in the list; others in it are left out.
  std::vector<Fields> List(std::string_view name) const;
  std::vector<std::string> Texts(std::string_view name) const;
  // null: it is not there.
  const Value* Find(std::string_view name) const { return object_.Find(name); }
  bool Has(std::string_view name) const { return Find(name) != nullptr; }

 private:
  Object object_;
};

struct Request {
  int64_t seq = 0;
  std::string command;
  Fields arguments;
};

// kInvalidJson, kBadRequest: it is none; what it is instead. kUnsupported: another kind of message.
Result<Request> ParseRequest(std::string_view message);

// What is sent, numbered from 1 in the order of sending.
class Outbox {
 public:
  using Send = std::function<void(std::string_view message)>;
  explicit Outbox(Send send) : send_(std::move(send)) {}

  void Respond(const Request& request, const Result<Object>& body);
  void Event(std::string_view name, Object body = {});
  // An `output` event. `category`: "console", "stdout", "stderr", "important".
  void Output(std::string_view category, std::string text, const Object& more = {});

 private:
  void Put(const Object& message);

  const Send send_;
  int64_t seq_ = 0;
};

}  // namespace stele::cli::dap
